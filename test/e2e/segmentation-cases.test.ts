import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataPath, describeWithData } from '../support/data.ts';
import { buildCli, runCli } from './run-cli.ts';
import { parseBySchema, tinyModel } from './workspace.ts';

const casePath = (name: string): string => dataPath('..', 'cases', name);

describeWithData('segmentations of public bug reports', () => {
  let folder: string;
  beforeAll(async () => {
    await buildCli();
    folder = await mkdtemp(join(tmpdir(), 'slicewise-seg-cases-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  // Mirrored, coronal and differently numbered frames of the voxels of one series (OHIF#2003, #1345, #2869, #2500), and
  // one in JPEG 2000 as highdicom writes it (pydicom#2134).
  test.each([
    'i01_BINARY_JPEG_2000_Im.dcm',
    'i02_flip_rows.dcm',
    'i02_flip_cols.dcm',
    'i03_coronal.dcm',
    'i05_dcmqi_ras.dcm',
    'i11.dcm',
  ])('%s is placed on its series, as evaluate reads it', async (name) => {
    const labels = join(folder, `${name}.nii.gz`);
    const convert = await runCli(['convert', casePath(name), labels, '--reference', casePath('i_src')]);
    expect(convert).toMatchObject({ code: 0 });
    const sizeOf = async (path: string): Promise<string | undefined> =>
      /[^ ]+ × [^ ]+ × [^ ]+ voxels/.exec((await runCli(['info', path])).stdout)?.[0];
    expect(await sizeOf(labels)).toBe(await sizeOf(casePath('i_src')));
    const evaluate = await runCli(['evaluate', casePath(name), labels, '--json']);
    expect(parseBySchema('evaluation.schema.json', evaluate.stdout)).toMatchObject({ meanDice: 1 });
  });

  test('a segmentation of another patient on the same grid is warned of, and its segments are kept', async () => {
    const seg = join(folder, 'a.dcm');
    const made = ['segment', casePath('n04_a'), '--model', tinyModel, '--force', '--output', seg];
    expect(await runCli(made)).toMatchObject({ code: 0 });
    const labels = join(folder, 'a.nii.gz');
    const other = await runCli(['convert', seg, labels, '--reference', casePath('n04_b')]);
    expect(other.code).toBe(0);
    expect(other.stderr).toMatch(/None of the \d+ images/);
    const own = await runCli(['convert', seg, join(folder, 'own.nii.gz'), '--reference', casePath('n04_a')]);
    expect(own).toMatchObject({ code: 0, stderr: '' });
    const same = await runCli(['evaluate', labels, join(folder, 'own.nii.gz'), '--json']);
    expect(parseBySchema('evaluation.schema.json', same.stdout)).toMatchObject({ meanDice: 1 });
  });

  test('of a tilted series the remedy of evaluate works', async () => {
    const seg = join(folder, 'tilted.dcm');
    const tilted = casePath('j05_tilt');
    const made = await runCli(['segment', tilted, '--resample', '--model', tinyModel, '--force', '--output', seg]);
    expect(made).toMatchObject({ code: 0 });
    const refused = await runCli(['evaluate', seg, seg]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('Convert it to a NIfTI labelmap');
    const labels = join(folder, 'tilted.nii.gz');
    expect(await runCli(['convert', seg, labels, '--reference', tilted, '--resample'])).toMatchObject({ code: 0 });
    const evaluated = await runCli(['evaluate', labels, labels, '--json']);
    expect(parseBySchema('evaluation.schema.json', evaluated.stdout)).toMatchObject({ meanDice: 1 });
  });
});
