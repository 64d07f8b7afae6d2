import { readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { encodePart10 } from '../support/part10.ts';
import { ask, serveFolder, temporaryFolder } from './served.ts';

const SERIES = '/dicom-web/studies/1.2.3/series/1.2.3.4';
const ACCEPT = { accept: '*/*' };

/** A server over two images of 3 MiB. */
function serveImages(): Promise<number> {
  const folder = temporaryFolder();
  for (const n of [1, 2]) {
    const uids = { SOPInstanceUID: `1.2.3.4.${n}`, StudyInstanceUID: '1.2.3', SeriesInstanceUID: '1.2.3.4' };
    const pixels = { Rows: 1024, Columns: 1024, BitsAllocated: 8, SamplesPerPixel: 1, NumberOfFrames: '3' };
    writeFileSync(
      join(folder, `${n}.dcm`),
      encodePart10({
        SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
        ...uids,
        ...pixels,
        PixelData: new Uint8Array(3 * 2 ** 20),
      }),
    );
  }
  return serveFolder(folder);
}

/** Files that this process, which is the server's too, has open, sockets and pipes among them. */
function openFiles(): number {
  return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length;
}

/** Goes away at the first byte of an answer. */
function askAndLeave(port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path,
      headers: { host: 'localhost', ...ACCEPT },
      agent: false,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.destroy();
      response.on('close', resolve);
    });
    outgoing.end();
  });
}

/** Goes away before there is an answer. */
function askAndLeaveAtOnce(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path,
      headers: { host: 'localhost', ...ACCEPT },
      agent: false,
    });
    outgoing.on('error', () => undefined).on('close', resolve);
    outgoing.end();
    outgoing.on('finish', () => setImmediate(() => outgoing.destroy()));
  });
}

test.each([
  ['a study', '/dicom-web/studies/1.2.3'],
  ['a series', SERIES],
  ['an instance', `${SERIES}/instances/1.2.3.4.1`],
  ['a frame', `${SERIES}/instances/1.2.3.4.1/frames/1`],
  ['frames', `${SERIES}/instances/1.2.3.4.1/frames/1,2,3`],
  ['bulk data', `${SERIES}/instances/1.2.3.4.1/bulkdata/7FE00010`],
  ['metadata', `${SERIES}/metadata`],
])('of %s nothing stays open, whether its answer was wanted, taken or left', async (_, path) => {
  // A file that nobody closed is closed with its handle, when memory is tidied up, and that is said.
  const warnings: string[] = [];
  const hear = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  const port = await serveImages();
  await ask(port, path, { headers: ACCEPT });
  const before = openFiles();
  for (let n = 0; n < 8; n++) {
    const { status, body } = await ask(port, path, { method: 'HEAD', headers: ACCEPT });
    expect([status, body.length]).toEqual([200, 0]);
    expect((await ask(port, path, { headers: ACCEPT })).status).toBe(200);
    await askAndLeave(port, path);
    await askAndLeaveAtOnce(port, path);
  }
  await expect.poll(openFiles, { timeout: 10_000 }).toBeLessThanOrEqual(before + 1);
  expect(warnings).toEqual([]);
});
