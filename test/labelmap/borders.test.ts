import { expect, test } from 'vitest';
import { bordersTouched } from '../../src/labelmap/measure.ts';
import { createGeometry } from '../../src/volume/geometry.ts';

const geometry = createGeometry({
  dimensions: [4, 5, 6],
  spacing: [1, 1, 1],
  origin: [0, 0, 0],
  direction: [
    [-1, 0, 0],
    [0, 1, 0],
    [0, 0, -1],
  ],
});
const at = (i: number, j: number, k: number): number => i + 4 * (j + 5 * k);
function labelled(...voxels: readonly (readonly [i: number, j: number, k: number, label: number])[]) {
  const labels = new Uint8Array(120);
  for (const [i, j, k, label] of voxels) labels[at(i, j, k)] = label;
  return { geometry, voxels: labels, segments: [] };
}

test("sides are the patient's, by the direction of the axes", () => {
  const found = bordersTouched(labelled([0, 2, 2, 1], [3, 0, 2, 2], [1, 4, 5, 3], [2, 2, 3, 4]));
  expect(found.map(({ segmentNumber, axis, end, side }) => [segmentNumber, axis, end, side])).toEqual([
    [1, 0, 'first', 'left'],
    [2, 0, 'last', 'right'],
    [2, 1, 'first', 'anterior'],
    [3, 1, 'last', 'posterior'],
    [3, 2, 'last', 'inferior'],
  ]);
});

test('the slices that were run end where the next one was not', () => {
  const found = bordersTouched(labelled([2, 2, 2, 1], [2, 2, 3, 1]), { axis: 2, slices: [3, 2] });
  expect(found.map(({ end, side }) => [end, side])).toEqual([
    ['first', 'superior'],
    ['last', 'inferior'],
  ]);
});
