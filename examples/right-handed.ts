import { indexToWorld, sliceView, type Volume, type VolumeGeometry, type VoxelArray } from '../src/index.ts';

/** A volume as images show it: DICOM's images are right-handed (PS3.3 C.7.6.2.1.1), but the grid of a NIfTI file may be
 * left-handed. Then the rows of every slice are taken in reverse order, as the core does for a model. */
export function rightHanded(volume: Volume): Volume {
  const { geometry } = volume;
  if (!isLeftHanded(geometry)) return volume;
  return { ...volume, geometry: withRowsReversed(geometry), voxels: reverseRows(volume.voxels, geometry) };
}

/** Labels of a volume that {@link rightHanded} gave, on the volume's own grid again. */
export function onGridOf<T extends VoxelArray>(labels: T, { geometry }: Volume): T {
  return isLeftHanded(geometry) ? reverseRows(labels, geometry) : labels;
}

function isLeftHanded({ direction: [[a, b, c], [d, e, f], [g, h, i]] }: VolumeGeometry): boolean {
  return (b * f - c * e) * g + (c * d - a * f) * h + (a * e - b * d) * i < 0;
}

function withRowsReversed(geometry: VolumeGeometry): VolumeGeometry {
  const [i, [x, y, z], k] = geometry.direction;
  return {
    ...geometry,
    origin: indexToWorld(geometry, [0, geometry.dimensions[1] - 1, 0]),
    direction: [i, [-x, -y, -z], k],
  };
}

function reverseRows<T extends VoxelArray>(voxels: T, geometry: VolumeGeometry): T {
  const [columns, rows, slices] = geometry.dimensions;
  const reversed = voxels.slice() as T;
  for (let k = 0; k < slices; k++) {
    const [from, to] = [sliceView(voxels, geometry, k), sliceView(reversed, geometry, k)];
    for (let j = 0; j < rows; j++) to.set(from.subarray(j * columns, (j + 1) * columns), (rows - 1 - j) * columns);
  }
  return reversed;
}
