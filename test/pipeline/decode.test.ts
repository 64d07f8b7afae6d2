import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createScoreBlend, decodeWindow, type ScoreGrid, toScoreGrid } from '../../src/pipeline/decode.ts';
import { certainProbability, expOfMinus, type Scoring, type VoxelTarget } from '../../src/pipeline/classify.ts';
import { placeWindows, type Window } from '../../src/pipeline/windows.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { type GridView, viewGrid } from '../../src/volume/reorient.ts';
import { createManifest } from './fake-session.ts';

interface Case {
  readonly scores: ScoreGrid;
  readonly scoring: Scoring;
  readonly grid: GridView;
  readonly window: Window;
}

/** Scores between "sure of one class everywhere" and "sure of nothing", on grids finer and coarser than the voxels. */
const anyCase: fc.Arbitrary<Case> = fc
  .record({
    classes: fc.integer({ min: 2, max: 6 }),
    cells: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    stride: fc.constantFrom(1, 2, 4),
    alignCorners: fc.boolean(),
    kind: fc.constantFrom('logits' as const, 'probabilities' as const),
    temperature: fc.constantFrom(0.5, 1, 2.5),
    amplitude: fc.constantFrom(0.5, 4, 12, 40),
    spacing: fc.tuple(fc.double({ min: 0.3, max: 2, noNaN: true }), fc.double({ min: 0.3, max: 2, noNaN: true })),
    seed: fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
  })
  .map(({ classes, cells: [rows, columns], stride, alignCorners, kind, temperature, amplitude, spacing, seed }) => {
    const softening = kind === 'logits' ? temperature : 1;
    const shape = [1, 1, rows * stride, columns * stride] as const;
    const manifest = createManifest({
      segments: classes - 1,
      input: { shape: [...shape] },
      output: { stride, alignCorners, kind, temperature: softening },
    });
    // The largest slice that one window covers.
    const geometry = createGeometry({
      dimensions: [
        Math.max(1, Math.floor((columns * stride) / spacing[0])),
        Math.max(1, Math.floor((rows * stride) / spacing[1])),
        1,
      ],
      spacing: [spacing[0], spacing[1], 1],
      origin: [0, 0, 0],
      direction: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    });
    const grid = viewGrid(geometry, 'acquired', 'any');
    const [window] = placeWindows(grid, manifest, 1);
    if (!window) throw new Error('no window');
    const data = Float32Array.from({ length: classes * rows * columns }, () => amplitude * (seed.next().value ?? 0));
    // Favour one class of most cells, so that many cells agree.
    for (let cell = 0; cell < rows * columns; cell++) {
      if (cell % 3 > 0) data[cell] = (data[cell] ?? 0) + amplitude;
    }
    if (kind === 'probabilities') toProbabilities(data, classes);
    return { scores: { data, rows, columns }, scoring: { classes, kind, temperature: softening }, grid, window };
  });

function toProbabilities(data: Float32Array, classes: number): void {
  const cells = data.length / classes;
  for (let cell = 0; cell < cells; cell++) {
    const weights = Array.from({ length: classes }, (_, c) => Math.exp(data[c * cells + cell] ?? 0));
    const sum = weights.reduce((a, b) => a + b);
    weights.forEach((weight, c) => {
      data[c * cells + cell] = weight / sum;
    });
  }
}

function createTarget({ grid, scoring }: Case): Required<VoxelTarget> {
  const count = grid.rows * grid.columns;
  return {
    labels: new Uint8Array(count),
    uncertainty: new Uint8Array(count),
    probabilities: new Uint8Array(count * scoring.classes),
  };
}

