import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertSameVoxels, commonGrid, isSameGrid, regridLabelmap, regridVolume } from '../../src/labelmap/regrid.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import {
  type Axis,
  AXIS_ORDERS,
  cross,
  type Direction,
  indexToWorld,
  normalised,
  type VolumeGeometry,
  worldToIndex,
} from '../../src/volume/geometry.ts';
import type { Volume } from '../../src/volume/volume.ts';

const iAxis = normalised([0.8, 0.5, 0.1]);
const kAxis = normalised(cross(iAxis, [0.1, 0.9, 0.3]));
const oblique: VolumeGeometry = {
  dimensions: [5, 4, 3],
  spacing: [1.25, 1.5, 8],
  origin: [-31.7, 12.25, 88.1],
  direction: [iAxis, cross(kAxis, iAxis), kAxis],
};

function labelled(geometry: VolumeGeometry): Labelmap {
  const [i, j, k] = geometry.dimensions;
  return { geometry, voxels: Uint8Array.from({ length: i * j * k }, (_, at) => at % 7), segments: [] };
}

/** The same voxels with axes in another order and some running the other way. */
function restored(
  geometry: VolumeGeometry,
  order: readonly [Axis, Axis, Axis],
  flips: readonly boolean[],
): VolumeGeometry {
  const sign = (axis: Axis): number => (flips[axis] ? -1 : 1);
  const corner = ([0, 1, 2] as const).map((axis) => (flips[axis] ? geometry.dimensions[axis] - 1 : 0));
  return {
    dimensions: order.map((axis) => geometry.dimensions[axis]) as [number, number, number],
    spacing: order.map((axis) => geometry.spacing[axis]) as [number, number, number],
    origin: indexToWorld(geometry, corner as [number, number, number]),
    direction: order.map((axis) => geometry.direction[axis].map((v) => v * sign(axis))) as unknown as Direction,
  };
}

function valueAt(
  { geometry, voxels }: Pick<Volume, 'geometry' | 'voxels'>,
  world: readonly [number, number, number],
): number | undefined {
  const [i, j, k] = worldToIndex(geometry, world).map(Math.round) as [number, number, number];
  const [columns, rows] = geometry.dimensions;
  return voxels[(k * rows + j) * columns + i];
}

const orders = fc.constantFrom(...AXIS_ORDERS);

describe('regridVolume', () => {
  const [columns, rows, slices] = oblique.dimensions;
  const image: Volume = {
    geometry: oblique,
    voxels: Float32Array.from({ length: columns * rows * slices }, (_, at) => at + 0.5),
    modality: 'MR',
  };

  test('every value keeps its place in the patient, whatever the order and direction of the axes', () => {
    fc.assert(
      fc.property(orders, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), (order, flips) => {
        const target = restored(oblique, order, flips);
        const placed = regridVolume(image, target);
        expect(placed).toMatchObject({ geometry: target, modality: 'MR' });
        for (let k = 0; k < slices; k++) {
          for (let j = 0; j < rows; j++) {
            for (let i = 0; i < columns; i++) {
              const place = indexToWorld(oblique, [i, j, k]);
              expect(valueAt(placed, place)).toBe(valueAt(image, place));
            }
          }
        }
      }),
    );
  });

  test('a grid that covers less is refused', () => {
    const target: VolumeGeometry = { ...oblique, dimensions: [columns, rows, slices - 1] };
    expect(() => regridVolume(image, target)).toThrow('one covers more than the other');
  });
});

describe('regridLabelmap', () => {
  test('every label keeps its place in the patient, whatever the order and direction of the axes', () => {
    fc.assert(
      fc.property(orders, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), (order, flips) => {
        const labelmap = labelled(oblique);
        const target = restored(oblique, order, flips);
        const placed = regridLabelmap(labelmap, target);
        const [columns, rows, slices] = oblique.dimensions;
        for (let k = 0, at = 0; k < slices; k++) {
          for (let j = 0; j < rows; j++) {
            for (let i = 0; i < columns; i++, at++) {
              expect(valueAt(placed, indexToWorld(oblique, [i, j, k]))).toBe(labelmap.voxels[at]);
            }
          }
        }
        assertSameVoxels(oblique, target);
        expect(regridLabelmap(placed, oblique).voxels).toEqual(labelmap.voxels);
      }),
    );
  });

  test('a part of a grid is put in its place, the rest is background', () => {
    const part = { ...oblique, dimensions: [5, 4, 1], origin: indexToWorld(oblique, [0, 0, 2]) } as const;
    const placed = regridLabelmap(labelled(part), oblique);
    expect([...placed.voxels.subarray(0, 40)].every((label) => label === 0)).toBe(true);
    expect(placed.voxels.subarray(40)).toEqual(labelled(part).voxels);
  });

  test('labels above 255 stay', () => {
    const labelmap = { ...labelled(oblique), voxels: new Uint16Array(60).fill(300) };
    expect(regridLabelmap(labelmap, restored(oblique, [1, 0, 2], [true, false, false])).voxels).toEqual(
      labelmap.voxels,
    );
  });

  test.each([
    ['a label outside', { ...oblique, dimensions: [5, 4, 2] }, /label 5 lies outside it, at \(.+\) mm/],
    [
      'half a voxel off',
      { ...oblique, origin: indexToWorld(oblique, [0.5, 0, 0]) },
      /between each other, 0\.6[23] mm off.*begin at \(-31\.7, 12\.25, 88\.1\) mm LPS and/,
    ],
    ['another spacing', { ...oblique, spacing: [1.3, 1.5, 8] }, /1\.25 and 1\.3 mm: 0\.20 mm over 5 voxels/],
    [
      'another direction',
      {
        ...oblique,
        direction: [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
      },
      /not parallel: \(.+\) and \(1, 0, 0\) \(0, 1, 0\) \(0, 0, 1\)/,
    ],
  ] as const)('%s is refused', (_, target, reason) => {
    expect(() => regridLabelmap(labelled(oblique), target)).toThrow(reason);
  });
});

describe('commonGrid', () => {
  test('two parts of a grid lie on one that just holds both', () => {
    const lower = { ...oblique, dimensions: [5, 4, 1] } as const;
    const upper = { ...oblique, dimensions: [5, 4, 1], origin: indexToWorld(oblique, [0, 0, 2]) } as const;
    expect(isSameGrid(commonGrid(lower, upper), oblique)).toBe(true);
    expect(isSameGrid(commonGrid(upper, lower), oblique)).toBe(true);
  });

  test('two grids that are kilometres apart have none', () => {
    const far = { ...oblique, origin: indexToWorld(oblique, [3e5, 3e5, 0]) };
    expect(() => commonGrid(oblique, far)).toThrow(/too far apart for one grid, beginning at \(.+\) mm LPS and/);
  });

  test('a grid and its part are not the same voxels', () => {
    const part = { ...oblique, dimensions: [5, 4, 2] } as const;
    expect(() => {
      assertSameVoxels(part, oblique);
    }).toThrow('covers more');
    expect(() => {
      assertSameVoxels(oblique, part);
    }).toThrow('covers more');
  });
});
