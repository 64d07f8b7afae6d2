import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundingBox, findComponents, type ComponentOptions } from '../../src/labelmap/components.ts';

type Dimensions = [number, number, number];

/** One voxel after the other, by definition: the labels of components in the order of their first voxels. */
function floodFill(voxels: Uint8Array, dimensions: Dimensions, { of, connectivity }: ComponentOptions): Int32Array {
  const [columns, rows, slices] = dimensions;
  const owners = new Int32Array(voxels.length).fill(-1);
  let count = 0;
  for (let seed = 0; seed < voxels.length; seed++) {
    if ((voxels[seed] === 0) !== (of === 'background') || owners[seed] !== -1) continue;
    owners[seed] = count;
    for (const stack = [seed]; stack.length > 0;) {
      const at = stack.pop() ?? 0;
      const [i, j, k] = [at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows))];
      for (const dk of [-1, 0, 1]) {
        for (const dj of [-1, 0, 1]) {
          for (const di of [-1, 0, 1]) {
            if (connectivity === 6 && Math.abs(di) + Math.abs(dj) + Math.abs(dk) > 1) continue;
            const [ni, nj, nk] = [i + di, j + dj, k + dk];
            if (ni < 0 || nj < 0 || nk < 0 || ni >= columns || nj >= rows || nk >= slices) continue;
            const next = ni + columns * (nj + rows * nk);
            if (owners[next] !== -1 || voxels[next] !== voxels[seed]) continue;
            owners[next] = count;
            stack.push(next);
          }
        }
      }
    }
    count++;
  }
  return owners;
}

const smallLabelmap = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }))
  .chain((dimensions) =>
    fc.record({
      dimensions: fc.constant(dimensions),
      voxels: fc
        .uint8Array({
          minLength: dimensions.reduce((a, b) => a * b),
          maxLength: dimensions.reduce((a, b) => a * b),
          max: 5,
        })
        .map((values) => values.map((value) => Math.max(0, value - 3))),
    }),
  );

describe('findComponents', () => {
  test.each([
    { of: 'segments', connectivity: 26 },
    { of: 'segments', connectivity: 6 },
    { of: 'background', connectivity: 6 },
    { of: 'background', connectivity: 26 },
  ] as const)('finds what a flood fill finds: $of, $connectivity neighbours', (options) => {
    fc.assert(
      fc.property(smallLabelmap, ({ dimensions, voxels }) => {
        const { starts, lengths, owners, label, voxelCount } = findComponents(voxels, dimensions, options);
        const painted = new Int32Array(voxels.length).fill(-1);
        starts.forEach((start, run) => painted.fill(owners[run] ?? -2, start, start + (lengths[run] ?? 0)));
        expect(painted).toEqual(floodFill(voxels, dimensions, options));
        label.forEach((value, owner) => {
          const members = voxels.filter((_, at) => painted[at] === owner);
          expect(members.length).toBe(voxelCount[owner]);
          expect(members.every((member) => member === value)).toBe(true);
        });
      }),
      { numRuns: 300 },
    );
  });

  test('a spiral of more runs than the first buffer holds is one component', () => {
    const size = 201;
    const voxels = new Uint8Array(size * size);
    for (let j = 0; j < size; j++) {
      for (let i = 0; i < size; i++) {
        const ring = Math.min(i, j, size - 1 - i, size - 1 - j);
        if (ring % 2 === 0 || (j === Math.floor(size / 2) && i < size / 2)) voxels[j * size + i] = 1;
      }
    }
    expect(findComponents(voxels, [size, size, 1], { of: 'segments', connectivity: 6 }).label).toEqual([1]);
  });

  test('voxels outside the box connect nothing', () => {
    // 1 0 1
    // 1 1 1   the two arms meet in the last row only
    const voxels = Uint8Array.of(1, 0, 1, 1, 1, 1);
    const options = { of: 'segments', connectivity: 6 } as const;
    expect(findComponents(voxels, [3, 2, 1], options).voxelCount).toEqual([5]);
    const box = { from: [0, 0, 0], to: [3, 1, 1] } as const;
    expect(findComponents(voxels, [3, 2, 1], { ...options, box }).voxelCount).toEqual([1, 1]);
  });
});

describe('boundingBox', () => {
  test('holds every labelled voxel, and each of its faces touches one', () => {
    fc.assert(
      fc.property(smallLabelmap, ({ dimensions: [columns, rows, slices], voxels }) => {
        const box = boundingBox(voxels, [columns, rows, slices]);
        const places = Array.from(voxels, (value, at) => ({ value, at }))
          .filter(({ value }) => value > 0)
          .map(({ at }) => [at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows))]);
        if (places.length === 0) {
          expect(box).toBeUndefined();
          return;
        }
        for (const axis of [0, 1, 2] as const) {
          const along = places.map((place) => place[axis] ?? -1);
          expect(box?.from[axis]).toBe(Math.min(...along));
          expect(box?.to[axis]).toBe(Math.max(...along) + 1);
        }
      }),
    );
  });
});
