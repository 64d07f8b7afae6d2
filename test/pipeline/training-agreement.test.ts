import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Tensor } from '../../src/inference/backend.ts';
import { createScoreBlend, toScoreGrid } from '../../src/pipeline/decode.ts';
import { scoringOf } from '../../src/pipeline/classify.ts';
import { createNeighbourMixer } from '../../src/pipeline/neighbour-scores.ts';
import { createInputPreparer, placeViews } from '../../src/pipeline/preprocess.ts';
import { segmentVolume } from '../../src/pipeline/segment-volume.ts';
import { listRuns, PLAIN_VIEW } from '../../src/pipeline/slice-runs.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { type GridView, viewGrid } from '../../src/volume/reorient.ts';
import type { Volume } from '../../src/volume/volume.ts';
import { createFakeSession, createManifest } from './fake-session.ts';

const numbers = z.array(z.number());
const triple = z.tuple([z.number(), z.number(), z.number()]);
const goldens = z
  .array(
    z.object({
      name: z.string(),
      dimensions: triple,
      spacing: triple,
      direction: z.tuple([triple, triple, triple]),
      input: z.object({
        size: z.number(),
        spacing: z.number(),
        low: z.number(),
        high: z.number(),
        intensity: z.enum(['window', 'percentile']),
        slice_axis: z.enum(['acquired', 'axial', 'sagittal', 'coronal']),
        orientation: z.enum(['LPS', 'any']),
        neighbour_weight: z.number(),
      }),
      voxels: numbers,
      inputs: z.array(numbers),
      scores: numbers,
    }),
  )
  .parse(JSON.parse(readFileSync(new URL('golden/predict.json', import.meta.url), 'utf8')));

const CLASSES = 4;
const STRIDE = 4;

/** float32 sums in another order differ by a few 1e-7 of values up to 10. */
const TOLERANCE = 1e-5;

// Made by make_predict_golden.py: the code that the models were trained and evaluated with.
describe.each(goldens)('like the training code: $name', ({ dimensions, spacing, direction, input, ...golden }) => {
  const { size, intensity, low, high } = input;
  const manifest = createManifest({
    segments: CLASSES - 1,
    input: {
      shape: [1, 3, size, size],
      channels: { offsetsInSlices: [-1, 0, 1], edge: 'replicate' },
      spacing: input.spacing,
      intensity: { kind: intensity, scope: 'volume', low, high },
      sliceAxis: input.slice_axis,
      orientation: input.orientation,
    },
    output: { stride: STRIDE, neighbourWeight: input.neighbour_weight },
  });
  const geometry = createGeometry({ dimensions, spacing, origin: [0, 0, 0], direction });
  const volume: Volume = {
    geometry,
    voxels: Uint8Array.from(golden.voxels),
    modality: 'MR',
    bodyPartExamined: 'HEART',
  };
  const grid = viewGrid(geometry, input.slice_axis, input.orientation);
  const views = placeViews([PLAIN_VIEW], grid, manifest);
  const runs = [...listRuns(Array(grid.slices).keys(), views)];

  test('every window shows the model the same input', () => {
    const prepare = createInputPreparer(volume, grid, manifest);
    expect(runs.length).toBe(golden.inputs.length);
    runs.forEach((run, n) => {
      expect(largestDifference(prepare(run).data, golden.inputs[n] ?? [])).toBeLessThan(TOLERANCE);
    });
  });

  test('the scores on the source grid are the same', () => {
    const blend = createScoreBlend(grid, scoringOf(manifest), 1);
    const prepare = createInputPreparer(volume, grid, manifest);
    const mixer = createNeighbourMixer([...Array(grid.slices).keys()], grid.slices, input.neighbour_weight);
    const shape = [1, CLASSES, size / STRIDE, size / STRIDE];
    const scored = runs.flatMap((task) => {
      const run = { task, scores: { shape, data: formula(prepare(task)) } };
      return Array.from(mixer.add(run), (mixed) => structuredClone(mixed));
    });
    expect(scored.length).toBe(runs.length);
    for (const { task, scores } of scored) {
      blend.add(toScoreGrid(scores, CLASSES), task.window);
      if (!task.endsSlice) continue;
      blend.endView();
      const expected = storedPlaces(grid, task.slice).flatMap((at) => scoresAt(golden.scores, at));
      expect(largestDifference(blend.scores, expected)).toBeLessThan(TOLERANCE);
      blend.finish(task.slice, {
        labels: new Uint8Array(volume.voxels.length),
        uncertainty: new Uint8Array(volume.voxels.length),
      });
    }
  });

  test('labels, entropy and probabilities are those of the scores', async () => {
    const session = createFakeSession(manifest, formula);
    const { labelmap, uncertainty, probabilities } = await segmentVolume(volume, {
      session,
      softwareVersion: 'test',
      keepProbabilities: true,
    });
    golden.voxels.forEach((_, at) => {
      const logits = scoresAt(golden.scores, at);
      const [first = 0, second = 0] = [...logits].sort((a, b) => b - a);
      if (first - second > TOLERANCE) expect(labelmap.voxels[at]).toBe(logits.indexOf(first));
      const weights = logits.map((logit) => Math.exp(logit - first));
      const sum = weights.reduce((a, b) => a + b);
      const entropy = -weights.reduce((total, weight) => total + (weight / sum) * Math.log(weight / sum), 0);
      // Half a step of rounding, and a little for the table of exponentials.
      expect(Math.abs((uncertainty.voxels[at] ?? NaN) - (255 * entropy) / Math.log(CLASSES))).toBeLessThan(0.51);
      weights.forEach((weight, c) => {
        const stored = probabilities?.[c * volume.voxels.length + at] ?? NaN;
        expect(Math.abs(stored - (255 * weight) / sum)).toBeLessThan(0.51);
      });
    });
  });
});

