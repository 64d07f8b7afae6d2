import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBytes } from '../../src/io/byte-source.ts';
import { inflateDicom, parseDicom, readDicomHeader } from '../../src/dicom/read-dicom.ts';
import { decodeJpegLs } from '../../src/codecs/jpeg-ls.ts';
import { openFrames } from '../../src/series/dicom.ts';
import { DEFAULT_READ_LIMITS } from '../../src/io/read-limits.ts';
import { sliceHeaders } from '../../src/series/slice-header.ts';
import { errorWith } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { DEFLATED, encodePart10, EXPLICIT, joined } from '../support/part10.ts';

const MEBIBYTE = 2 ** 20;
const image = { Modality: 'MR', Rows: 4, Columns: 4, BitsAllocated: 16, PixelData: new Uint8Array(32).fill(7) };
const explicit = encodePart10(image, { transferSyntaxUID: EXPLICIT });
const body = explicit.subarray(132 + 8 + 20);
const deflatedFile = (content: Uint8Array): Uint8Array => {
  const meta = encodePart10({}, { transferSyntaxUID: DEFLATED }).subarray(0, 132 + 8 + 22);
  return joined([meta, new Uint8Array(deflateRawSync(content))]);
};

describe('a deflated file', () => {
  it('is unpacked no further than its pixels', async () => {
    const bytes = deflatedFile(joined([body, new Uint8Array(200 * MEBIBYTE)]));
    const header = await readDicomHeader(memoryFile('a.dcm', bytes), {
      ...DEFAULT_READ_LIMITS,
      inflatedBytes: MEBIBYTE,
    });
    expect(header.string('Modality')).toBe('MR');
    const file = await inflateDicom(bytes, 'a.dcm', { ...DEFAULT_READ_LIMITS, inflatedBytes: MEBIBYTE });
    const { pixelData } = parseDicom(file, 'a.dcm');
    expect(file.length).toBe((pixelData?.dataOffset ?? 0) + 32);
    expect(file.subarray(-32)).toEqual(new Uint8Array(32).fill(7));
  });

  it('that claims more pixels than its image has is unpacked no further than the image', async () => {
    const long = encodePart10({ ...image, PixelData: new Uint8Array(50 * MEBIBYTE) }).subarray(132 + 8 + 20);
    const file = await inflateDicom(deflatedFile(long), 'a.dcm');
    expect(file.length).toBeLessThan(MEBIBYTE);
  });

  it('that is cut off is damaged', async () => {
    const bytes = deflatedFile(body);
    await expect(inflateDicom(bytes.subarray(0, bytes.length - 8), 'a.dcm')).rejects.toThrow(
      errorWith({ code: 'damaged-file' }),
    );
  });
});

describe('a gzipped source', () => {
  const content = Uint8Array.from({ length: MEBIBYTE }, (_, n) => n % 251);
  const packed = new Uint8Array(gzipSync(content));

  it('gives the rest of its content at once, and only as much as is asked for', async () => {
    const asked: number[] = [];
    const gunzip = (_: Uint8Array, most: number): Uint8Array => {
      asked.push(most);
      return content;
    };
    const source = openBytes(packed, { name: 'a.nii.gz', gunzip }, DEFAULT_READ_LIMITS);
    expect(await source.take(348)).toEqual(content.subarray(0, 348));
    await source.skip(4);
    expect(asked).toEqual([]);
    expect(await source.take(MEBIBYTE - 352)).toEqual(content.subarray(352));
    expect(asked).toEqual([MEBIBYTE]);
  });

  it('is streamed where there is more than is asked for', async () => {
    const gunzip = (): never => {
      throw new Error('Everything would be unpacked.');
    };
    const source = openBytes(packed, { name: 'a.nii.gz', gunzip }, DEFAULT_READ_LIMITS);
    await source.skip(352);
    expect(await source.take(MEBIBYTE / 2)).toEqual(content.subarray(352, 352 + MEBIBYTE / 2));
  });
});

