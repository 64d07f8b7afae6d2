import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Evaluation } from '../../src/evaluate/evaluation.ts';
import { encodeNiftiLabelmap } from '../../src/nifti/encode-nifti.ts';
import { regridLabelmap } from '../../src/labelmap/regrid.ts';
import { openFiles } from '../../src/node/files.ts';
import { readNiftiLabelmap } from '../../src/nifti/read-nifti.ts';
import type { SourceFile } from '../../src/io/reader.ts';
import { buildCli, checkout, runCli } from './run-cli.ts';
import { createWorkspace, parseBySchema, tinyModel, writeModelVariant, type Workspace } from './workspace.ts';

let work: Workspace;
beforeAll(async () => {
  await buildCli();
  work = await createWorkspace();
});
afterEach(() => work.clear());
afterAll(() => work.remove());

describe('slicewise info', () => {
  test('a series is told with its geometry', async () => {
    const { code, stdout } = await runCli(['info', work.dicom]);
    expect(code).toBe(0);
    expect(stdout).toContain('64 × 64 × 10 voxels of 5.6 × 5.6 × 9.6 mm');
    expect(stdout).not.toContain('Synthetic^');
  });

  test('--json prints one document that the published schema describes', async () => {
    const { code, stdout } = await runCli(['info', work.dicom, work.nifti, `${checkout}/package.json`, '--json']);
    expect(code).toBe(0);
    const document = parseBySchema('info.schema.json', stdout);
    expect(document['ignoredFiles']).toBe(1);
    expect(document['series']).toMatchObject([
      { modality: 'MR', fileCount: 10, geometry: { dimensions: [64, 64, 10] } },
      { format: 'NIfTI', fileCount: 1 },
    ]);
  });

  test('a series that is no volume is told with its problem and what to do about it', async () => {
    const { code, stdout } = await runCli(['info', work.dicom, work.otherPhase, '--json']);
    expect(code).toBe(0);
    const { series } = parseBySchema('info.schema.json', stdout);
    expect(series).toMatchObject([{ problem: { code: 'several-volumes' } }]);
  });

  test('a NIfTI file and a segmentation are told too, each by what it is', async () => {
    const toSeg = ['convert', work.truth, work.out('seg.dcm'), '--reference', work.dicom];
    expect(await runCli(toSeg)).toMatchObject({ code: 0 });
    const { code, stdout } = await runCli(['info', work.nifti, work.out('seg.dcm')]);
    expect(code).toBe(0);
    expect(stdout).toContain('NIfTI · image.nii.gz · 1 file');
    expect(stdout).toMatch(/DICOM · .*SEG · .*1 file\n {2}series \S+\n {2}problem: .*no images/);
    expect(stdout).toContain('2 series\n');
  });

  test('no image at all is an input error with nothing on stdout', async () => {
    expect(await runCli(['info', `${checkout}/package.json`, '--json'])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('slicewise models', () => {
  test('the list names id, licence, size and intended use', async () => {
    const { code, stdout } = await runCli(['models']);
    expect(code).toBe(0);
    expect(stdout).toContain('licence');
    const document = parseBySchema('model-list.schema.json', (await runCli(['models', 'list', '--json'])).stdout);
    for (const { id, licence, intendedUse } of document['models'] as Record<string, string>[]) {
      for (const text of [id, licence, intendedUse]) expect(stdout).toContain(text);
    }
  });

  test('show prints the manifest, for people or as it is', async () => {
    const { stdout } = await runCli(['models', 'show', tinyModel]);
    expect(stdout).toMatch(/licence +MIT/);
    const { stdout: json } = await runCli(['models', 'show', tinyModel, '--json']);
    parseBySchema('model-manifest.schema.json', json);
    expect(JSON.parse(json)).toEqual(JSON.parse(await readFile(`${tinyModel}/manifest.json`, 'utf8')));
  });

  test.each(['node', 'wasm'])('verify runs the golden input on %s', async (backend) => {
    const { code, stdout } = await runCli(['models', 'verify', tinyModel, '--backend', backend, '--json']);
    expect(code).toBe(0);
    expect(parseBySchema('model-verification.schema.json', stdout)).toMatchObject({ ok: true, backend });
  });

  test('a model that computes something else fails its verification', async () => {
    const strict = await writeModelVariant(work.out('strict'), (manifest) => ({
      ...manifest,
      golden: { ...(manifest['golden'] as object), tolerance: 1e-12 },
    }));
    const { code, stdout, stderr } = await runCli(['models', 'verify', strict, '--backend', 'wasm', '--json']);
    expect(code).toBe(1);
    expect(parseBySchema('model-verification.schema.json', stdout)['ok']).toBe(false);
    expect(stderr).toContain('largest difference');
  });

  test.each([
    [['models', 'lst'], 'Use: slicewise models list'],
    [['models', 'show'], 'needs the name or folder'],
    [['models', 'list', 'x'], 'takes no model'],
    [['models', 'show', 'nothing-like-it'], 'nothing-like-it'],
  ])('%j is an input error', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('a reader that has seen enough is no failure', () => {
    const command = `set -o pipefail; '${process.execPath}' dist/cli/main.js models show '${tinyModel}' | head -1`;
    const { status, stderr } = spawnSync('bash', ['-c', command], { cwd: checkout, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('slicewise convert', () => {
  test('a DICOM series and its NIfTI are one image', async () => {
    expect(await runCli(['convert', work.dicom, work.out('image.nii')])).toMatchObject({ code: 0 });
    expect(await runCli(['convert', work.nifti, work.out('again.nii')])).toMatchObject({ code: 0 });
    const [fromDicom, fromNifti] = await Promise.all([
      readFile(work.out('image.nii')),
      readFile(work.out('again.nii')),
    ]);
    expect(fromDicom.subarray(352).equals(fromNifti.subarray(352))).toBe(true);
  });

  test('a labelmap goes to DICOM-SEG and back without a change, named by a model', async () => {
    const steps = [
      ['convert', work.truth, work.out('seg.dcm'), '--reference', work.dicom, '--model', tinyModel],
      ['convert', work.out('seg.dcm'), work.out('back.nii.gz'), '--reference', work.dicom],
      ['convert', work.out('seg.dcm'), work.out('part.nii.gz')],
    ];
    for (const args of steps) expect(await runCli(args)).toMatchObject({ code: 0 });
    for (const name of ['seg.dcm', 'back.nii.gz']) {
      const { stdout } = await runCli(['evaluate', work.out(name), work.truth, '--json']);
      expect(parseBySchema('evaluation.schema.json', stdout)).toMatchObject({ meanDice: 1 });
    }
    const { stdout } = await runCli(['evaluate', work.out('seg.dcm'), work.truth]);
    expect(stdout).toMatch(/1 {2}Right ventricle +1\.0000/);
  });

  test('the files of a series, one by one, are its image', async () => {
    const files = readdirSync(work.dicom).map((name) => join(work.dicom, name));
    expect(await runCli(['convert', ...files.toReversed(), work.out('files.nii')])).toMatchObject({ code: 0 });
    expect(await runCli(['convert', work.dicom, work.out('folder.nii')])).toMatchObject({ code: 0 });
    expect(await readFile(work.out('files.nii'))).toEqual(await readFile(work.out('folder.nii')));
  });

  test('an empty labelmap becomes an empty DICOM-SEG of a model’s segments, and of none without a model', async () => {
    await writeFile(work.out('empty.nii'), withoutLabels(await readFile(work.truth)));
    const args = ['convert', work.out('empty.nii'), work.out('seg.dcm'), '--reference', work.dicom];
    const refused = await runCli(args);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('--model');
    expect(await runCli([...args, '--model', tinyModel])).toMatchObject({ code: 0 });
    const { stdout } = await runCli(['evaluate', work.out('seg.dcm'), work.out('empty.nii')]);
    expect(stdout).toMatch(/Left ventricle +– .*0\.00 ml/);
  });

  test('an image of the reference is not replaced', async () => {
    await cp(work.dicom, work.out('scan'), { recursive: true });
    const [name = ''] = readdirSync(work.out('scan'));
    const args = ['convert', work.truth, join(work.out('scan'), name), '--reference', work.out('scan')];
    expect(await runCli(args)).toMatchObject({ code: 2, stdout: '' });
    expect(await readFile(join(work.out('scan'), name))).toEqual(await readFile(join(work.dicom, name)));
  });

  test('without a model the segments have plain names', async () => {
    const { code, stdout } = await runCli(['convert', work.truth, work.out('seg.dcm'), '--reference', work.dicom]);
    expect(code).toBe(0);
    expect(stdout).toContain('Segment 3');
  });

  test.each<[string, () => string[], number, RegExp]>([
    ['a labelmap without a reference', () => [work.truth, work.out('a.dcm')], 2, /--reference/],
    [
      'an image as labels',
      () => [work.nifti, work.out('a.dcm'), '--reference', work.dicom],
      2,
      /not a labelmap|labels up to|segment/i,
    ],
    ['DICOM to DICOM', () => [`${work.dicom}/x`, work.out('a.dcm')], 2, /x/],
    ['an image with a reference', () => [work.nifti, work.out('a.nii'), '--reference', work.dicom], 2, /image/],
    ['an unknown format', () => [work.nifti, work.out('a.mha')], 2, /\.nii/],
    ['a missing folder', () => [work.nifti, work.out('no/a.nii')], 3, /does not exist/],
    ['one argument', () => [work.nifti], 2, /<output> is missing/],
    [
      'several labelmaps',
      () => [work.truth, work.nifti, work.out('a.dcm'), '--reference', work.dicom],
      2,
      /one labelmap is needed/,
    ],
  ])('%s is refused and nothing is written', async (_, args, code, message) => {
    const run = await runCli(['convert', ...args()]);
    expect(run).toMatchObject({ code, stdout: '' });
    expect(run.stderr).toMatch(message);
    expect(work.written()).toEqual([]);
  });
});

describe('slicewise evaluate', () => {
  test('a table with Dice, distances of surfaces and volumes, and with what tolerance', async () => {
    const { code, stdout } = await runCli(['evaluate', work.truth, work.truth]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^segment +Dice +surface Dice +HD95 +ASSD +prediction +reference\n/);
    expect(stdout).toMatch(/label 3 +1\.0000 +1\.0000 +0\.00 mm +0\.00 mm +\d+\.\d ml +\d+\.\d ml\n/);
    expect(stdout).toMatch(/mean +1\.0000 +1\.0000 +0\.00 mm +0\.00 mm\n/);
    expect(stdout).toContain('tolerance of 2 mm');
  });

  test('of two phases: millimetres that the tolerance forgives, as a table, JSON and CSV', async () => {
    const other = work.truth.replace('phase_01', 'phase_02');
    const run = async (tolerance: string) => {
      const args = ['evaluate', other, work.truth, '--tolerance', tolerance, '--csv', work.out('f.csv'), '--json'];
      const { code, stdout } = await runCli(args);
      expect(code).toBe(0);
      return parseBySchema('evaluation.schema.json', stdout) as unknown as Evaluation;
    };
    const [strict, lenient] = [await run('0.5'), await run('50')];
    for (const [at, { surfaceDice, hd95Mm, averageSymmetricSurfaceDistanceMm }] of strict.labels.entries()) {
      expect(hd95Mm).toBeGreaterThan(averageSymmetricSurfaceDistanceMm ?? Infinity);
      expect(surfaceDice).toBeLessThan(1);
      expect(lenient.labels[at]).toMatchObject({ surfaceDice: 1, hd95Mm });
    }
    const [columns = '', ...rows] = (await readFile(work.out('f.csv'), 'utf8')).trim().split('\r\n');
    expect(rows).toHaveLength(3);
    expect(rows[0]?.split(',')[columns.split(',').indexOf('hd95_mm')]).toBe(String(strict.labels[0]?.hd95Mm));
  });

  test('a segment that one of them lacks has no distances, and the reason is said', async () => {
    await writeFile(work.out('empty.nii'), withoutLabels(await readFile(work.truth)));
    const { stdout } = await runCli(['evaluate', work.out('empty.nii'), work.truth, '--json']);
    const { labels, means } = parseBySchema('evaluation.schema.json', stdout) as unknown as Evaluation;
    for (const label of labels)
      expect(label).toMatchObject({ dice: 0, surfaceDice: 0, hd95Mm: null, empty: 'prediction' });
    expect(means).toEqual({ surfaceDice: 0, hd95Mm: null, averageSymmetricSurfaceDistanceMm: null, labels: 0 });
    const table = await runCli(['evaluate', work.out('empty.nii'), work.truth]);
    expect(table.stdout).toMatch(/label 1 +0\.0000 +0\.0000 +– +–/);
    expect(table.stdout).toContain('3 of 3 segments are empty in one of the labelmaps or both');
  });

  test('a NIfTI file with its axes in another order has the grid of a DICOM-SEG', async () => {
    const toSeg = ['convert', work.truth, work.out('seg.dcm'), '--reference', work.dicom];
    expect(await runCli(toSeg)).toMatchObject({ code: 0 });
    const labelmap = { ...(await readNiftiLabelmap(onlyFile(work.truth))), segments: [] };
    const { dimensions, spacing, direction, ...rest } = labelmap.geometry;
    const turned = {
      ...rest,
      dimensions: [dimensions[2], dimensions[0], dimensions[1]],
      spacing: [spacing[2], spacing[0], spacing[1]],
      direction: [direction[2], direction[0], direction[1]],
    } as const;
    await writeFile(
      work.out('turned.nii'),
      await encodeNiftiLabelmap(regridLabelmap(labelmap, turned), { gzip: false }),
    );
    const { code, stdout } = await runCli(['evaluate', work.out('turned.nii'), work.out('seg.dcm'), '--json']);
    expect(code).toBe(0);
    const { labels, means } = parseBySchema('evaluation.schema.json', stdout) as unknown as Evaluation;
    expect(labels).toHaveLength(3);
    expect(means).toEqual({ surfaceDice: 1, hd95Mm: 0, averageSymmetricSurfaceDistanceMm: 0, labels: 3 });
  });

  test('another grid, an image series, a tolerance that is none, a CSV by another name are input errors', async () => {
    const otherGrid = work.out('other.nii');
    await writeFile(otherGrid, withoutLastSlice(await readFile(work.truth)));
    for (const args of [
      [work.truth, otherGrid],
      [work.truth, work.dicom],
      [work.truth, work.truth, '--tolerance', '0'],
      [work.truth, work.truth, '--tolerance', 'Infinity'],
      [work.truth, work.truth, '--csv', work.out('figures.txt')],
    ]) {
      expect(await runCli(['evaluate', ...args])).toMatchObject({ code: 2, stdout: '' });
    }
    expect(work.written()).toEqual(['other.nii']);
  });
});

function onlyFile(path: string): SourceFile {
  const [file] = openFiles([path]);
  if (file === undefined) throw new RangeError(path);
  return file;
}

function withoutLabels(gzipped: Buffer): Buffer {
  const file = gunzipSync(gzipped);
  file.fill(0, 352);
  return file;
}

/** A labelmap on one slice less. */
function withoutLastSlice(gzipped: Buffer): Buffer {
  const file = gunzipSync(gzipped);
  file.writeInt16LE(file.readInt16LE(46) - 1, 46);
  return file;
}
