import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openStudyIndex } from '../../server/dicom-web/study-index.ts';
import { encodeMultipart } from '../../server/dicom-web/multipart.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { DEFLATED, elementHeader, encodePart10 } from '../support/part10.ts';
import { ask, serveFolder, temporaryFolder } from './served.ts';
import { startCpuClock } from '../support/cpu-clock.ts';

const REPORT = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.11',
  SOPInstanceUID: '1.2.3.1',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.4',
  PatientName: 'Synthetic^Report',
};
const good = encodePart10(REPORT);
const deflatedHead = (): Uint8Array => {
  const whole = encodePart10({}, { transferSyntaxUID: DEFLATED });
  return whole.subarray(0, whole.length - deflateRawSync(Buffer.alloc(0)).length);
};

/** As many elements of no length; with each its own tag, or all with one. */
function emptyElements(count: number, isOne: boolean): Buffer {
  const bytes = Buffer.alloc(count * 8);
  for (let at = 0; at < count; at++) {
    bytes.writeUInt16LE(0x0029 + (isOne ? 0 : 2 * (at >>> 16)), at * 8);
    bytes.writeUInt16LE(isOne ? 0x1010 : at & 0xffff, at * 8 + 2);
    bytes.write('LO', at * 8 + 4);
  }
  return bytes;
}

function items(count: number): Buffer {
  const bytes = Buffer.alloc(count * 8);
  for (let at = 0; at < count; at++) bytes.writeUInt32LE(0xe000fffe, at * 8);
  return bytes;
}

const OPEN_SEQUENCE = Buffer.concat([
  elementHeader('x00409096', 'SQ', 0xffffffff),
  Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]),
]);

/** Each ends in a file that is ignored, for the reason behind it. */
const HOSTILE: readonly (readonly [name: string, make: () => readonly Uint8Array[], reason: string])[] = [
  ['50 MB of zeroes behind a report', () => [good, new Uint8Array(50e6)], 'more than is read of a file'],
  ['32 MB of empty elements', () => [good, emptyElements(4e6, false)], 'more than is read of a file'],
  ['32 MB of one empty element', () => [good, emptyElements(4e6, true)], 'more than is read of a file'],
  [
    '32 MB of empty items',
    () => [good, elementHeader('x00409096', 'SQ', 0xffffffff), items(4e6)],
    'more than is read of a file',
  ],
  [
    '20,000 open sequences',
    () => [good, ...Array.from({ length: 20_000 }, () => OPEN_SEQUENCE)],
    'more than is read of a file',
  ],
  [
    'a quarter of a gigabyte of deflated zeroes',
    () => [deflatedHead(), deflateRawSync(Buffer.alloc(2 ** 28))],
    'more than is read of a file',
  ],
  [
    'a deflated text of a quarter of a gigabyte',
    () => [
      deflatedHead(),
      deflateRawSync(Buffer.concat([elementHeader('x00104000', 'UT', 2 ** 28), Buffer.alloc(2 ** 28)])),
    ],
    'more than is read of a file',
  ],
  ['an element that is longer than the file', () => [good, elementHeader('x00280010', 'UN', 0x7ffffffe)], 'damaged'],
  ['nothing but zeroes', () => [new Uint8Array(10e6)], 'not DICOM'],
  ['no bytes', () => [], 'not DICOM'],
];

describe('a folder with a hostile file', () => {
  test.each(HOSTILE)('%s: ignored and counted, in half a second and 64 MB over the file', (_, make, reason) => {
    const folder = temporaryFolder();
    const hostile = join(folder, 'hostile.dcm');
    const bytes = Buffer.concat(make());
    writeFileSync(hostile, bytes);
    // A process of its own: what the file's making took is not what reading it takes.
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, 'index-folder.ts'), folder],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const { instances, ignored, cpuMs, memoryMb } = JSON.parse(stdout) as Record<string, number>;
    expect({ instances, ignored }).toEqual({ instances: 0, ignored: [[reason, 1]] });
    expect(memoryMb).toBeLessThan(bytes.length / 2 ** 20 + 64);
    // Half a second on a machine that does nothing else; the tests run side by side.
    expect(cpuMs).toBeLessThan(1000);
  });

  test('stays as good as the rest of it', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'good.dcm'), good);
    writeFileSync(join(folder, 'hostile.dcm'), Buffer.concat([good, new Uint8Array(1e6)]));
    const index = await openStudyIndex(folder);
    expect(index.instances()).toHaveLength(1);
    expect([...index.ignoredFiles()]).toEqual([['more than is read of a file', 1]]);
  });

  test('that is stored is refused, and the server answers on', async () => {
    const folder = temporaryFolder();
    const port = await serveFolder(folder);
    const { contentType, body } = encodeMultipart(
      [{ contentType: 'application/dicom', body: Buffer.concat([good, elementHeader('x00280010', 'UN', 0x7ffffffe)]) }],
      'application/dicom',
    );
    const headers = { 'content-type': contentType };
    const stored = await ask(port, '/dicom-web/studies', { method: 'POST', headers, body: Buffer.concat(body) });
    expect(stored.status).toBe(409);
    expect((await ask(port, '/dicom-web/studies')).body.toString()).toBe('[]');
  });

  test.each([
    ['no rows', { Rows: 0, Columns: 4, NumberOfFrames: '1000000000' }, 0],
    ['more frames than bytes', { Rows: 2, Columns: 2, NumberOfFrames: '1000000000' }, 2],
    ['no number of frames', { Rows: 2, Columns: 2, NumberOfFrames: 'many' }, 1],
    ['fewer than no frames', { Rows: 2, Columns: 2, NumberOfFrames: '-5' }, 1],
    ['no columns', { Rows: 65535, NumberOfFrames: '2' }, 0],
  ])('that claims %s has the frames of its bytes', async (_, size, count) => {
    const folder = temporaryFolder();
    const pixels = { BitsAllocated: 8, SamplesPerPixel: 1, PixelData: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) };
    writeFileSync(join(folder, 'image.dcm'), encodePart10({ ...REPORT, ...size, ...pixels }));
    const port = await serveFolder(folder);
    const path = `/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.1/frames`;
    for (let number = 1; number <= count; number++) expect((await ask(port, `${path}/${number}`)).status).toBe(200);
    expect((await ask(port, `${path}/${count + 1}`)).status).toBe(404);
  });
});

describeWithData('the hostile cases', () => {
  test('are ignored and counted, or have no frame to give', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'cases'));
    const names = ['un-length.dcm', 'frames1e9.dcm', 'hang-9000486.dcm', 'hang-9006611.dcm'];
    for (const name of names) copyFileSync(dataPath('..', 'cases', 'hostile', name), join(folder, 'cases', name));
    const cpuMs = startCpuClock();
    const index = await openStudyIndex(folder);
    expect([...index.ignoredFiles().values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(2);
    const port = await serveFolder(folder);
    for (const instance of index.instances()) {
      const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = instance;
      const path = `/dicom-web/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
      if (instance.path.endsWith('frames1e9.dcm')) expect((await ask(port, `${path}/frames/1`)).status).toBe(404);
      expect([200, 404]).toContain((await ask(port, `${path}/metadata`)).status);
    }
    expect(cpuMs()).toBeLessThan(2000);
  });
});
