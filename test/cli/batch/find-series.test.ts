import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateSample } from '../../../sample-data/generate.ts';
import { findBatchSeries, type BatchSeries } from '../../../src/cli/batch/find-series.ts';
import { openFiles } from '../../../src/node/files.ts';
import { dataPath, describeWithData } from '../../support/data.ts';

const folder = mkdtempSync(join(tmpdir(), 'slicewise-find-'));
const at = (...path: string[]): string => join(folder, ...path);
const phases = (): string => at('sample/dicom');

beforeAll(async () => {
  await generateSample(at('sample'), { size: 32, slices: 6, phases: 2, supersampling: [1, 1, 1] });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function find(path: string, phase?: number): Promise<{ series: readonly BatchSeries[]; ignoredFiles: number }> {
  return findBatchSeries(openFiles([path]), phase === undefined ? {} : { phase }, new AbortController().signal);
}

describe('findSeries', () => {
  test('of several volumes in one series each is found, or the one that was asked for', async () => {
    const { series } = await find(phases());
    expect(series.map(({ path, phase, files, modality }) => [path, phase, files.length, modality])).toEqual([
      ['.', 1, 12, 'MR'],
      ['.', 2, 12, 'MR'],
    ]);
    expect((await find(phases(), 2)).series.map(({ phase }) => phase)).toEqual([2]);
  });

  test('one volume is found without a number, whatever was asked for', async () => {
    const { series } = await find(join(phases(), 'phase_01'), 2);
    expect(series).toMatchObject([{ path: '.', format: 'DICOM', hasIdentity: true, leftOutFiles: [] }]);
    expect(series[0]).not.toHaveProperty('phase');
  });

  test('a series is one wherever its files lie, and images without UIDs are by folder', async () => {
    const spread = at('spread');
    const names = readdirSync(join(phases(), 'phase_01'));
    for (const [n, name] of names.entries()) {
      mkdirSync(join(spread, `part ${String(n % 2)}`), { recursive: true });
      cpSync(join(phases(), 'phase_01', name), join(spread, `part ${String(n % 2)}`, name));
    }
    expect((await find(spread)).series).toMatchObject([{ path: '.', files: { length: 6 } }]);
    for (const name of readdirSync(spread, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()))
      withoutSeries(join(name.parentPath, name.name));
    const { series } = await find(spread);
    expect(series.map(({ path, hasIdentity, files }) => [path, hasIdentity, files.length])).toEqual([
      ['part 0', false, 3],
      ['part 1', false, 3],
    ]);
  });

  test('a series that was exported twice is found in both folders', async () => {
    cpSync(join(phases(), 'phase_01'), at('copies/a'), { recursive: true });
    cpSync(join(phases(), 'phase_01'), at('copies/b'), { recursive: true });
    const { series } = await find(at('copies'));
    expect(series.map(({ path, files, phase }) => [path, files.length, phase])).toEqual([
      ['a', 6, undefined],
      ['b', 6, undefined],
    ]);
  });

  test('a file that cannot be read is told, and so are the series that may miss it', async () => {
    const scan = at('cut');
    cpSync(join(phases(), 'phase_01'), join(scan, 'one'), { recursive: true });
    cpSync(at('sample/nifti/phase_01/image.nii.gz'), join(scan, 'image.nii.gz'));
    const name = readdirSync(join(scan, 'one')).at(-1) ?? '';
    truncateSync(join(scan, 'one', name), 400);
    const { series } = await find(scan);
    expect(series).toMatchObject([
      { path: 'image.nii.gz', leftOutFiles: [] },
      { path: 'one', files: { length: 5 }, leftOutFiles: [{ name: `one/${name}`, code: 'damaged-file' }] },
      { path: `one/${name}`, failed: { remedy: expect.any(String) as string } },
    ]);
  });

  test('NIfTI images are found one by one, labelmaps are skipped, broken ones fail', async () => {
    const nifti = at('images');
    mkdirSync(nifti);
    const image = gunzipSync(readFileSync(at('sample/nifti/phase_01/image.nii.gz')));
    writeFileSync(join(nifti, 'a.nii'), image);
    writeFileSync(join(nifti, 'b.nii'), inFourDimensions(image));
    writeFileSync(join(nifti, 'c.nii'), 'not what its name says');
    writeFileSync(join(nifti, 'd.img'), image);
    writeFileSync(join(nifti, 'd.hdr'), 'Analyze, say');
    cpSync(at('sample/nifti/phase_01/labels.nii.gz'), join(nifti, 'e.nii.gz'));
    const { series, ignoredFiles } = await find(nifti);
    expect(series.map(({ path, phase, failed, skipped }) => [path, phase, failed?.code, skipped?.code])).toEqual([
      ['a.nii', undefined, undefined, undefined],
      ['b.nii', 1, undefined, undefined],
      ['b.nii', 2, undefined, undefined],
      ['b.nii', 3, undefined, undefined],
      ['c.nii', undefined, 'damaged-file', undefined],
      ['d.img', undefined, 'no-pixel-data', undefined],
      ['e.nii.gz', undefined, undefined, 'labelmap'],
    ]);
    expect(ignoredFiles).toBe(1);
  });

  test('an abort ends the search', async () => {
    await expect(findBatchSeries(openFiles([phases()]), {}, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
});

describeWithData('what hospitals have', () => {
  test.each(['dicom', 'nifti'])('every file below %s is found, or told why not', async (name) => {
    const files = openFiles([dataPath(name)]);
    const { series, ignoredFiles } = await findBatchSeries(files, {}, new AbortController().signal);
    const found = new Set(series.flatMap((one) => one.files.map(({ realPath }) => realPath)));
    expect(found.size + ignoredFiles).toBe(files.length);
    expect(series.length).toBeGreaterThan(5);
  });
});

/** Without a Series Instance UID, as its tag has another number. */
function withoutSeries(path: string): void {
  const bytes = readFileSync(path);
  const tag = bytes.indexOf(Buffer.from([0x20, 0x00, 0x0e, 0x00, 0x55, 0x49]));
  if (tag < 0) throw new RangeError(`${path} has no series`);
  bytes.fill(0, tag + 8, tag + 8 + bytes.readUInt16LE(tag + 6));
  writeFileSync(path, bytes);
}

/** The same image as the first of three volumes, of which the others are missing. */
function inFourDimensions(image: Buffer): Buffer {
  const file = Buffer.from(image);
  file.writeInt16LE(4, 40);
  file.writeInt16LE(3, 48);
  return file;
}
