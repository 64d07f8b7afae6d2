import { describe, expect, test } from 'vitest';
import { createGeometry, type Direction } from '../../src/volume/geometry.ts';
import { flipSliceIndex, sourceSlice, viewGrid, type SliceAxis } from '../../src/volume/reorient.ts';

function gridOf(direction: Direction) {
  return createGeometry({ dimensions: [4, 3, 2], spacing: [1, 2, 5], origin: [0, 0, 0], direction });
}

const UPRIGHT = gridOf([
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
]);

/** i to the head, j to the right, k to the front; turned about the last by ten degrees. */
const c = Math.cos(Math.PI / 18);
const s = Math.sin(Math.PI / 18);
const TURNED = gridOf([
  [s, 0, c],
  [-c, 0, s],
  [0, -1, 0],
]);

describe('viewGrid', () => {
  test('a view of any orientation along the acquired axis is the grid as it is stored', () => {
    for (const geometry of [UPRIGHT, TURNED]) {
      expect(viewGrid(geometry, 'acquired', 'any')).toEqual({
        columns: 4,
        rows: 3,
        slices: 2,
        spacing: { column: 1, row: 2 },
        offset: 0,
        strides: { column: 1, row: 4, slice: 12 },
        sliceAxis: 2,
        sliceFlipped: false,
      });
    }
  });

  test('a left-handed grid is seen with its rows turned round, as the DICOM series it was converted from', () => {
    const mirrored = gridOf([UPRIGHT.direction[0], [0, -1, 0], UPRIGHT.direction[2]]);
    expect(viewGrid(mirrored, 'acquired', 'any')).toMatchObject({
      offset: 8,
      strides: { column: 1, row: -4, slice: 12 },
      sliceFlipped: false,
    });
  });

  test.each<[SliceAxis, object]>([
    // Columns run along −j (left), rows along −k (back), slices along i (head).
    ['axial', { columns: 3, rows: 2, slices: 4, sliceAxis: 0, sliceFlipped: false, offset: 8 + 12 }],
    // Columns back, rows to the head, slices to the left.
    ['sagittal', { columns: 2, rows: 4, slices: 3, sliceAxis: 1, sliceFlipped: true, offset: 8 + 12 }],
    // Columns left, rows to the head, slices to the back.
    ['coronal', { columns: 3, rows: 4, slices: 2, sliceAxis: 2, sliceFlipped: true, offset: 8 + 12 }],
    ['acquired', { columns: 3, rows: 4, slices: 2, sliceAxis: 2, sliceFlipped: true, offset: 8 + 12 }],
  ])('an LPS view of a turned grid goes to the nearest patient axes: %s', (sliceAxis, expected) => {
    expect(viewGrid(TURNED, sliceAxis, 'LPS')).toMatchObject(expected);
  });

  test('every voxel is in the view once', () => {
    for (const sliceAxis of ['acquired', 'axial', 'sagittal', 'coronal'] as const) {
      for (const orientation of ['LPS', 'any'] as const) {
        const { columns, rows, slices, offset, strides } = viewGrid(TURNED, sliceAxis, orientation);
        const seen = new Set<number>();
        for (let slice = 0; slice < slices; slice++) {
          for (let row = 0; row < rows; row++) {
            for (let column = 0; column < columns; column++) {
              seen.add(offset + column * strides.column + row * strides.row + slice * strides.slice);
            }
          }
        }
        expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, at) => at));
      }
    }
  });

  test('a grid half way between two axes claims each patient axis once', () => {
    const h = Math.SQRT1_2;
    const between = gridOf([
      [h, h, 0],
      [-h, h, 0],
      [0, 0, 1],
    ]);
    const axes = (['axial', 'sagittal', 'coronal'] as const).map((name) => viewGrid(between, name, 'LPS').sliceAxis);
    expect(new Set(axes)).toEqual(new Set([0, 1, 2]));
  });
});

describe('sourceSlice', () => {
  const voxels = Uint8Array.from({ length: 24 }, (_, at) => at);

  test('along k it is a view, along the others a copy in the order of memory', () => {
    expect(sourceSlice(voxels, UPRIGHT, 2, 1).buffer).toBe(voxels.buffer);
    expect([...sourceSlice(voxels, UPRIGHT, 2, 1)]).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
    expect([...sourceSlice(voxels, UPRIGHT, 0, 1)]).toEqual([1, 5, 9, 13, 17, 21]);
    expect([...sourceSlice(voxels, UPRIGHT, 1, 2)]).toEqual([8, 9, 10, 11, 20, 21, 22, 23]);
  });
});

describe('flipSliceIndex', () => {
  test('counts from the other end where the view is flipped', () => {
    expect(flipSliceIndex(viewGrid(TURNED, 'acquired', 'LPS'), 0)).toBe(1);
    expect(flipSliceIndex(viewGrid(UPRIGHT, 'acquired', 'LPS'), 0)).toBe(0);
  });
});
