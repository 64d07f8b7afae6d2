import { ModelError } from '../errors.ts';
import type { Tensor } from '../inference/backend.ts';
import type { GridView } from '../volume/reorient.ts';
import {
  certainProbability,
  classifyCertainVoxel,
  classifyVoxel,
  expOfMinus,
  type Scoring,
  type VoxelTarget,
} from './classify.ts';
import type { Window } from './windows.ts';

/** Scores of one window: [classes × rows × columns], columns fastest. */
export interface ScoreGrid {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** Labels and uncertainty of a slice that one window covers: the scores are interpolated to each voxel, then classified.
 *
 * Exact, and cheap because the four scores around a cell bound every voxel in it: −log p(best) is convex in the scores,
 * so where all four corners have the same best class with at least {@link certainProbability}, every voxel between them
 * has. Only cells on a boundary or in doubt are interpolated.
 * @param slice of the grid view; the target's uncertainty and probabilities are 0 there before */
export function decodeWindow(
  scores: ScoreGrid,
  { x, y }: Window,
  scoring: Scoring,
  grid: GridView,
  slice: number,
  target: VoxelTarget,
): void {
  const { classes } = scoring;
  const certain = findCertainClasses(scores, scoring);
  const { lower, fraction } = x.fromModel;
  const line = new Float32Array(scores.columns * classes);
  const voxel = new Float32Array(classes);
  for (let row = 0; row < grid.rows; row++) {
    const above = (y.fromModel.lower[row] ?? 0) * scores.columns;
    const below = above + (scores.rows > 1 ? scores.columns : 0);
    const down = y.fromModel.fraction[row] ?? 0;
    let at = grid.offset + slice * grid.strides.slice + row * grid.strides.row;
    let interpolated = 0;
    for (let column = 0; column < grid.columns;) {
      const left = lower[column] ?? 0;
      const right = Math.min(left + 1, scores.columns - 1);
      const label = certain[above + left] ?? UNCERTAIN;
      const agree =
        label !== UNCERTAIN &&
        label === certain[above + right] &&
        label === certain[below + left] &&
        label === certain[below + right];
      if (!agree) {
        for (let cell = Math.max(left, interpolated); cell <= right; cell++) {
          interpolateCell(scores, above + cell, below + cell, down, line, cell * classes, classes);
        }
        interpolated = right + 1;
      }
      for (; column < grid.columns && lower[column] === left; column++, at += grid.strides.column) {
        if (agree) classifyCertainVoxel(label, target, at);
        else {
          mix(line, left * classes, right * classes, fraction[column] ?? 0, voxel, classes);
          classifyVoxel(voxel, 0, scoring, target, at);
        }
      }
    }
  }
}

/** The scores of a run as a grid.
 * @throws ModelError `inference-failed` if the model answered another shape, NaN or infinity */
export function toScoreGrid({ shape, data }: Tensor, classes: number): ScoreGrid {
  const [batch, channels, rows = 0, columns = 0] = shape;
  const complaint =
    batch !== 1 || channels !== classes || data.length !== classes * rows * columns
      ? `shape [${shape.join(', ')}] for ${classes} classes`
      : !areFinite(data)
        ? 'scores that are not finite numbers'
        : undefined;
  if (complaint === undefined) return { data, rows, columns };
  throw new ModelError('inference-failed', `The model answered ${complaint}.`, {
    remedy: 'Check the graph and its weights, or try another backend.',
    details: { shape, classes },
  });
}

function areFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += 0 * (values[at] ?? 0);
  return sum === 0;
}

const UNCERTAIN = -1;

/** The best class of each cell where its probability is certain, else UNCERTAIN. */
function findCertainClasses({ data }: ScoreGrid, { classes, kind, temperature }: Scoring): Int32Array {
  const cells = data.length / classes;
  const certain = new Int32Array(cells);
  const minimum = certainProbability(classes);
  // What the rivals' weights may sum to, the best one's being 1, and the gaps of scores that decide without the sum.
  const most = (1 - minimum) / minimum;
  const [nearest, farthest] = [-Math.log(most) * temperature, -Math.log(most / (classes - 1)) * temperature];
  for (let cell = 0; cell < cells; cell++) {
    let best = 0;
    let top = data[cell] ?? 0;
    let second = -Infinity;
    for (let c = 1, at = cell + cells; c < classes; c++, at += cells) {
      const score = data[at] ?? 0;
      if (score > top) {
        second = top;
        top = score;
        best = c;
      } else if (score > second) second = score;
    }
    const isCertain =
      kind === 'probabilities'
        ? top >= minimum
        : top - second >= farthest ||
          (top - second >= nearest && rivalWeight(data, cell, cells, best, temperature) <= most);
    certain[cell] = isCertain ? best : UNCERTAIN;
  }
  return certain;
}

function rivalWeight(data: Float32Array, cell: number, cells: number, best: number, temperature: number): number {
  const top = data[cell + best * cells] ?? 0;
  let sum = -1;
  for (let at = cell; at < data.length; at += cells) sum += expOfMinus((top - (data[at] ?? 0)) / temperature);
  return sum;
}

/** Interpolates all classes of one cell between two rows of cells, classes fastest in the result. */
function interpolateCell(
  { data, rows, columns }: ScoreGrid,
  above: number,
  below: number,
  t: number,
  line: Float32Array,
  to: number,
  classes: number,
): void {
  const plane = rows * columns;
  for (let c = 0, a = above, b = below; c < classes; c++, a += plane, b += plane) {
    const value = data[a] ?? 0;
    line[to + c] = value + ((data[b] ?? 0) - value) * t;
  }
}

