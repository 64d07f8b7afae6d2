import type { Tensor } from '../inference/backend.ts';
import { type GridView, sliceGrid } from '../volume/reorient.ts';
import { createScoreBlend, decodeWindow, toScoreGrid } from './decode.ts';
import { createVoxelTarget, type Scoring, type VoxelTarget } from './classify.ts';
import type { Window } from './windows.ts';
import { InputError } from '../errors.ts';
import type { ModelManifest } from '../models/manifest.ts';

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

/** One way of showing a slice to the model. */
export interface View {
  /** The image is enlarged by it: the slice is resampled at the model's spacing divided by it. */
  readonly scale: number;
  readonly turn: Turn;
}

/** A flip or a rotation by quarter turns about a plane's centre: pixel p of the result is pixel M · p of the source,
 * with p = (column, row) from the centre and M = [a b; c d]. */
export type Turn = readonly [a: number, b: number, c: number, d: number];

const IDENTITY: Turn = [1, 0, 0, 1];
export const PLAIN_VIEW: View = { scale: 1, turn: IDENTITY };

const FLIPS: Readonly<Record<'i' | 'j', Turn>> = { i: [-1, 0, 0, 1], j: [1, 0, 0, -1] };
const ROTATIONS: Readonly<Record<90 | 180 | 270, Turn>> = {
  90: [0, -1, 1, 0],
  180: [-1, 0, 0, -1],
  270: [0, 1, -1, 0],
};

/** Every different view that a manifest allows: each scale (the plain one first) with each combination of its flips and
 * rotations. Multi-scale as in the testing of PSPNet (Zhao et al. 2017, section 4.1): the input is resampled, the
 * probabilities are averaged on the source grid. */
export function testTimeViews({ flips, rotations, scales }: ModelManifest['tta']): View[] {
  const flipped = flips.reduce<Turn[]>(
    (turns, flip) => [...turns, ...turns.map((turn) => compose(FLIPS[flip], turn))],
    [IDENTITY],
  );
  const turned = [IDENTITY, ...rotations.map((angle) => ROTATIONS[angle])].flatMap((rotation) =>
    flipped.map((turn) => compose(rotation, turn)),
  );
  const turns = [...new Map(turned.map((turn) => [turn.join(), turn])).values()];
  return [...new Set([1, ...scales])].flatMap((scale) => turns.map((turn) => ({ scale, turn })));
}

/** Turns planes [count × rows × columns]; quarter turns need square ones. Returns the input itself for the identity. */
export function turnPlanes(planes: Float32Array, columns: number, rows: number, turn: Turn): Float32Array {
  const [a, b, c, d] = turn;
  if (a === 1 && d === 1) return planes;
  const size = columns * rows;
  const turned = new Float32Array(planes.length);
  // The source pixel of result pixel (0, 0), whose centred coordinates are ((1 − columns) / 2, (1 − rows) / 2).
  const column = (a * (1 - columns) + b * (1 - rows) + columns - 1) / 2;
  const row = (c * (1 - columns) + d * (1 - rows) + rows - 1) / 2;
  const start = row * columns + column;
  const [alongColumn, alongRow] = [c * columns + a, d * columns + b];
  for (let plane = 0, out = 0; plane < planes.length; plane += size) {
    for (let y = 0; y < rows; y++) {
      let at = plane + start + y * alongRow;
      for (let x = 0; x < columns; x++, at += alongColumn, out++) turned[out] = planes[at] ?? 0;
    }
  }
  return turned;
}

export function inverseTurn([a, b, c, d]: Turn): Turn {
  return [a, c, b, d];
}

/** First `first`, then `second`, as pixel maps: the matrix product first · second. */
function compose(second: Turn, first: Turn): Turn {
  return [
    first[0] * second[0] + first[1] * second[2],
    first[0] * second[1] + first[1] * second[3],
    first[2] * second[0] + first[3] * second[2],
    first[2] * second[1] + first[3] * second[3],
  ];
}
