import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import type { SourceSeries } from '../../src/volume/volume.ts';
import { seriesOn, testSegments, testUid } from '../support/labelled-series.ts';

export const COLUMNS = 512;
export const SLICES = 300;
export const SEGMENTS = 5;

export interface SegSample {
  readonly labelmap: Labelmap;
  readonly source: SourceSeries;
}

/** 512 × 512 × 300 with five organs, each an oval that wanders from slice to slice: a frame of every segment on every
 * slice, about a tenth of the voxels labelled. */
export function createSegSample(): SegSample {
  const geometry = createGeometry({
    dimensions: [COLUMNS, COLUMNS, SLICES],
    spacing: [0.8, 0.8, 1.5],
    origin: [-204.4, -204.4, -600],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    frameOfReferenceUID: testUid(3),
  });
  const voxels = new Uint8Array(COLUMNS * COLUMNS * SLICES);
  for (let k = 0; k < SLICES; k++) {
    for (let segment = 1; segment <= SEGMENTS; segment++) paintOval(voxels, k, segment);
  }
  return { labelmap: { geometry, voxels, segments: testSegments(SEGMENTS) }, source: seriesOn(geometry) };
}

function paintOval(voxels: Uint8Array, k: number, segment: number): void {
  const angle = (2 * Math.PI * segment) / SEGMENTS + k / 60;
  const [x, y] = [256 + 110 * Math.cos(angle), 256 + 110 * Math.sin(angle)];
  const [a, b] = [50 - 5 * segment + 6 * Math.sin(k / 20), 34 + 3 * segment];
  for (let j = Math.ceil(y - b); j <= y + b; j++) {
    const half = a * Math.sqrt(1 - ((j - y) / b) ** 2);
    const row = (k * COLUMNS + j) * COLUMNS;
    voxels.fill(segment, row + Math.ceil(x - half), row + Math.floor(x + half) + 1);
  }
}
