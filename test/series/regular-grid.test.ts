import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depthTolerance, findGridProblem, fittedSpacing, type SlicePlace } from '../../src/series/regular-grid.ts';

const upright = (depths: readonly number[]): SlicePlace[] => depths.map((depth) => ({ depth, row: -10, column: -20 }));
const depthsOf = (count: number, gap: number): number[] => Array.from({ length: count }, (_, n) => 30 + gap * n);
const rounded = (values: readonly number[], digits: number): number[] => values.map((mm) => Number(mm.toFixed(digits)));

describe('slices are a regular grid', () => {
  it.each([0.625, 0.7, 1.25, 2.5, 3.27, 5])('of %s mm where their positions are rounded to 0.1 mm', (gap) => {
    const depths = rounded(depthsOf(60, gap), 1);
    expect(findGridProblem(upright(depths))).toBeUndefined();
    // The nominal spacing, to the rounding of the ends: SimpleITK has (last - first) / (n - 1), which is as near.
    expect(Math.abs(fittedSpacing(depths) - gap)).toBeLessThan(0.1 / 59);
  });

  it('where each lies within the tolerance, whatever its gaps', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 20, noNaN: true }),
        fc.array(fc.double({ min: -0.4, max: 0.4, noNaN: true }), { minLength: 3, maxLength: 40 }),
        (gap, errors) => {
          const depths = errors.map((error, n) => gap * n + error * depthTolerance(gap));
          expect(findGridProblem(upright(depths))).toBeUndefined();
        },
      ),
    );
  });

  it('of oblique positions rounded to 0.1 mm, which then are not quite above each other', () => {
    const places = depthsOf(30, 2).map((depth, n) => ({
      depth: depth + 0.04 * ((n % 3) - 1),
      row: 0.05 * ((n % 3) - 1),
      column: 0.05 * (((n + 1) % 3) - 1),
    }));
    expect(findGridProblem(places)).toBeUndefined();
  });

  it('if they are two, however far apart', () => {
    expect(findGridProblem(upright([0, 300]))).toBeUndefined();
  });
});

describe('the tolerance', () => {
  it.each([
    [0.3, 0.03],
    [0.6, 0.06],
    [1, 0.06],
    [6, 0.06],
    [10, 0.1],
  ])('of a gap of %s mm is %s mm', (gap, tolerance) => {
    expect(depthTolerance(gap)).toBeCloseTo(tolerance, 9);
  });
});

describe('a wrong position', () => {
  const grid = depthsOf(8, 2.5);

  it.each([
    ['far aside', { depth: 3.825, row: 3.42e9, column: 2.95e-39 }, true],
    ['at the origin', { depth: 0, row: 0, column: 0 }, true],
    ['aside of its place', { depth: 37.5, row: 25, column: -20 }, true],
    ['far beyond the others', { depth: 4000.1, row: -10, column: -20 }, false],
    ['between two others', { depth: 36.2, row: -10, column: -20 }, false],
    ['near its place', { depth: 37.8, row: -10, column: -20 }, false],
  ])('%s is that of one slice, wherever it stands in order', (_, wrong, isAside) => {
    const places = upright(grid).map((place, n) => (n === 3 ? wrong : place));
    const sorted = places.toSorted((a, b) => a.depth - b.depth);
    expect(findGridProblem(sorted)).toMatchObject({ kind: 'misplaced', slice: sorted.indexOf(wrong), isAside });
  });

  it.each([0, 1, 4, 7])('of slice %i is named among tilted slices', (wrong) => {
    const places = grid.map((depth, n) => ({ depth, row: 0, column: 0.8 * n + (n === wrong ? 40 : 0) }));
    expect(findGridProblem(places)).toMatchObject({ kind: 'misplaced', slice: wrong, isAside: true });
  });

  it('of one of three', () => {
    const places = [0, 2.5, 5].map((depth, n) => ({ depth, row: n === 1 ? 90 : 0, column: 0 }));
    expect(findGridProblem(places)).toMatchObject({ kind: 'misplaced', slice: 1 });
  });
});

describe('slices that are no grid', () => {
  it('lean if all leave the normal alike', () => {
    const places = depthsOf(6, 2.5).map((depth, n) => ({ depth, row: 0, column: 0.8 * n }));
    expect(findGridProblem(places)).toMatchObject({ kind: 'leaning', slice: 5, inPlaneMm: 4, alongNormalMm: 12.5 });
  });

  it('have a gap where one or some are missing', () => {
    expect(findGridProblem(upright([0, 2.5, 5, 10, 12.5]))).toEqual({
      kind: 'gaps',
      usualGapMm: 2.5,
      gaps: [{ n: 2, gapMm: 5 }],
    });
    expect(findGridProblem(upright([0, 2, 4, 6, 306, 308, 310]))).toMatchObject({
      kind: 'gaps',
      gaps: [{ n: 3, gapMm: 300 }],
    });
  });

  it('have gaps of several sizes', () => {
    expect(findGridProblem(upright([0, 2, 4, 6, 11, 16, 21, 26]))).toMatchObject({ kind: 'gaps' });
  });
});
