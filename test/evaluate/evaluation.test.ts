import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateLabelmaps, evaluationSchema } from '../../src/evaluate/evaluation.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { obliqueGeometry, testLabelmap, testSegments } from '../support/labelled-series.ts';

const labels = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 140 });

describe('evaluateLabelmaps', () => {
  test('a labelmap has no distance from itself', () => {
    fc.assert(
      fc.property(labels, (values) => {
        for (const one of evaluateLabelmaps(testLabelmap(values), testLabelmap(values)).labels) {
          if (one.empty === undefined) {
            expect(one).toMatchObject({ dice: 1, surfaceDice: 1, hd95Mm: 0, averageSymmetricSurfaceDistanceMm: 0 });
          } else expect(one).toMatchObject({ empty: 'both', dice: 1, surfaceDice: null, hd95Mm: null });
        }
      }),
    );
  });

  test('prediction and reference change places, and the figures do not', () => {
    fc.assert(
      fc.property(labels, labels, (a, b) => {
        const there = evaluateLabelmaps(testLabelmap(a), testLabelmap(b));
        const back = evaluateLabelmaps(testLabelmap(b), testLabelmap(a));
        for (const [at, one] of there.labels.entries()) {
          const other = back.labels[at];
          expect(other?.hd95Mm).toBe(one.hd95Mm);
          expect(other?.predictionToReferenceMm).toBe(one.referenceToPredictionMm);
          expect(other?.surfaceDice ?? -1).toBeCloseTo(one.surfaceDice ?? -1, 12);
        }
      }),
    );
  });

  test('a box that is one slice thicker is a slice off on one side', () => {
    const geometry = createGeometry({ ...obliqueGeometry([20, 20, 12]), spacing: [1, 1, 3] });
    const slab = (thickness: number) =>
      testLabelmap(
        Array.from({ length: 20 * 20 * 12 }, (_, at) => Number(at < 400 * thickness)),
        { geometry, segments: [] },
      );
    const [one] = evaluateLabelmaps(slab(5), slab(6), { toleranceMm: 2.9 }).labels;
    expect(one?.hd95Mm).toBe(3);
    expect(one?.averageSymmetricSurfaceDistanceMm).toBeGreaterThan(0.5);
    expect(one?.surfaceDice).toBeLessThan(0.9);
    expect(evaluateLabelmaps(slab(5), slab(6), { toleranceMm: 3 }).labels[0]?.surfaceDice).toBe(1);
  });

  test('which labelmap lacks a label is said, and means leave it out', () => {
    const prediction = testLabelmap([1, 0, 0, 2], { segments: testSegments(3) });
    const reference = testLabelmap([0, 7, 0, 2], { segments: [] });
    const { labels: found, means } = evaluateLabelmaps(prediction, reference);
    expect(found.map(({ label, empty, surfaceDice, hd95Mm }) => ({ label, empty, surfaceDice, hd95Mm }))).toEqual([
      { label: 1, empty: 'reference', surfaceDice: 0, hd95Mm: null },
      { label: 2, empty: undefined, surfaceDice: 1, hd95Mm: 0 },
      { label: 3, empty: 'both', surfaceDice: null, hd95Mm: null },
      { label: 7, empty: 'prediction', surfaceDice: 0, hd95Mm: null },
    ]);
    expect(means).toEqual({ surfaceDice: 1 / 3, hd95Mm: 0, averageSymmetricSurfaceDistanceMm: 0, labels: 1 });
  });

  test('the result is what its schema says', () => {
    const result = evaluateLabelmaps(testLabelmap([1, 2, 0]), testLabelmap([1, 3, 0]));
    expect(evaluationSchema.parse(result)).toEqual(result);
  });
});
