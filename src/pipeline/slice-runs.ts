import type { Tensor } from '../inference/backend.ts';
import { type GridView, sliceGrid } from '../volume/reorient.ts';
import { createScoreBlend, decodeWindow, toScoreGrid } from './decode.ts';
import { createVoxelTarget, type Scoring, type VoxelTarget } from './classify.ts';
import { inverseTurn, turnPlanes, type View } from './test-time-augmentation.ts';
import type { Window } from './windows.ts';
import { InputError } from '../errors.ts';

/** A view and the windows that show it on a slice. */
export interface PlacedView {
  readonly view: View;
  readonly windows: readonly Window[];
}

/** One run of the model: one window of one view of one slice. */
export interface SliceRun {
  /** Slice of the grid view. */
  readonly slice: number;
  readonly view: View;
  readonly window: Window;
  /** Whether it is the last one of its view, and of its slice. */
  readonly endsView: boolean;
  readonly endsSlice: boolean;
}

/** All runs of the slices in the given order. */
export function* listRuns(slices: Iterable<number>, views: readonly PlacedView[]): Generator<SliceRun> {
  for (const slice of slices) {
    for (const { view, windows } of views) {
      for (const window of windows) {
        const endsView = window === windows.at(-1);
        yield { slice, view, window, endsView, endsSlice: endsView && view === views.at(-1)?.view };
      }
    }
  }
}

/** Makes labels of the scores of one run after the other: the last run of a slice gives the slice.
 *
 * Its arrays hold until the next slice is begun; where they were transferred away, the next slice has new ones. */
export function createSliceDecoder(
  views: readonly PlacedView[],
  volumeGrid: GridView,
  scoring: Scoring,
  keepProbabilities: boolean,
): (run: SliceRun, scores: Tensor) => VoxelTarget | undefined {
  const grid = sliceGrid(volumeGrid);
  const nextTarget = createReusedTarget(grid.columns * grid.rows, scoring.classes, keepProbabilities);
  const isOneRun = views.length === 1 && views[0]?.windows.length === 1;
  if (isOneRun) {
    return ({ slice, window }, scores) => {
      const target = nextTarget();
      decodeWindow(toScoreGrid(scores, scoring.classes), window, scoring, grid, slice, target);
      return target;
    };
  }
  const blend = createScoreBlend(grid, scoring, views.length);
  return ({ slice, view, window, endsView, endsSlice }, scores) => {
    const { data, rows, columns } = toScoreGrid(scores, scoring.classes);
    blend.add({ rows, columns, data: turnPlanes(data, columns, rows, inverseTurn(view.turn)) }, window);
    if (endsView) blend.endView();
    if (!endsSlice) return undefined;
    const target = nextTarget();
    blend.finish(slice, target);
    return target;
  };
}

/** The same cleared arrays each time: the collector lets many megabytes of dropped ones pile up. */
function createReusedTarget(count: number, classes: number, keepProbabilities: boolean): () => VoxelTarget {
  let target: VoxelTarget | undefined;
  return () => {
    if (target === undefined || target.labels.length === 0) {
      target = createVoxelTarget(count, classes, keepProbabilities);
    } else {
      for (const voxels of [target.labels, target.uncertainty, target.probabilities]) voxels?.fill(0);
    }
    return target;
  };
}

/** Slice k first, then its neighbours outward: k, k + 1, k − 1, k + 2 …; what a viewer wants that shows slice k. */
export function outwardFrom(k: number, count: number): number[] {
  return firstToLast(count).sort((a, b) => Math.abs(a - k) - Math.abs(b - k) || b - a);
}

export function firstToLast(count: number): number[] {
  return Array.from({ length: count }, (_, slice) => slice);
}

/** @throws InputError `invalid-arguments` unless it names slices, at least one, and each once */
export function assertSliceOrder(order: readonly number[], count: number): void {
  const named = new Set(order);
  if (
    order.length > 0 &&
    named.size === order.length &&
    order.every((k) => Number.isInteger(k) && k >= 0 && k < count)
  ) {
    return;
  }
  throw new InputError('invalid-arguments', `The slice order does not name slices of 0 to ${count - 1}, each once.`, {
    remedy: `Pass some or all of the slices 0 to ${count - 1} in any order, or no order at all.`,
    details: { order },
  });
}
