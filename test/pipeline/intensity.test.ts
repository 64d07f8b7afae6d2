import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertFiniteVoxels, intensityRange, percentiles } from '../../src/pipeline/preprocess.ts';
import type { VoxelArray } from '../../src/volume/volume.ts';

/** numpy's default: linear between order statistics. */
function bySorting(values: VoxelArray, rank: number): number {
  const sorted = Float32Array.from(values).sort();
  const position = (rank / 100) * (sorted.length - 1);
  const [lower, upper] = [sorted[Math.floor(position)] ?? NaN, sorted[Math.ceil(position)] ?? NaN];
  return lower + (upper - lower) * (position - Math.floor(position));
}

/** Far beyond modality values, and a float32. */
const LIMIT = 2 ** 100;
const any32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const anyVoxels: fc.Arbitrary<VoxelArray> = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 60 }),
  fc.int8Array({ minLength: 1, maxLength: 60 }),
  fc.uint16Array({ minLength: 1, maxLength: 60 }),
  fc.int16Array({ minLength: 1, maxLength: 60 }),
  fc.array(any32, { minLength: 1, maxLength: 60 }).map((values) => Int32Array.from(values)),
  fc.array(any32, { minLength: 1, maxLength: 60 }).map((values) => Uint32Array.from(values)),
  fc.float32Array({
    minLength: 1,
    maxLength: 60,
    noNaN: true,
    noDefaultInfinity: true,
    min: Math.fround(-1e30),
    max: Math.fround(1e30),
  }),
  fc.float64Array({ minLength: 1, maxLength: 60, noNaN: true, noDefaultInfinity: true, min: -LIMIT, max: LIMIT }),
);

describe('percentiles', () => {
  test('are those of the sorted values, for every type of voxel', () => {
    const anyRank = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(anyVoxels, anyRank, anyRank, (values, first, second) => {
        expect(percentiles(values, [first, second])).toEqual([bySorting(values, first), bySorting(values, second)]);
      }),
      { numRuns: 300 },
    );
  });

  test.each([Int16Array, Float32Array])('are those of the sorted values, of an image with many: %o', (ArrayType) => {
    const values = new ArrayType(50_003).map((_, at) => ((at * 7919) % 4001) - 1500);
    for (const rank of [0, 1, 50, 99, 100]) expect(percentiles(values, [rank])).toEqual([bySorting(values, rank)]);
  });

  test('0, 50 and 100 are the smallest, the middle and the largest value', () => {
    expect(percentiles(Float32Array.of(3, -7.5, 0.25, -0, 1e9), [0, 50, 100])).toEqual([-7.5, 0.25, 1e9]);
  });
});

describe('intensityRange', () => {
  test('a window is taken as it is', () => {
    const range = intensityRange(Int16Array.of(5, 6), { kind: 'window', scope: 'volume', low: -125, high: 275 });
    expect(range).toEqual({ low: -125, high: 275 });
  });
});

describe('assertFiniteVoxels', () => {
  const geometry = {
    dimensions: [2, 2, 2],
    spacing: [1, 1, 1],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  } as const;

  test('names the count and the first voxel', () => {
    const voxels = Float64Array.of(0, 1, 2, 3, 4, 5, NaN, -Infinity);
    expect(() => {
      assertFiniteVoxels({ geometry, voxels });
    }).toThrow('2 of 8 voxels are not finite numbers; the first is (0, 1, 1).');
  });

  test('the largest float32 is finite', () => {
    expect(() => {
      assertFiniteVoxels({ geometry, voxels: Float32Array.of(3.4e38, -3.4e38) });
    }).not.toThrow();
  });
});
