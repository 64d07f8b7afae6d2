import { describe, expect, test } from 'vitest';
import { cornerBit, FULL_CELL, surfaceAreas } from '../../src/evaluate/surface-areas.ts';

type Triple = readonly [number, number, number];

const corners = Array.from({ length: 8 }, (_, n): Triple => [n & 1, (n >> 1) & 1, n >> 2]);
const codeOf = (inside: readonly Triple[]): number => inside.reduce((code, corner) => code | cornerBit(corner), 0);

describe('surfaceAreas', () => {
  const areas = surfaceAreas([2, 3, 5]);

  test('a cell has a surface exactly if some of its voxels are inside and some are not', () => {
    const without = [...areas.keys()].filter((code) => !((areas[code] ?? 0) > 0));
    expect(without).toEqual([0, FULL_CELL]);
  });

  test('a plane across a cell has the area of its face', () => {
    const across = ([0, 1, 2] as const).map((axis) => codeOf(corners.filter((corner) => corner[axis] === 0)));
    expect(across.map((code) => areas[code])).toEqual([15, 10, 6]);
  });

  test('a corner is cut off by the triangle between the midpoints of its three edges', () => {
    // Half the cross product of (−1, 1.5, 0) and (−1, 0, 2.5).
    for (const corner of corners) expect(areas[codeOf([corner])]).toBeCloseTo(Math.hypot(3.75, 2.5, 1.5) / 2, 12);
  });

  test('what is inside and what is outside have one surface', () => {
    for (let code = 0; code <= FULL_CELL; code++) expect(areas[code]).toBe(areas[FULL_CELL - code]);
  });
});
