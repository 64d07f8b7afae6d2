import { createGeometry, worldToIndex, type WorldPoint } from '../volume/geometry.ts';
import type { SourceSeries } from '../volume/volume.ts';
import type { Labelmap } from './labelmap.ts';

/** Puts a labelmap of an interpolated volume back on the images that it was interpolated between: slice n of the result
 * is image n of the source, every voxel with the label nearest to it. The result's geometry has the images' size, but
 * only a mean gap: where its slices lie is in the source alone.
 * @returns the labelmap itself if its volume was not interpolated */
export function labelmapOnSourceSlices(labelmap: Labelmap, source: SourceSeries): Labelmap {
  if (source.interpolated === undefined) return labelmap;
  const { columns, rows } = source.interpolated;
  const { geometry, voxels, segments } = labelmap;
  const [width, height, depth] = geometry.dimensions;
  const count = source.instances.length;
  const placed =
    voxels instanceof Uint8Array ? new Uint8Array(columns * rows * count) : new Uint16Array(columns * rows * count);
  const positions = source.instances.map(({ imagePositionPatient }) => imagePositionPatient.map(Number));
  positions.forEach(([x = 0, y = 0, z = 0], n) => {
    const [column, row, slice] = worldToIndex(geometry, [x, y, z]).map(Math.round);
    if (column === undefined || row === undefined || slice === undefined) return;
    const k = Math.min(Math.max(slice, 0), depth - 1);
    const from = Math.max(0, -column);
    const to = Math.min(columns, width - column);
    for (let j = Math.max(0, -row); j < Math.min(rows, height - row); j++) {
      const start = (k * height + j + row) * width + column;
      placed.set(voxels.subarray(start + from, start + to), (n * rows + j) * columns + from);
    }
  });
  const [first, last] = [positions[0] ?? [0, 0, 0], positions.at(-1) ?? [0, 0, 0]];
  const span = Math.hypot(...first.map((value, axis) => (last[axis] ?? 0) - value));
  return {
    geometry: createGeometry({
      ...geometry,
      dimensions: [columns, rows, count],
      spacing: [geometry.spacing[0], geometry.spacing[1], count > 1 ? span / (count - 1) : geometry.spacing[2]],
      origin: first as unknown as WorldPoint,
    }),
    voxels: placed,
    segments,
  };
}
