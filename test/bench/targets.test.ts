import { describe, expect, it } from 'vitest';
import type { RunFigures } from './contenders.ts';
import { judge, median, type SeriesFigures } from './targets.ts';

const run = (outsideMs: number, peakBytes: number): RunFigures => ({
  inferenceMs: 1000,
  outsideMs,
  wallMs: 1000 + outsideMs,
  peakBytes,
  labelledVoxels: 1,
});

const series = (slices: number, ours: RunFigures, peer?: RunFigures): SeriesFigures => ({
  slices,
  voxels: slices * 65536,
  ours,
  ...(peer && { peer }),
});

const missed = (figures: SeriesFigures[]): string[] =>
  judge(figures)
    .filter(({ holds }) => !holds)
    .map(({ kind, claim }) => `${kind} ${claim}`);

describe('judge', () => {
  it('holds where every limit is just met', () => {
    // 120 · 256² · 4 bytes + 400 MB
    const limit = run(1200, 431_457_280);
    expect(missed([series(120, limit, run(3600, 862_914_560))])).toEqual([]);
  });

  it('misses each limit that is just passed', () => {
    expect(missed([series(120, run(1201, 431_457_281), run(1201, 431_457_281))])).toEqual([
      'must 120 slices: time outside session.run at most 1.20 s',
      'must 120 slices: peak memory at most 431 MB',
      "must 120 slices: time outside at most 1.00 of the Python stack's",
      "must 120 slices: peak memory at most 1.00 of the Python stack's",
      "target 120 slices: time outside at most 0.33 of the Python stack's",
      "target 120 slices: peak memory at most 0.50 of the Python stack's",
    ]);
  });

  it('accepts a linear cost and finds a quadratic one', () => {
    const of = (cost: (slices: number) => number): SeriesFigures[] =>
      [60, 120, 240].map((slices) => series(slices, run(cost(slices), 3e8)));
    expect(missed(of((n) => 300 + 4 * n))).toEqual([]);
    expect(missed(of((n) => 300 + 0.02 * n * n)).filter((claim) => claim.includes('linearly'))).toEqual([
      'must time outside grows linearly from 60 to 240 slices',
    ]);
  });
});

describe('median', () => {
  it('is the middle of an odd count and the mean of the middle two of an even one', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
  });
});
