import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distancesToSurface } from '../../src/evaluate/surface-distances.ts';
import { findSurfaceCells, type SurfaceCells } from '../../src/evaluate/surface-areas.ts';
import type { Vector3 } from '../../src/volume/geometry.ts';
import { obliqueGeometry, testLabelmap } from '../support/labelled-series.ts';

const size = fc.integer({ min: 1, max: 7 });
const spacing = fc.double({ min: 0.2, max: 9, noNaN: true });
const masks = fc.record({
  dimensions: fc.tuple(size, size, size),
  spacing: fc.tuple(spacing, spacing, spacing),
  from: fc.array(fc.nat({ max: 1 }), { minLength: 1, maxLength: 60 }),
  to: fc.array(
    fc.nat({ max: 9 }).map((n) => Number(n === 0)),
    { minLength: 1, maxLength: 60 },
  ),
});

describe('distancesToSurface', () => {
  test('each distance is the least of all', () => {
    fc.assert(
      fc.property(masks, ({ dimensions, spacing: mm, from, to }) => {
        const box = { start: [0, 0, 0], size: dimensions } as const;
        const geometry = obliqueGeometry(dimensions);
        const [a, b] = [from, to].map((voxels) => findSurfaceCells(testLabelmap(voxels, { geometry }), 1, box));
        if (a === undefined || b === undefined) throw new RangeError('two surfaces');
        const found = distancesToSurface(a, b, mm);
        const places = [placesOf(a), placesOf(b)] as const;
        for (const [cell, place] of places[0].entries()) {
          const least = Math.min(...places[1].map((other) => distance(place, other, mm)));
          if (least === Infinity) expect(found[cell]).toBe(Infinity);
          else expect(found[cell]).toBeCloseTo(least, 9);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a surface is in its place in any box that holds it', () => {
    const labelmap = testLabelmap([0, 0, 1, 0, 1, 1, 0]);
    const whole = findSurfaceCells(labelmap, 1, { start: [0, 0, 0], size: [7, 5, 4] });
    const part = findSurfaceCells(labelmap, 1, { start: [2, 0, 0], size: [4, 5, 4] });
    expect(placesOf(part).map(([i, j, k]) => [i + 2, j, k])).toEqual(placesOf(whole));
    expect(part.codes).toEqual(whole.codes);
  });
});

function placesOf({ dimensions: [columns], planeStarts, places }: SurfaceCells): Vector3[] {
  return Array.from(places, (place, cell) => {
    const k = planeStarts.findLastIndex((start) => start <= cell);
    return [place % columns, Math.floor(place / columns), k];
  });
}

function distance(a: Vector3, b: Vector3, mm: Vector3): number {
  return Math.hypot((a[0] - b[0]) * mm[0], (a[1] - b[1]) * mm[1], (a[2] - b[2]) * mm[2]);
}
