import {
  createGeometry,
  dot,
  indexToWorld,
  worldToIndex,
  type Vector3,
  type VolumeGeometry,
} from '../volume/geometry.ts';
import type { SourceSeries } from '../volume/volume.ts';
import type { Labelmap } from './labelmap.ts';

/** Puts a labelmap of an interpolated volume back on the images that it was interpolated between: slice n of the result
 * is image n of the source, every voxel with the label nearest to it.
 * @returns the labelmap itself if its volume was not interpolated */
export function labelmapOnSourceSlices(labelmap: Labelmap, source: SourceSeries): Labelmap {
  if (source.interpolated === undefined) return labelmap;
  const { geometry, segments } = labelmap;
  const target = sourceSlicesGeometry(geometry, source);
  const [, , depth] = geometry.dimensions;
  const slices = positionsOf(source).map((position): SlicePlace => {
    const [column, row, slice] = worldToIndex(geometry, position);
    return { from: clamped(Math.round(slice), depth), column: Math.round(column), row: Math.round(row) };
  });
  return { geometry: target, voxels: movedSlices(labelmap, target, slices), segments };
}

/** The way back: every voxel of the interpolated grid has the label nearest to it on the nearest image.
 * @param onSlices as {@link labelmapOnSourceSlices} gives it */
export function labelmapFromSourceSlices(onSlices: Labelmap, source: SourceSeries, geometry: VolumeGeometry): Labelmap {
  const [, , normal] = geometry.direction;
  const positions = positionsOf(source);
  const depths = positions.map((position) => dot(position, normal));
  const slices = Array.from({ length: geometry.dimensions[2] }, (_, k): SlicePlace => {
    const point = indexToWorld(geometry, [0, 0, k]);
    const away = depths.map((depth) => Math.abs(depth - dot(point, normal)));
    const from = away.indexOf(Math.min(...away));
    const [column, row] = worldToIndex(geometry, positions[from] ?? point);
    return { from, column: -Math.round(column), row: -Math.round(row) };
  });
  return { geometry, voxels: movedSlices(onSlices, geometry, slices), segments: onSlices.segments };
}

/** The images of an interpolated volume as a grid. It has their size, but only a mean gap along the normal: where each of
 * them lies is in the source alone. */
export function sourceSlicesGeometry(geometry: VolumeGeometry, source: SourceSeries): VolumeGeometry {
  const { columns, rows } = source.interpolated ?? { columns: geometry.dimensions[0], rows: geometry.dimensions[1] };
  const positions = positionsOf(source);
  const count = positions.length;
  const [first = geometry.origin, last = geometry.origin] = [positions[0], positions.at(-1)];
  const span = dot([last[0] - first[0], last[1] - first[1], last[2] - first[2]], geometry.direction[2]);
  return createGeometry({
    ...geometry,
    dimensions: [columns, rows, count],
    spacing: [geometry.spacing[0], geometry.spacing[1], count > 1 ? span / (count - 1) : geometry.spacing[2]],
    origin: first,
  });
}

/** A slice that another one is made of, and where the other one's voxel (0, 0) lies in it. */
interface SlicePlace {
  readonly from: number;
  readonly column: number;
  readonly row: number;
}

function movedSlices(
  { voxels, geometry }: Labelmap,
  { dimensions: [columns, rows, count] }: VolumeGeometry,
  slices: readonly SlicePlace[],
): Labelmap['voxels'] {
  const [width, height] = geometry.dimensions;
  const size = columns * rows * count;
  const moved = voxels instanceof Uint8Array ? new Uint8Array(size) : new Uint16Array(size);
  slices.forEach(({ from, column, row }, n) => {
    const left = Math.max(0, -column);
    const right = Math.min(columns, width - column);
    for (let j = Math.max(0, -row); left < right && j < Math.min(rows, height - row); j++) {
      const start = (from * height + j + row) * width + column;
      moved.set(voxels.subarray(start + left, start + right), (n * rows + j) * columns + left);
    }
  });
  return moved;
}

function positionsOf({ instances }: SourceSeries): Vector3[] {
  return instances.map(({ imagePositionPatient: [x, y, z] }) => [Number(x), Number(y), Number(z)]);
}

function clamped(slice: number, count: number): number {
  return Math.min(Math.max(slice, 0), count - 1);
}
