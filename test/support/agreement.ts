import { expect } from 'vitest';
import type { InferenceSession, Tensor } from '../../src/inference/backend.ts';
import { createScoreBlend, toScoreGrid } from '../../src/pipeline/decode.ts';
import { scoringOf } from '../../src/pipeline/classify.ts';
import { placeViews } from '../../src/pipeline/preprocess.ts';
import { segmentVolume } from '../../src/pipeline/segment-volume.ts';
import { firstToLast, listRuns, PLAIN_VIEW } from '../../src/pipeline/slice-runs.ts';
import { flipSliceIndex, viewGrid } from '../../src/volume/reorient.ts';
import type { Volume, VoxelArray } from '../../src/volume/volume.ts';

/** How far two backends label a volume alike, before any post-processing. */
export interface Agreement {
  readonly voxels: number;
  /** Voxels that the reference gives to a segment. */
  readonly labelled: number;
  readonly differing: number;
  /** The largest gap between the reference's two best scores at a voxel that the other labels differently. */
  readonly largestGap: number;
}

/** Segments a volume on two sessions of one model and compares the labels voxel by voxel. */
export async function compareSessions(
  volume: Volume,
  reference: InferenceSession,
  other: InferenceSession,
): Promise<Agreement> {
  const scores: Tensor[] = [];
  const expected = await labelsOf(volume, reference, (tensor) => scores.push(tensor));
  const actual = await labelsOf(volume, other);
  const differs = Array.from(expected, (label, at) => label !== actual[at]);
  const gaps = [...gapsWhere(differs, volume, reference, scores)];
  return {
    voxels: expected.length,
    labelled: Array.from(expected).filter((label) => label > 0).length,
    differing: gaps.length,
    largestGap: gaps.reduce((largest, gap) => Math.max(largest, gap), 0),
  };
}

/** What two backends owe each other: the same label in 99.99 % of the voxels, and elsewhere scores that are as good as
 * equal, for their kernels sum in another order. */
export function expectAgreement({ voxels, differing, largestGap }: Agreement): void {
  expect(1 - differing / voxels).toBeGreaterThanOrEqual(0.9999);
  expect(largestGap).toBeLessThanOrEqual(1e-3);
}

async function labelsOf(
  volume: Volume,
  session: InferenceSession,
  onScores?: (scores: Tensor) => void,
): Promise<VoxelArray> {
  const { manifest } = session.model;
  const observed: InferenceSession = {
    ...session,
    model: { manifest: { ...manifest, postProcess: [] } },
    async run(input, options) {
      const scores = await session.run(input, options);
      onScores?.(scores);
      return scores;
    },
  };
  return (await segmentVolume(volume, { session: observed, softwareVersion: 'test' })).labelmap.voxels;
}

/** The gap between the two best of the recorded scores, brought to the volume's grid, at each chosen voxel. */
function* gapsWhere(
  isChosen: readonly boolean[],
  volume: Volume,
  { model: { manifest } }: InferenceSession,
  recorded: readonly Tensor[],
): Generator<number> {
  const scoring = scoringOf(manifest);
  const { classes } = scoring;
  const grid = viewGrid(volume.geometry, manifest.input.sliceAxis, manifest.input.orientation);
  const blend = createScoreBlend(grid, scoring, 1);
  const order = firstToLast(grid.slices).map((index) => flipSliceIndex(grid, index));
  const runs = [...listRuns(order, placeViews([PLAIN_VIEW], grid, manifest))];
  const discarded = { labels: new Uint8Array(isChosen.length), uncertainty: new Uint8Array(isChosen.length) };
  expect(recorded).toHaveLength(runs.length);
  for (const [n, { slice, window, endsSlice }] of runs.entries()) {
    const scores = recorded[n];
    if (scores !== undefined) blend.add(toScoreGrid(scores, classes), window);
    if (!endsSlice) continue;
    blend.endView();
    for (let row = 0, from = 0; row < grid.rows; row++) {
      let at = grid.offset + slice * grid.strides.slice + row * grid.strides.row;
      for (let column = 0; column < grid.columns; column++, at += grid.strides.column, from += classes) {
        if (isChosen[at]) yield gapOfBestTwo(blend.scores.subarray(from, from + classes));
      }
    }
    blend.finish(slice, discarded);
  }
}

function gapOfBestTwo(scores: Float32Array): number {
  const [best = 0, second = 0] = [...scores].sort((a, b) => b - a);
  return best - second;
}