const WEIGHTS = [
  [2, -3, 1],
  [-4, 9, -2],
  [3, 1, -5],
  [-1, -6, 8],
];
const TILTS = [
  [0, 0],
  [0.5, -0.25],
  [-0.375, 0.125],
  [0.25, 0.5],
];

/** The formula of make_predict_golden.py. */
function formula({ data, shape }: Tensor): Float32Array {
  const [, channels = 0, size = 0] = shape;
  const cells = size / STRIDE;
  const scores = new Float32Array(CLASSES * cells * cells);
  for (let c = 0, at = 0; c < CLASSES; c++) {
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++, at++) {
        let score = row * (TILTS[c]?.[0] ?? NaN) + column * (TILTS[c]?.[1] ?? NaN);
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          for (let n = 0; n < STRIDE * STRIDE; n++) {
            const y = row * STRIDE + Math.floor(n / STRIDE);
            sum += data[(channel * size + y) * size + column * STRIDE + (n % STRIDE)] ?? NaN;
          }
          score += ((WEIGHTS[c]?.[channel] ?? NaN) * sum) / (STRIDE * STRIDE);
        }
        scores[at] = score;
      }
    }
  }
  return scores;
}

/** Where the volume's array has each voxel of a view's slice. */
function storedPlaces({ offset, strides, rows, columns }: GridView, slice: number): number[] {
  return Array.from({ length: rows * columns }, (_, n) => {
    const row = Math.floor(n / columns);
    return offset + slice * strides.slice + row * strides.row + (n % columns) * strides.column;
  });
}

function scoresAt(scores: readonly number[], voxel: number): number[] {
  return scores.slice(voxel * CLASSES, (voxel + 1) * CLASSES);
}

function largestDifference(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (values.length !== expected.length) return Infinity;
  return Array.from(values).reduce((largest, value, at) => {
    const difference = Math.abs(value - (expected[at] ?? NaN));
    return difference <= largest ? largest : difference;
  }, 0);
}