/** Interpolates all classes between two cells of a line. */
function mix(line: Float32Array, left: number, right: number, t: number, voxel: Float32Array, classes: number): void {
  for (let c = 0; c < classes; c++) {
    const value = line[left + c] ?? 0;
    voxel[c] = value + ((line[right + c] ?? 0) - value) * t;
  }
}

/** Sums up the scores of several windows and views of one slice on the source grid.
 *
 * Overlapping windows of one view: the mean of their scores, weighted by a tent over each window, as in training's
 * predict.py. Views: the mean of their probabilities. Memory: one or two slices of scores. */
export interface ScoreBlend {
  /** [voxels × classes] of the view last ended, until another is begun: its windows' scores, classes fastest. */
  readonly scores: Float32Array;
  add(scores: ScoreGrid, window: Window): void;
  /** After the last window of a view. */
  endView(): void;
  /** After the last view: classifies the slice and starts over. */
  finish(slice: number, target: VoxelTarget): void;
}

/** @param views that will be added for each slice */
export function createScoreBlend(grid: GridView, scoring: Scoring, views: number): ScoreBlend {
  const { classes } = scoring;
  const voxels = grid.rows * grid.columns;
  const scores = new Float32Array(voxels * classes);
  const weights = new Float32Array(voxels);
  const probabilities = views > 1 ? new Float32Array(voxels * classes) : undefined;
  return {
    scores,
    add(window, placed) {
      addWindow(window, placed, grid, classes, scores, weights);
    },
    endView() {
      divideByWeights(scores, weights, classes);
      if (!probabilities) return;
      addProbabilities(scores, scoring, views, probabilities);
      scores.fill(0);
      weights.fill(0);
    },
    finish(slice, target) {
      const kind = probabilities ? 'probabilities' : scoring.kind;
      classifySlice(probabilities ?? scores, { ...scoring, kind }, grid, slice, target);
      for (const sums of [scores, weights, probabilities]) sums?.fill(0);
    },
  };
}

function addWindow(
  { data, rows, columns }: ScoreGrid,
  { x, y }: Window,
  grid: GridView,
  classes: number,
  scores: Float32Array,
  weights: Float32Array,
): void {
  const plane = rows * columns;
  const line = new Float32Array(columns * classes);
  for (let row = 0, voxel = 0; row < grid.rows; row++) {
    const rowWeight = y.weight[row] ?? 0;
    if (rowWeight === 0) {
      voxel += grid.columns;
      continue;
    }
    const above = (y.fromModel.lower[row] ?? 0) * columns;
    const below = above + (rows > 1 ? columns : 0);
    const down = y.fromModel.fraction[row] ?? 0;
    for (let cell = 0, out = 0; cell < columns; cell++) {
      for (let c = 0, at = cell; c < classes; c++, at += plane, out++) {
        const value = data[above + at] ?? 0;
        line[out] = value + ((data[below + at] ?? 0) - value) * down;
      }
    }
    for (let column = 0; column < grid.columns; column++, voxel++) {
      const weight = rowWeight * (x.weight[column] ?? 0);
      if (weight === 0) continue;
      weights[voxel] = (weights[voxel] ?? 0) + weight;
      const left = (x.fromModel.lower[column] ?? 0) * classes;
      const right = left + (columns > 1 ? classes : 0);
      const across = x.fromModel.fraction[column] ?? 0;
      for (let c = 0, at = voxel * classes; c < classes; c++, at++) {
        const value = line[left + c] ?? 0;
        scores[at] = (scores[at] ?? 0) + weight * (value + ((line[right + c] ?? 0) - value) * across);
      }
    }
  }
}

/** The windows cover the slice, so that every weight is above 0. */
function divideByWeights(scores: Float32Array, weights: Float32Array, classes: number): void {
  for (let voxel = 0, at = 0; voxel < weights.length; voxel++) {
    const weight = weights[voxel] ?? 1;
    for (let c = 0; c < classes; c++, at++) scores[at] = (scores[at] ?? 0) / weight;
  }
}

function addProbabilities(
  scores: Float32Array,
  { classes, kind, temperature }: Scoring,
  views: number,
  sums: Float32Array,
): void {
  for (let from = 0; from < scores.length; from += classes) {
    let top = -Infinity;
    for (let c = 0; c < classes; c++) top = Math.max(top, scores[from + c] ?? 0);
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const score = scores[from + c] ?? 0;
      const weight = kind === 'logits' ? expOfMinus((top - score) / temperature) : score;
      scores[from + c] = weight;
      sum += weight;
    }
    for (let c = 0; c < classes; c++) {
      sums[from + c] = (sums[from + c] ?? 0) + (scores[from + c] ?? 0) / (sum * views);
    }
  }
}

function classifySlice(
  scores: Float32Array,
  scoring: Scoring,
  grid: GridView,
  slice: number,
  target: VoxelTarget,
): void {
  for (let row = 0, from = 0; row < grid.rows; row++) {
    let at = grid.offset + slice * grid.strides.slice + row * grid.strides.row;
    for (let column = 0; column < grid.columns; column++, at += grid.strides.column, from += scoring.classes) {
      classifyVoxel(scores, from, scoring, target, at);
    }
  }
}
