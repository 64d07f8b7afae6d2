import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateLabelmaps, evaluationSchema } from '../../src/evaluate/evaluation.ts';
import { regridLabelmap } from '../../src/labelmap/regrid.ts';
import { createGeometry, indexToWorld, type Vector3, type VolumeGeometry } from '../../src/volume/geometry.ts';
import { obliqueGeometry, testLabelmap, testSegments } from '../support/labelled-series.ts';

type TurnedAxes = (geometry: VolumeGeometry) => VolumeGeometry;

/** The same voxels from the last column to the first, or with slices as columns. */
const TURNS: readonly TurnedAxes[] = [
  (geometry) => ({
    ...geometry,
    origin: indexToWorld(geometry, [geometry.dimensions[0] - 1, 0, 0]),
    direction: [
      geometry.direction[0].map((v) => -v) as unknown as Vector3,
      geometry.direction[1],
      geometry.direction[2],
    ],
  }),
  ({ dimensions: [i, j, k], spacing: [x, y, z], direction: [a, b, c], ...rest }) => ({
    ...rest,
    dimensions: [k, i, j],
    spacing: [z, x, y],
    direction: [c, a, b],
  }),
];

const labels = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 140 });

describe('evaluateLabelmaps', () => {
  test('a labelmap has no distance from itself', () => {
    fc.assert(
      fc.property(labels, (values) => {
        for (const one of evaluateLabelmaps(testLabelmap(values), testLabelmap(values)).labels) {
          if (one.empty === undefined) {
            expect(one).toMatchObject({ dice: 1, surfaceDice: 1, hd95Mm: 0, averageSymmetricSurfaceDistanceMm: 0 });
          } else expect(one).toMatchObject({ empty: 'both', dice: null, surfaceDice: null, hd95Mm: null });
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

  test('the axes of a labelmap may be in another order and run the other way', () => {
    fc.assert(
      fc.property(labels, labels, fc.constantFrom<TurnedAxes>(...TURNS), (a, b, turned) => {
        const [prediction, reference] = [testLabelmap(a), testLabelmap(b)];
        const straight = evaluateLabelmaps(prediction, reference);
        const other = evaluateLabelmaps(regridLabelmap(prediction, turned(prediction.geometry)), reference);
        expect(other).toEqual(straight);
        const both = evaluateLabelmaps(prediction, regridLabelmap(reference, turned(reference.geometry)));
        for (const [at, one] of both.labels.entries()) {
          expect(one.hd95Mm ?? -1).toBeCloseTo(straight.labels[at]?.hd95Mm ?? -1, 9);
          expect(one.surfaceDice ?? -1).toBeCloseTo(straight.labels[at]?.surfaceDice ?? -1, 9);
        }
      }),
    );
  });

  test('other voxels are refused with what differs, and so is a tolerance that is none', () => {
    const smaller = testLabelmap([1], { geometry: obliqueGeometry([7, 5, 3]) });
    expect(() => evaluateLabelmaps(smaller, testLabelmap([1]))).toThrow(
      expect.objectContaining({
        code: 'geometry-mismatch',
        message: expect.stringMatching(/7 × 5 × 3 .* 7 × 5 × 4 /) as string,
      }) as Error,
    );
    expect(() => evaluateLabelmaps(smaller, smaller, { toleranceMm: 0 })).toThrow('above 0');
  });

  test('the result is what its schema says', () => {
    const result = evaluateLabelmaps(testLabelmap([1, 2, 0]), testLabelmap([1, 3, 0]));
    expect(evaluationSchema.parse(result)).toEqual(result);
  });
});
