import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAxisInterpolation, createAxisTaps, resamplePlane } from '../../src/volume/resample.ts';

const anyAxis = fc.record({
  length: fc.integer({ min: 1, max: 30 }),
  size: fc.integer({ min: 1, max: 30 }),
  start: fc.double({ min: -20, max: 20, noNaN: true }),
  step: fc.double({ min: 0.1, max: 8, noNaN: true }),
});

describe('createAxisTaps', () => {
  test('taps lie in the source and their weights sum to 1', () => {
    fc.assert(
      fc.property(anyAxis, ({ length, size, start, step }) => {
        const { first, weights, width } = createAxisTaps(length, size, start, step);
        for (let n = 0; n < size; n++) {
          expect(first[n]).toBeGreaterThanOrEqual(0);
          expect((first[n] ?? NaN) + width).toBeLessThanOrEqual(length);
          expect(weights.slice(n * width, (n + 1) * width).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
        }
      }),
    );
  });

  test('a ramp stays the ramp at positions away from the ends, enlarged or reduced by a whole number', () => {
    const ramp = Float32Array.from({ length: 40 }, (_, n) => n);
    for (const step of [0.25, 0.5, 1, 2, 3]) {
      const { first, weights, width } = createAxisTaps(40, 10, 9, step);
      for (let n = 0; n < 10; n++) {
        let value = 0;
        for (let tap = 0; tap < width; tap++)
          value += (weights[n * width + tap] ?? NaN) * (ramp[(first[n] ?? NaN) + tap] ?? NaN);
        expect(value).toBeCloseTo(9 + n * step, 4);
      }
    }
  });

  test('reducing loses no voxel between two samples', () => {
    const { first, weights, width } = createAxisTaps(40, 10, 1.5, 4);
    const used = new Set<number>();
    for (let at = 0; at < weights.length; at++) {
      if ((weights[at] ?? 0) > 0) used.add((first[Math.floor(at / width)] ?? NaN) + (at % width));
    }
    expect(used.size).toBe(40);
  });

  test('enlarging takes two voxels for a pixel, not more', () => {
    expect(createAxisTaps(40, 100, 0.1, 0.37).width).toBe(2);
  });

  test('inside are the pixels whose centre lies on a voxel, halves included', () => {
    expect(createAxisTaps(4, 9, -2.5, 1).inside).toEqual([2, 7]);
    expect(createAxisTaps(4, 3, 0, 1).inside).toEqual([0, 3]);
    expect(createAxisTaps(4, 3, 10, 1).inside).toEqual([0, 0]);
  });
});

describe('createAxisInterpolation', () => {
  test('stays in the source and takes the edge outside it', () => {
    const { lower, fraction } = createAxisInterpolation(3, [-1, 0, 0.25, 1.5, 2, 9]);
    expect([...lower]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...fraction]).toEqual([0, 0, 0.25, 0.5, 1, 1]);
    expect(createAxisInterpolation(1, [-1, 0, 5])).toEqual({ lower: new Int32Array(3), fraction: new Float32Array(3) });
  });
});

describe('resamplePlane', () => {
  test('taps of step 1 copy the plane, moved, and fill what lies outside', () => {
    const source = Float32Array.of(1, 2, 3, 4, 5, 6);
    const target = new Float32Array(4 * 3);
    const [x, y] = [createAxisTaps(3, 4, -1, 1), createAxisTaps(2, 3, 0, 1)];
    resamplePlane(source, 3, x, y, -9, target, new Float32Array(2 * 4));
    expect([...target]).toEqual([-9, 1, 2, 3, -9, 4, 5, 6, -9, -9, -9, -9]);
  });

  test('is the product of both axes’ weights, whatever was in the target and scratch before', () => {
    fc.assert(
      fc.property(anyAxis, anyAxis, (across, down) => {
        const [x, y] = [across, down].map(({ length, size, start, step }) => createAxisTaps(length, size, start, step));
        if (!x || !y) throw new Error('unreachable');
        const source = Float32Array.from({ length: across.length * down.length }, (_, at) => (at * 7) % 11);
        const target = new Float32Array(x.size * y.size).fill(99);
        resamplePlane(source, across.length, x, y, -1, target, new Float32Array(down.length * x.size).fill(99));
        const expected = Array.from(target, (_, at) => {
          const [column, row] = [at % x.size, Math.floor(at / x.size)];
          const isOutside = (n: number, [from, to]: readonly [number, number]): boolean => n < from || n >= to;
          if (isOutside(column, x.inside) || isOutside(row, y.inside)) return -1;
          let sum = 0;
          for (let b = 0; b < y.width; b++) {
            for (let a = 0; a < x.width; a++) {
              const voxel = ((y.first[row] ?? NaN) + b) * across.length + (x.first[column] ?? NaN) + a;
              const weight = (y.weights[row * y.width + b] ?? NaN) * (x.weights[column * x.width + a] ?? NaN);
              sum += weight * (source[voxel] ?? NaN);
            }
          }
          return sum;
        });
        expect(expected.filter((value, at) => !(Math.abs(value - (target[at] ?? NaN)) < 1e-4))).toEqual([]);
      }),
    );
  });
});
