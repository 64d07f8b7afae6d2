import { describe, expect, test } from 'vitest';
import { sliceUncertainty } from '../../src/pipeline/classify.ts';
import { createGeometry } from '../../src/volume/geometry.ts';

/** One slice of 100 voxels, of which the first `found` are foreground. */
function ofSlice(found: number, uncertainty: (at: number) => number, classes = 2): number {
  const geometry = createGeometry({
    dimensions: [10, 10, 1],
    spacing: [1, 1, 1],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  });
  const target = {
    labels: Uint8Array.from({ length: 100 }, (_, at) => Number(at < found)),
    uncertainty: Uint8Array.from({ length: 100 }, (_, at) => uncertainty(at)),
  };
  return sliceUncertainty(target, geometry, classes)[0] ?? NaN;
}

/** round(255 · entropy / ln classes) of a voxel that two classes share. */
function shared(error: number, classes = 2): number {
  const entropy = -error * Math.log(error) - (1 - error) * Math.log(1 - error);
  return Math.round((255 * entropy) / Math.log(classes));
}

describe('sliceUncertainty', () => {
  test('a slice with nothing found and nothing doubted, and one found for sure, are certain', () => {
    expect(ofSlice(0, () => 0)).toBe(0);
    expect(ofSlice(40, () => 0)).toBe(0);
  });

  test('where nothing was found, the more may be there the less is certain', () => {
    const doubtful = (count: number): number => ofSlice(0, (at) => (at < count ? shared(0.4) : 0));
    expect(doubtful(2)).toBeLessThan(0.05);
    expect(doubtful(90)).toBeGreaterThan(0.6);
  });

  test('it is what the expected errors take from the Dice, for two classes and for more', () => {
    // 20 found, of which 10 are wrong with probability 0.3; 5 others are missed with probability 0.2; 20 are known.
    const dice = (2 * 17 + 20) / (20 + 17 + 1 + 20);
    for (const classes of [2, 4, 14]) {
      const doubt = (at: number): number => (at < 10 ? shared(0.3, classes) : at >= 95 ? shared(0.2, classes) : 0);
      expect(ofSlice(20, doubt, classes)).toBeCloseTo(1 - dice, classes === 14 ? 1 : 2);
    }
  });

  test('doubt at the border of a small structure weighs more than at that of a large one', () => {
    const border = (found: number) => (at: number) => (Math.abs(at - found) < 3 ? shared(0.4) : 0);
    expect(ofSlice(5, border(5))).toBeGreaterThan(2 * ofSlice(60, border(60)));
  });

  test('a little doubt everywhere in the background does not drown a sure structure', () => {
    expect(ofSlice(5, (at) => (at < 5 ? 0 : 40))).toBe(0);
  });
});