/** Voxel by voxel, from the definition. */
function decodeByDefinition({ scores, scoring, grid, window }: Case): { logits: number[]; entropy: number }[] {
  const { data, rows, columns } = scores;
  const { classes, kind, temperature } = scoring;
  return Array.from({ length: grid.rows * grid.columns }, (_, at) => {
    const [x, y] = [at % grid.columns, Math.floor(at / grid.columns)];
    const [left, top] = [window.x.fromModel.lower[x] ?? NaN, window.y.fromModel.lower[y] ?? NaN];
    const [across, down] = [window.x.fromModel.fraction[x] ?? NaN, window.y.fromModel.fraction[y] ?? NaN];
    const cell = (c: number, row: number, column: number): number =>
      data[(c * rows + Math.min(row, rows - 1)) * columns + Math.min(column, columns - 1)] ?? NaN;
    const logits = Array.from(
      { length: classes },
      (_value, c) =>
        (1 - down) * ((1 - across) * cell(c, top, left) + across * cell(c, top, left + 1)) +
        down * ((1 - across) * cell(c, top + 1, left) + across * cell(c, top + 1, left + 1)),
    );
    const weights = kind === 'logits' ? logits.map((l) => Math.exp((l - Math.max(...logits)) / temperature)) : logits;
    const sum = weights.reduce((a, b) => a + b);
    const entropy = weights.reduce((h, w) => (w > 0 ? h - (w / sum) * Math.log(w / sum) : h), 0);
    return { logits, entropy: entropy / Math.log(classes) };
  });
}

describe('decodeWindow', () => {
  test('gives every voxel the label and entropy of its own interpolated scores', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const target = createTarget(given);
        decodeWindow(given.scores, given.window, given.scoring, given.grid, 0, target);
        const wrong = decodeByDefinition(given).filter(({ logits, entropy }, at) => {
          // float32 may order two classes that differ by its rounding either way.
          const behind = Math.max(...logits) - (logits[target.labels[at] ?? -1] ?? NaN);
          const off = Math.abs((target.uncertainty[at] ?? NaN) - 255 * entropy);
          return !(behind <= 1e-5 && off < 0.53);
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('is what the blend of one window and one view gives', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const [fast, blended] = [createTarget(given), createTarget(given)];
        decodeWindow(given.scores, given.window, given.scoring, given.grid, 0, fast);
        const blend = createScoreBlend(given.grid, given.scoring, 1);
        blend.add(given.scores, given.window);
        blend.endView();
        blend.finish(0, blended);
        const wrong = decodeByDefinition(given).filter(({ logits }, at) => {
          const [here, there] = [fast.labels[at] ?? -1, blended.labels[at] ?? -1];
          // Another order of float32 sums may part a tie the other way.
          return here !== there && !(Math.abs((logits[here] ?? NaN) - (logits[there] ?? NaN)) <= 1e-5);
        });
        expect(wrong).toEqual([]);
        expect(largestDifference(fast.uncertainty, blended.uncertainty)).toBeLessThanOrEqual(1);
        expect(largestDifference(fast.probabilities, blended.probabilities)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });
});

describe('certainProbability', () => {
  test.each([2, 3, 4, 14, 200])(
    'leaves an entropy that rounds to 0, and is not stricter than needed: %i classes',
    (n) => {
      const rest = 1 - certainProbability(n);
      const entropy = -(1 - rest) * Math.log(1 - rest) - rest * Math.log(rest / (n - 1));
      const step = (255 * entropy) / Math.log(n);
      expect(Math.round(step)).toBe(0);
      expect(Math.round(255 * rest)).toBe(0);
      expect(step).toBeGreaterThan(0.4);
    },
  );
});

describe('expOfMinus', () => {
  test('is exp(−x) to 8e-6 of its value below 16, and 0 from there on', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 15.999, noNaN: true }), (x) => {
        expect(Math.abs(expOfMinus(x) / Math.exp(-x) - 1)).toBeLessThan(8e-6);
      }),
    );
    expect([expOfMinus(0), expOfMinus(16), expOfMinus(Infinity)]).toEqual([1, 0, 0]);
  });
});

describe('toScoreGrid', () => {
  test.each([
    [[1, 3, 2, 2], 12],
    [[2, 4, 2, 2], 16],
    [[1, 4, 2, 2], 12],
  ])('refuses shape %j with %i values for 4 classes', (shape, length) => {
    expect(() => toScoreGrid({ shape, data: new Float32Array(length) }, 4)).toThrow(/^The model answered shape/);
  });
});

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - (b[at] ?? NaN))), 0);
}
