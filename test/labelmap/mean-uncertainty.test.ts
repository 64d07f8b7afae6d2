import { expect, test } from 'vitest';
import { meanUncertainty } from '../../src/labelmap/segmentation-result.ts';
import { testLabelmap } from '../support/labelled-series.ts';

test('each label has the mean of its own voxels, background and empty segments have none', () => {
  const labelmap = testLabelmap([0, 2, 2, 1, 0, 2, 1]);
  const values = [255, 0, 51, 255, 255, 102, 255];
  const voxels = Uint8Array.from(labelmap.voxels, (_, at) => values[at % values.length] ?? 0);
  const means = meanUncertainty({ labelmap, uncertainty: { voxels, perSlice: new Float32Array() } });
  expect([...means.keys()].sort()).toEqual([1, 2]);
  expect(means.get(1)).toBe(1);
  expect(means.get(2)).toBeCloseTo(0.2, 12);
});
