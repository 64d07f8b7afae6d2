import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { elementHeader, encodePart10, latin1 } from '../support/part10.ts';
import { temporaryFolder } from './served.ts';

const LARGE = 300 * 2 ** 20;
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
/** What the server may have in memory, the runtime and its own code included. */
const MAX_MEMORY_MB = 300;

const identity = (series: number, n: number) => ({
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
  SOPInstanceUID: `1.2.3.${series}.${n}`,
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: `1.2.3.${series}`,
});
const address = (series: number, n: number): string =>
  `/dicom-web/studies/1.2.3/series/1.2.3.${series}/instances/1.2.3.${series}.${n}`;

/** Writes pieces of a file; a number is as many zeroes, which take no room on most disks. */
function writeSparse(path: string, pieces: readonly (Uint8Array | number)[]): void {
  const file = openSync(path, 'w');
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece !== 'number') writeSync(file, piece, 0, piece.length, at);
    at += typeof piece === 'number' ? piece : piece.length;
  }
  ftruncateSync(file, at);
  closeSync(file);
}

const item = (byteLength: number, tag = 0xe000fffe): Uint8Array => {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, tag, true);
  head.setUint32(4, byteLength, true);
  return new Uint8Array(head.buffer);
};

function writeFolder(): string {
  const folder = temporaryFolder();
  const pixels = { Rows: 15_000, Columns: 20_480, BitsAllocated: 8, SamplesPerPixel: 1 };
  for (const n of [0, 1]) {
    // A document, a frame as it is, a frame in one fragment.
    writeSparse(join(folder, `document-${n}.dcm`), [
      encodePart10(identity(1, n)),
      elementHeader('x00420011', 'OB', LARGE),
      LARGE,
      elementHeader('x00880130', 'SH', 4),
      latin1('LAST'),
    ]);
    const frameBytes = pixels.Rows * pixels.Columns;
    writeSparse(join(folder, `native-${n}.dcm`), [
      encodePart10({ ...identity(2, n), ...pixels }),
      elementHeader('x7fe00010', 'OB', frameBytes),
      frameBytes,
    ]);
    writeSparse(join(folder, `fragment-${n}.dcm`), [
      encodePart10({ ...identity(3, n), ...pixels }, { transferSyntaxUID: JPEG_BASELINE }),
      elementHeader('x7fe00010', 'OB', 0xffffffff),
      item(0),
      item(LARGE),
      LARGE,
      item(0, 0xe0ddfffe),
    ]);
  }
  // Attributes that are long together, and none of them alone.
  for (let n = 0; n < 120; n++) {
    const values = Array.from({ length: 4 }, (_, at) => [elementHeader(`x0043101${at}`, 'OB', 2 ** 20), 2 ** 20]);
    writeSparse(join(folder, `values-${n}.dcm`), [encodePart10(identity(4, n)), ...values.flat()]);
  }
  return folder;
}

/** @returns how many bytes an answer has */
function countBytes(port: number, path: string, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, method, headers: { accept: '*/*' }, agent: false }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(new Error(`${path}: ${String(response.statusCode)}`));
      });
    }).on('error', reject);
  });
}

test('values, frames and fragments of 300 MiB, and many long attributes, are read side by side within 300 MB', async () => {
  const script = join(import.meta.dirname, 'folder-server.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, writeFolder()], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const peakMb = async (): Promise<number> => {
    child.stdin.write('\n');
    return Number((await lines.next()).value) / 1024;
  };
  expect(await peakMb()).toBeLessThan(MAX_MEMORY_MB);
  const large = [0, 1].flatMap((n) => [
    `${address(1, n)}/bulkdata/00420011`,
    `${address(2, n)}/frames/1`,
    `${address(3, n)}/frames/1`,
    address(1, n),
  ]);
  const sizes = await Promise.all(large.map((path) => countBytes(port, path)));
  for (const size of sizes) expect(size).toBeGreaterThan(292 * 2 ** 20);
  const rows = '/dicom-web/studies/1.2.3/series/1.2.3.4/instances?includefield=00431010&includefield=00431011';
  const metadata = '/dicom-web/studies/1.2.3/series/1.2.3.4/metadata';
  const json = await Promise.all(
    [rows, rows, metadata, metadata, rows, metadata].map((path) => countBytes(port, path)),
  );
  for (const size of json) expect(size).toBeGreaterThan(120 * 1.3 * 2 ** 20);
  expect(await peakMb()).toBeLessThan(MAX_MEMORY_MB);
}, 120_000);
