import {
  AXIS_ORDERS,
  createGeometry,
  indexToWorld,
  worldToIndex,
  type Axis,
  type Vector3,
  type VolumeGeometry,
} from '../../src/volume/geometry.ts';
import type { Volume } from '../../src/volume/volume.ts';

export function indexOf({ dimensions: [columns, rows] }: VolumeGeometry, at: number): Vector3 {
  return [at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows))];
}

function offsetOf({ dimensions: [columns, rows] }: VolumeGeometry, [i, j, k]: Vector3): number {
  return Math.round(i) + columns * (Math.round(j) + rows * Math.round(k));
}

/** The voxel of `there` at the same place in the patient as voxel `at` of `here`. */
export function sameVoxel(here: VolumeGeometry, there: VolumeGeometry, at: number): number {
  return offsetOf(there, worldToIndex(there, indexToWorld(here, indexOf(here, at))));
}

/** The same image with its axes permuted and flipped in every way. */
export function allStorageOrders(volume: Volume): Volume[] {
  return AXIS_ORDERS.flatMap((axes) => Array.from({ length: 8 }, (_, flips) => storedAlong(volume, axes, flips)));
}

/** The same image with stored axis n being axis `axes[n]` of the volume, run backwards where bit n of `flips` is set. */
export function storedAlong(volume: Volume, axes: readonly [Axis, Axis, Axis], flips: number): Volume {
  const { dimensions, spacing, direction } = volume.geometry;
  const isFlipped = (n: number): boolean => ((flips >> n) & 1) === 1;
  const first: [number, number, number] = [0, 0, 0];
  axes.forEach((axis, n) => {
    if (isFlipped(n)) first[axis] = dimensions[axis] - 1;
  });
  const turned = (n: Axis): Vector3 => {
    const [x, y, z] = direction[axes[n]];
    return isFlipped(n) ? [-x, -y, -z] : [x, y, z];
  };
  const geometry = createGeometry({
    dimensions: [dimensions[axes[0]], dimensions[axes[1]], dimensions[axes[2]]],
    spacing: [spacing[axes[0]], spacing[axes[1]], spacing[axes[2]]],
    origin: indexToWorld(volume.geometry, first),
    direction: [turned(0), turned(1), turned(2)],
  });
  const voxels = new Float32Array(volume.voxels.length);
  volume.voxels.forEach((value, at) => {
    voxels[sameVoxel(volume.geometry, geometry, at)] = value;
  });
  return { ...volume, geometry, voxels };
}
