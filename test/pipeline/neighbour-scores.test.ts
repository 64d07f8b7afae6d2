import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNeighbourMixer } from '../../src/pipeline/neighbour-scores.ts';
import { listRuns, outwardFrom, type PlacedView, PLAIN_VIEW } from '../../src/pipeline/slice-runs.ts';
import { placeWindows } from '../../src/pipeline/windows.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { viewGrid } from '../../src/volume/reorient.ts';
import { createManifest } from './fake-session.ts';

const geometry = createGeometry({
  dimensions: [30, 12, 1],
  spacing: [1, 1, 1],
  origin: [0, 0, 0],
  direction: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
});
const windows = placeWindows(viewGrid(geometry, 'acquired', 'any'), createManifest(), 1);
const views: PlacedView[] = [
  { view: PLAIN_VIEW, windows },
  { view: { ...PLAIN_VIEW, scale: 2 }, windows },
];
const runsPerSlice = views.length * windows.length;

/** Of a slice's runs, each another number, so that a mix of two windows or views would show. */
const score = (slice: number, run: number): number => Math.sin(1 + 7 * slice + run);

/** What the mixer gives, slice by slice. */
function mixAll(order: readonly number[], count: number, weight: number): Map<number, number[]> {
  const mixer = createNeighbourMixer(order, count, weight);
  const mixed = new Map<number, number[]>();
  let n = 0;
  for (const task of listRuns(mixer.toRun, views)) {
    const scores = { shape: [1, 1, 1, 1], data: Float32Array.of(score(task.slice, n++ % runsPerSlice)) };
    for (const run of mixer.add({ task, scores })) {
      mixed.set(run.task.slice, [...(mixed.get(run.task.slice) ?? []), ...run.scores.data]);
    }
  }
  return mixed;
}

const orders = fc
  .integer({ min: 1, max: 9 })
  .chain((count) => fc.tuple(fc.constant(count), fc.shuffledSubarray([...Array(count).keys()], { minLength: 1 })));

describe('a share of the scores of the neighbouring slices', () => {
  test('is mixed in window by window and view by view, in every order of all slices or some', () => {
    expect(windows.length).toBeGreaterThan(1);
    fc.assert(
      fc.property(orders, fc.double({ min: 0, max: 1 / 3, noNaN: true }), ([count, order], weight) => {
        const mixed = mixAll(order, count, weight);
        expect([...mixed.keys()]).toEqual(order);
        for (const [slice, scores] of mixed) {
          const [before, after] = [Math.max(slice - 1, 0), Math.min(slice + 1, count - 1)];
          expect(scores.length).toBe(runsPerSlice);
          scores.forEach((value, run) => {
            const expected = (1 - 2 * weight) * score(slice, run) + weight * (score(before, run) + score(after, run));
            expect(value).toBeCloseTo(expected, 5);
          });
        }
      }),
    );
  });

  test('takes one run of each slice and its neighbours, the first slice as early as can be', () => {
    expect(createNeighbourMixer(outwardFrom(3, 7), 7, 0.2).toRun).toEqual([3, 2, 4, 5, 1, 6, 0]);
    expect(createNeighbourMixer([5], 7, 0.2).toRun).toEqual([5, 4, 6]);
    expect(createNeighbourMixer([5], 7, 0).toRun).toEqual([5]);
  });
});
