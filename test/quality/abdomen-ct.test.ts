import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { regridLabelmap } from '../../src/labelmap/regrid.ts';
import { evaluateOverlap } from '../../src/evaluate/overlap.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { mean, readLabels, slicewise } from './command.ts';

/** Label of abdomen-ct ← label of TotalSegmentator's class map `total`. */
const SAME_ORGAN = new Map([
  [1, 1], // spleen
  [6, 5], // liver
  [7, 6], // stomach
  [8, 52], // aorta
]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-quality-'));
});
afterAll(() => rm(folder, { recursive: true }));

describeWithData('abdomen-ct on a DICOM series of another hospital', () => {
  test('liver, spleen, stomach and aorta reach a mean Dice of 0.8 against the labels of TotalSegmentator', async () => {
    const output = join(folder, 'labels.nii.gz');
    const series = dataPath('dicom/ct-abdomen/example_ct_dicom');
    await slicewise('segment', series, '--model', 'abdomen-ct', '--output', output);
    const prediction = await readLabels(output);
    const reference = await readLabels(dataPath('dicom/ct-abdomen/example_seg_dicom.nii.gz'));
    const { geometry } = reference;
    const ours = regridLabelmap(prediction, geometry).voxels;
    const organs = [...SAME_ORGAN].map(([organ, total]) => {
      const [a, b] = [
        ours.map((label) => Number(label === organ)),
        reference.voxels.map((label) => Number(label === total)),
      ];
      const { labels } = evaluateOverlap({ geometry, voxels: a, segments: [] }, { geometry, voxels: b, segments: [] });
      return labels[0]?.dice ?? NaN;
    });
    console.log('external CT', organs, mean(organs));
    expect(mean(organs)).toBeGreaterThanOrEqual(0.8);
  });
});