describe('memory', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slicewise-unpack-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The code that reading of a file ended with, and the peak of its process in MiB. */
  async function readInProcess(name: string, bytes: Uint8Array): Promise<{ outcome: string; peak: number }> {
    const path = join(folder, name);
    await writeFile(path, bytes);
    const module = (file: string): string => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
    const script = `
      const { openFiles } = await import(${module('node/files.ts')});
      const { readVolume } = await import(${module('series/read-volume.ts')});
      const outcome = await readVolume(openFiles([${JSON.stringify(path)}])).then(() => 'read', (error) => error.code);
      // The largest resident set of this program: that of the process counts what its parent had when it was forked.
      const { readFileSync } = await import('node:fs');
      const [, kB] = /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'));
      console.log(JSON.stringify({ outcome, peak: Number(kB) / 1024 }));`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return JSON.parse(stdout) as { outcome: string; peak: number };
  }

  it.each([
    ['zeroes', () => new Uint8Array(300 * MEBIBYTE)],
    ['a header and zeroes without pixels', () => joined([body.subarray(0, 10), new Uint8Array(300 * MEBIBYTE)])],
  ])('300 MiB deflated from %s are an error within 256 MiB', { timeout: 120_000 }, async (_, content) => {
    const { outcome, peak } = await readInProcess('bomb.dcm', deflatedFile(content()));
    expect(['limit-exceeded', 'damaged-file', 'no-images', 'missing-attribute']).toContain(outcome);
    expect(peak).toBeLessThan(256);
  });

  it('a small NIfTI image in front of 300 MiB of zeroes is read within 256 MiB', { timeout: 120_000 }, async () => {
    const header = new DataView(new ArrayBuffer(352 + 8));
    header.setInt32(0, 348, true);
    [3, 2, 2, 2].forEach((n, at) => {
      header.setInt16(40 + 2 * at, n, true);
    });
    header.setInt16(70, 2, true); // uint8
    header.setInt16(72, 8, true);
    [1, 1, 1, 1].forEach((n, at) => {
      header.setFloat32(76 + 4 * at, n, true);
    });
    header.setFloat32(108, 352, true);
    header.setUint8(123, 2);
    [0x6e, 0x2b, 0x31].forEach((byte, at) => {
      header.setUint8(344 + at, byte);
    });
    const image = new Uint8Array(header.buffer);
    const bytes = new Uint8Array(gzipSync(joined([image, new Uint8Array(300 * MEBIBYTE)]), { level: 1 }));
    const { outcome, peak } = await readInProcess('bomb.nii.gz', bytes);
    expect(outcome).toBe('read');
    expect(peak).toBeLessThan(256);
  });
});

it('a JPEG-LS frame cut off anywhere is damaged, at once', { timeout: 60_000 }, async () => {
  const path = new URL('../fixtures/dicom/jpeg-ls-lossless.dcm', import.meta.url);
  const bytes = new Uint8Array(await readFile(path));
  const dataset = parseDicom(bytes, 'a.dcm');
  const [header] = sliceHeaders(dataset, 'a.dcm');
  if (header === undefined) throw new Error('The fixture has a slice.');
  const frame = openFrames(bytes, dataset.transferSyntaxUID, header, 'a.dcm')(0);
  const end = frame.lastIndexOf(0xd9);
  const start = process.cpuUsage();
  for (let length = 60; length < end; length += 41) {
    const cut = decodeJpegLs({ bytes: frame.subarray(0, length), format: header.format, fileName: 'a.dcm' });
    await expect(cut).rejects.toThrow(errorWith({ code: 'damaged-file' }));
    const closed = joined([frame.subarray(0, length), Uint8Array.of(0xff, 0xd9)]);
    const decoding = decodeJpegLs({ bytes: closed, format: header.format, fileName: 'a.dcm' });
    await expect(decoding).rejects.toThrow(errorWith({ code: 'damaged-file' }));
  }
  const { user } = process.cpuUsage(start);
  expect(user / 1e6).toBeLessThan(20);
});
