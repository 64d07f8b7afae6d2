import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeWindows } from '../../src/pipeline/windows.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { viewGrid, type GridView } from '../../src/volume/reorient.ts';
import { errorWith } from '../support/matchers.ts';
import { createManifest } from './fake-session.ts';

function gridOf(columns: number, rows: number, spacing: number): GridView {
  const geometry = createGeometry({
    dimensions: [columns, rows, 1],
    spacing: [spacing, spacing, 1],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  });
  return viewGrid(geometry, 'acquired', 'any');
}

describe('placeWindows', () => {
  test('every voxel lies in a window, and a window that is not needed is not placed', () => {
    const anySlice = fc.record({
      columns: fc.integer({ min: 1, max: 90 }),
      rows: fc.integer({ min: 1, max: 90 }),
      spacing: fc.double({ min: 0.4, max: 4, noNaN: true }),
    });
    fc.assert(
      fc.property(anySlice, ({ columns, rows, spacing }) => {
        const windows = placeWindows(gridOf(columns, rows, spacing), createManifest(), 1);
        for (const [axis, length, size] of [
          ['x', columns, 16],
          ['y', rows, 12],
        ] as const) {
          const weights = windows.map((window) => window[axis].weight);
          for (let n = 0; n < length; n++) expect(Math.max(...weights.map((w) => w[n] ?? NaN))).toBeGreaterThan(0);
          // A quarter of each window overlaps the next: n of them cover (3 n + 1) / 4 of their size.
          const count = new Set(windows.map((window) => window[axis])).size;
          if (count > 1) expect(length * spacing).toBeGreaterThan(((3 * (count - 1) + 1) / 4) * size - 1e-9);
        }
      }),
    );
  });

  test('a slice as wide as a street, whose spacing must be wrong, is refused before windows are placed', () => {
    expect(() => placeWindows(gridOf(512, 512, 1000), createManifest(), 1)).toThrow(
      errorWith({ code: 'model-mismatch' }),
    );
    expect(() => placeWindows(gridOf(512, 512, 1e9), createManifest(), 1)).toThrow(/512000000000 × 512000000000 mm/);
  });

  test('score pixels lie on the centres of their cells, or on the corners where the model aligns them', () => {
    // 16 pixels of 1 mm on 16 voxels of 1 mm: voxel n is pixel n; a cell is four pixels.
    const placesOf = (alignCorners: boolean): number[] => {
      const manifest = createManifest({ output: { stride: 4, alignCorners } });
      const [window] = placeWindows(gridOf(16, 12, 1), manifest, 1);
      const { lower, fraction } = window?.x.fromModel ?? { lower: new Int32Array(), fraction: new Float32Array() };
      return Array.from(lower, (cell, n) => cell + (fraction[n] ?? NaN));
    };
    const halfPixel = Array.from({ length: 16 }, (_, n) => Math.min(Math.max((n + 0.5) / 4 - 0.5, 0), 3));
    placesOf(false).forEach((place, n) => {
      expect(place).toBeCloseTo(halfPixel[n] ?? NaN, 6);
    });
    placesOf(true).forEach((place, n) => {
      expect(place).toBeCloseTo((n * 3) / 15, 6);
    });
  });
});
