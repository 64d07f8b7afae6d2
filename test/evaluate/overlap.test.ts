import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateOverlap, overlapSchema } from '../../src/evaluate/overlap.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { obliqueGeometry, testLabelmap, testSegments } from '../support/labelled-series.ts';

const labels = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 140 });

describe('evaluateOverlap', () => {
  test('a labelmap overlaps itself wholly, label by label', () => {
    fc.assert(
      fc.property(labels, (values) => {
        const { labels: found, meanDice } = evaluateOverlap(testLabelmap(values), testLabelmap(values));
        expect(found.map(({ label, dice }) => [label, dice])).toEqual(
          [1, 2, 3].map((label) => [label, values.includes(label) ? 1 : null]),
        );
        expect(meanDice).toBe(values.some((label) => label > 0) ? 1 : null);
      }),
    );
  });

  test('Dice is the same either way round, and what the sets say', () => {
    fc.assert(
      fc.property(labels, labels, (a, b) => {
        const [first, second] = [testLabelmap(a), testLabelmap(b)];
        const there = evaluateOverlap(first, second);
        const back = evaluateOverlap(second, first);
        expect(there.labels.map((l) => l.dice)).toEqual(back.labels.map((l) => l.dice));
        for (const { label, dice, predictionVoxels, referenceVoxels } of there.labels) {
          const inFirst = [...first.voxels.keys()].filter((at) => first.voxels[at] === label);
          const inSecond = new Set([...second.voxels.keys()].filter((at) => second.voxels[at] === label));
          const common = inFirst.filter((at) => inSecond.has(at)).length;
          const total = inFirst.length + inSecond.size;
          expect([predictionVoxels, referenceVoxels]).toEqual([inFirst.length, inSecond.size]);
          expect(dice).toBe(total === 0 ? null : (2 * common) / total);
        }
      }),
    );
  });

  test('volumes are millilitres of the reference grid', () => {
    const prediction = testLabelmap([1]);
    const [first] = evaluateOverlap(prediction, testLabelmap([1, 0])).labels;
    // 7 × 5 × 4 voxels of 1.25 × 1.5 × 8 mm.
    expect(first?.predictionMl).toBeCloseTo((140 * 15) / 1000, 12);
    expect(first?.referenceMl).toBeCloseTo((70 * 15) / 1000, 12);
    expect(first?.dice).toBe((2 * 70) / (140 + 70));
  });

  test('a label that only one of them has counts as 0, one that neither has is left out of the mean and counted', () => {
    const prediction = testLabelmap([1, 0], { segments: testSegments(2) });
    const reference = testLabelmap([0, 7], { segments: [] });
    const { labels: found, meanDice, absentInBoth } = evaluateOverlap(prediction, reference);
    expect(found.map(({ label, dice }) => [label, dice])).toEqual([
      [1, 0],
      [2, null],
      [7, 0],
    ]);
    expect(found.map(({ name }) => name)).toEqual(['Kidney 1', 'Kidney 2', undefined]);
    expect({ meanDice, absentInBoth }).toEqual({ meanDice: 0, absentInBoth: 1 });
  });

  test('two empty labelmaps without segments have no Dice', () => {
    const empty = testLabelmap([0], { segments: [] });
    expect(evaluateOverlap(empty, empty)).toEqual({ labels: [], meanDice: null, absentInBoth: 0 });
  });

  test('the result is what its schema says', () => {
    const result = evaluateOverlap(testLabelmap([1, 2, 0]), testLabelmap([1, 3, 0]));
    expect(overlapSchema.parse(result)).toEqual(result);
  });

  test('a grid that differs by rounding is the same grid', () => {
    const moved = createGeometry({ ...obliqueGeometry(), origin: [-12.5001, 7.25, 103.75] });
    expect(evaluateOverlap(testLabelmap([1], { geometry: moved }), testLabelmap([1])).meanDice).toBe(1);
  });

  test('grids that differ are refused with what differs', () => {
    const reference = testLabelmap([1]);
    const smaller = testLabelmap([1], { geometry: obliqueGeometry([7, 5, 3]) });
    expect(() => evaluateOverlap(smaller, reference)).toThrow(/7 × 5 × 3 voxels, the reference 7 × 5 × 4/);
    const moved = createGeometry({ ...obliqueGeometry(), origin: [-10.5, 7.25, 103.75] });
    const shifted = testLabelmap([1], { geometry: moved });
    expect(() => evaluateOverlap(shifted, reference)).toThrow(
      expect.objectContaining({
        code: 'geometry-mismatch',
        message: expect.stringContaining('up to 2.00 mm apart') as string,
      }) as Error,
    );
    expect(evaluateOverlap(shifted, reference, { toleranceMm: 2.1 }).meanDice).toBe(1);
  });
});
