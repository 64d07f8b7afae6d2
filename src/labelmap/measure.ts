import { indexToWorld, voxelVolumeMl, type WorldPoint } from '../volume/geometry.ts';
import type { Labelmap } from './labelmap.ts';

/** The size and place of one segment. */
export interface SegmentMeasure {
  readonly segmentNumber: number;
  readonly voxelCount: number;
  readonly volumeMl: number;
  /** Mean of the voxel centres, LPS mm; undefined for an empty segment. */
  readonly centroid?: WorldPoint;
}

/** Measures every segment of a labelmap, in the order of its segments; labels without a segment are not counted. */
export function measureSegments(labelmap: Labelmap): SegmentMeasure[] {
  const { geometry, segments } = labelmap;
  const sums = sumIndices(labelmap);
  return segments.map(({ segmentNumber }) => {
    const [count, i, j, k] = sums.get(segmentNumber) ?? [0, 0, 0, 0];
    const size = { segmentNumber, voxelCount: count, volumeMl: count * voxelVolumeMl(geometry) };
    return count === 0 ? size : { ...size, centroid: indexToWorld(geometry, [i / count, j / count, k / count]) };
  });
}

type IndexSums = [count: number, i: number, j: number, k: number];

/** Voxel count and sums of i, j, k by label. Runs of one label in a row are added at once: most of a row is one. */
function sumIndices({ geometry, voxels }: Labelmap): Map<number, IndexSums> {
  const [columns, rows, slices] = geometry.dimensions;
  const sums = new Map<number, IndexSums>();
  for (let k = 0, row = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++, row += columns) {
      for (let i = 0; i < columns;) {
        const label = voxels[row + i] ?? 0;
        const start = i;
        do i++;
        while (i < columns && voxels[row + i] === label);
        if (label === 0) continue;
        const sum = sums.get(label) ?? [0, 0, 0, 0];
        const length = i - start;
        sum[0] += length;
        sum[1] += (length * (start + i - 1)) / 2;
        sum[2] += length * j;
        sum[3] += length * k;
        sums.set(label, sum);
      }
    }
  }
  return sums;
}
