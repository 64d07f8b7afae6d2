import type { GridView } from '../volume/reorient.ts';
import { classifyVoxel, expOfMinus, type Scoring, type VoxelTarget } from './classify.ts';
import type { ScoreGrid } from './decode.ts';
import type { Window } from './windows.ts';

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
