import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataPath, describeWithData } from '../support/data.ts';
import { slicewise } from './command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-quality-'));
});
afterAll(() => rm(folder, { recursive: true }));

describeWithData('an image that a model is not meant for', () => {
  test.each([
    ['an MR of the brain', 'dicom/brain-tumour-progression/36468-FLAIRreg-58706', 'abdomen-ct'],
    ['a CT of the abdomen', 'dicom/ct-abdomen/example_ct_dicom', 'glioma-flair'],
  ])('%s that says so ends with exit code 2', async (_, series, model) => {
    const run = slicewise('segment', dataPath(series), '--model', model, '--output', join(folder, 'refused.dcm'));
    await expect(run).rejects.toMatchObject({ code: 2 });
  });

  test.each([
    [
      'an MR of the brain',
      'glioma-flair/TCGA_CS_4941_19960909_flair.nii.gz',
      'abdomen-ct',
      ['as air and fat are on CT in Hounsfield units', 'A slice is 241 mm wide'],
    ],
    [
      'a CT of the abdomen',
      'abdomen-ct/patient24_image.nii.gz',
      'glioma-flair',
      ['as air and fat are on CT', 'mm wide'],
    ],
  ])('%s that does not say so is segmented with clear warnings', async (_, image, model, words) => {
    const output = join(folder, 'doubtful.nii.gz');
    const warnings = await slicewise('segment', dataPath(image), '--model', model, '--output', output);
    for (const said of words) expect(warnings).toContain(said);
  });
});
