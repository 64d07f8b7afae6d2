import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createScoreBlend, decodeWindow, type ScoreGrid } from '../../src/pipeline/decode.ts';
import { createVoxelTarget, scoringOf } from '../../src/pipeline/classify.ts';
import { placeWindows } from '../../src/pipeline/windows.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { viewGrid } from '../../src/volume/reorient.ts';
import { createManifest } from './fake-session.ts';

import stored from './golden/align-corners.json' with { type: 'json' };

const size = z.tuple([z.int(), z.int()]);
const { cases } = z
  .object({
    cases: z.array(
      z.object({ name: z.string(), slice: size, window: size, every: z.int(), values: z.array(z.array(z.number())) }),
    ),
  })
  .parse(stored);

const STRIDE = 8;

/** The formula of make_align_corners_golden.py. */
function scoresOf(seed: number, rows: number, columns: number): ScoreGrid {
  const data = Float32Array.from({ length: 3 * rows * columns }, (_, at) => {
    const [x, y, c] = [at % columns, Math.floor(at / columns) % rows, Math.floor(at / (rows * columns))];
    return ((c * 31 + y * 17 + x * 7 + seed * 11 + c * y * 5 + x * y * 3) % 97) / 16 - 3;
  });
  return { data, rows, columns };
}

describe('scores of a grid of 8 k + 1 pixels become what interpolate(align_corners=True) of PyTorch makes of them', () => {
  test.each(cases)('$name', ({ slice: [rows, columns], window, every, values }) => {
    const manifest = createManifest({
      segments: 2,
      input: { shape: [1, 1, ...window], spacing: 1 },
      output: { stride: STRIDE, alignCorners: true },
    });
    const scoring = scoringOf(manifest);
    const geometry = createGeometry({
      dimensions: [columns, rows, 1],
      spacing: [1, 1, 1],
      origin: [0, 0, 0],
      direction: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    });
    const grid = viewGrid(geometry, 'acquired', 'any');
    const windows = placeWindows(grid, manifest, 1);
    const blend = createScoreBlend(grid, scoring, 1);
    const cells = window.map((pixels) => (pixels - 1) / STRIDE + 1);
    const answers = windows.map((_, seed) => scoresOf(seed, cells[0] ?? 0, cells[1] ?? 0));
    windows.forEach((placed, at) => {
      const answer = answers[at];
      if (answer) blend.add(answer, placed);
    });
    blend.endView();

    const wrong = values.flatMap((expected, n) => {
      const found = [0, 1, 2].map((c) => blend.scores[n * every * 3 + c] ?? NaN);
      // Five decimals are stored; float32 of other orders of sums differs by less than that again.
      return expected.every((value, c) => Math.abs(value - (found[c] ?? NaN)) < 5e-5) ? [] : [{ n, expected, found }];
    });
    expect(values.length).toBeGreaterThan(400);
    expect(wrong).toEqual([]);

    const [only] = windows;
    const [answer] = answers;
    if (windows.length > 1 || !only || !answer) return;
    // The way of a slice that one window covers.
    const target = createVoxelTarget(rows * columns, 3, false);
    decodeWindow(answer, only, scoring, grid, 0, target);
    const behind = values.map(
      (expected, n) => Math.max(...expected) - (expected[target.labels[n * every] ?? -1] ?? NaN),
    );
    expect(Math.max(...behind)).toBeLessThan(5e-5);
  });
});
