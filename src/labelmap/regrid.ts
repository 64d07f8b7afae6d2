import { InputError } from '../errors.ts';
import type { Labelmap } from './labelmap.ts';
import {
  type Axis,
  dot,
  gridDistanceMm,
  indexToWorld,
  type VolumeGeometry,
  voxelCount,
  worldToIndex,
} from '../volume/geometry.ts';
import type { Volume } from '../volume/volume.ts';

/** As many as one volume may have; two small files may lie kilometres apart. */
const MAX_COMMON_VOXELS = 2 ** 30;

/** Two grids are one if no corner is farther off than this part of the smallest spacing: NIfTI stores float32, DICOM
 * six digits or so, and neither comes near it. */
const TOLERANCE_PART = 0.05;
/** Cosine of two axes that run the same way; 0.6°, beyond what rounding does to directions. */
const PARALLEL = 0.9999;

/** Puts a labelmap on another grid of the same voxels: axes in another order or running the other way, or a part of
 * the grid, whose rest becomes background. Nothing is interpolated.
 * @throws InputError `geometry-mismatch` if the voxels do not lie on each other, or a label lies outside */
export function regridLabelmap(labelmap: Labelmap, target: VolumeGeometry): Labelmap {
  if (isSameGrid(labelmap.geometry, target)) return { ...labelmap, geometry: target };
  const placement = placeGrid(labelmap.geometry, target);
  const { geometry: from, voxels } = labelmap;
  const length = target.dimensions[0] * target.dimensions[1] * target.dimensions[2];
  const placed = voxels instanceof Uint8Array ? new Uint8Array(length) : new Uint16Array(length);
  const [columns, rows, slices] = from.dimensions;
  for (let k = 0, at = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, at++) {
        const label = voxels[at];
        if (label === undefined || label === 0) continue;
        const [x, y, z] = placement.toTarget(i, j, k);
        const [width, height, depth] = target.dimensions;
        if (x < 0 || y < 0 || z < 0 || x >= width || y >= height || z >= depth) {
          throw mismatch(
            from,
            target,
            `label ${label} lies outside it, at ${millimetres(indexToWorld(from, [i, j, k]))}`,
          );
        }
        placed[(z * height + y) * width + x] = label;
      }
    }
  }
  return { geometry: target, voxels: placed, segments: labelmap.segments };
}

/** Puts an image in the voxel order of a grid of the same voxels; nothing is interpolated.
 * @throws InputError `geometry-mismatch` saying how the grids differ */
export function regridVolume(volume: Volume, target: VolumeGeometry): Volume {
  const { niftiSpace, ...kept } = volume;
  const { geometry: from, voxels } = volume;
  assertSameVoxels(from, target);
  if (isSameGrid(from, target)) return { ...volume, geometry: target };
  const { toTarget } = placeGrid(from, target);
  const offsetOf = (i: number, j: number, k: number): number => {
    const [x, y, z] = toTarget(i, j, k);
    return (z * target.dimensions[1] + y) * target.dimensions[0] + x;
  };
  const start = offsetOf(0, 0, 0);
  const [perI, perJ, perK] = [offsetOf(1, 0, 0) - start, offsetOf(0, 1, 0) - start, offsetOf(0, 0, 1) - start];
  const [columns, rows, slices] = from.dimensions;
  const placed = voxels.slice(); // every voxel of it is replaced
  for (let k = 0, at = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0, to = start + j * perJ + k * perK; i < columns; i++, at++, to += perI) {
        placed[to] = voxels[at] ?? 0;
      }
    }
  }
  return { ...kept, geometry: target, voxels: placed };
}

/** Checks that two grids are the same voxels, in any order of axes and running either way.
 * @throws InputError `geometry-mismatch` saying how they differ */
export function assertSameVoxels(from: VolumeGeometry, target: VolumeGeometry): void {
  const common = commonGrid(target, from);
  if (voxelCount(from) !== voxelCount(target) || voxelCount(common) !== voxelCount(target)) {
    const first = (geometry: VolumeGeometry): string => millimetres(geometry.origin);
    const why = `one covers more than the other, or another part; they begin at ${first(from)} and ${first(target)}`;
    throw mismatch(from, target, why);
  }
}

/** The smallest grid that holds two grids of the same voxels, on the axes of the first. A DICOM-SEG omits empty
 * slices, so two of them need not begin and end together.
 * @throws InputError `geometry-mismatch` if the voxels do not lie on each other */
export function commonGrid(base: VolumeGeometry, other: VolumeGeometry): VolumeGeometry {
  const { toTarget } = placeGrid(other, base);
  const last = other.dimensions.map((n) => n - 1) as [number, number, number];
  const corners = [toTarget(0, 0, 0), toTarget(...last)];
  const axes = [0, 1, 2] as const;
  const from = axes.map((axis) => Math.min(0, ...corners.map((corner) => corner[axis])));
  const to = axes.map((axis) => Math.max(base.dimensions[axis] - 1, ...corners.map((corner) => corner[axis])));
  const dimensions = axes.map((axis) => (to[axis] ?? 0) - (from[axis] ?? 0) + 1) as [number, number, number];
  if (voxelCount({ dimensions }) > MAX_COMMON_VOXELS) {
    const places = `${millimetres(other.origin)} and ${millimetres(base.origin)}`;
    throw mismatch(other, base, `they are too far apart for one grid, beginning at ${places}`);
  }
  return { ...base, origin: indexToWorld(base, from as [number, number, number]), dimensions };
}

/** Whether two grids have the same voxels in the same order. */
export function isSameGrid(a: VolumeGeometry, b: VolumeGeometry): boolean {
  return gridDistanceMm(a, b) <= TOLERANCE_PART * Math.min(...a.spacing);
}

interface Placement {
  /** The target's voxel at a voxel of the other grid; may lie outside its dimensions. */
  readonly toTarget: (i: number, j: number, k: number) => readonly [number, number, number];
}

/** Finds how the voxels of one grid lie on another's. */
function placeGrid(from: VolumeGeometry, target: VolumeGeometry): Placement {
  const axes = [0, 1, 2] as const;
  const tolerance = TOLERANCE_PART * Math.min(...from.spacing, ...target.spacing);
  const images = axes.map((axis) => {
    const along = axes.find((candidate) => Math.abs(dot(from.direction[axis], target.direction[candidate])) > PARALLEL);
    if (along === undefined) throw notParallel(from, target);
    const drift = Math.abs(from.spacing[axis] - target.spacing[along]) * Math.max(0, from.dimensions[axis] - 1);
    if (drift > tolerance) {
      const [one, other] = [from.spacing[axis], target.spacing[along]].map((mm) => Number(mm.toFixed(4)));
      const sum = `${drift.toFixed(2)} mm over ${from.dimensions[axis]} voxels`;
      throw mismatch(from, target, `their spacings differ along one direction, ${one} and ${other} mm: ${sum}`);
    }
    return { along, step: Math.sign(dot(from.direction[axis], target.direction[along])) };
  }) as [Image, Image, Image];
  if (new Set(images.map(({ along }) => along)).size < 3) throw notParallel(from, target);
  const first = worldToIndex(target, from.origin);
  const start = first.map(Math.round) as [number, number, number];
  const offsets = axes.map((axis) => Math.abs(first[axis] - start[axis]) * target.spacing[axis]);
  if (offsets.some((mm) => mm > tolerance)) {
    const off = `${Math.hypot(...offsets).toFixed(2)} mm off the nearest voxel`;
    const places = `${millimetres(from.origin)} and ${millimetres(target.origin)}`;
    throw mismatch(from, target, `their voxels lie between each other, ${off}; they begin at ${places}`);
  }
  const toTarget: Placement['toTarget'] = (i, j, k) => {
    const index: [number, number, number] = [...start];
    index[images[0].along] += images[0].step * i;
    index[images[1].along] += images[1].step * j;
    index[images[2].along] += images[2].step * k;
    return index;
  };
  assertCorners(from, target, toTarget, tolerance);
  return { toTarget };
}

interface Image {
  readonly along: Axis;
  readonly step: number;
}

/** Small differences of direction and spacing add up to the far corners. */
function assertCorners(
  from: VolumeGeometry,
  target: VolumeGeometry,
  toTarget: Placement['toTarget'],
  tolerance: number,
): void {
  const [columns, rows, slices] = from.dimensions;
  for (let corner = 0; corner < 8; corner++) {
    const index = [corner & 1 ? columns - 1 : 0, corner & 2 ? rows - 1 : 0, corner & 4 ? slices - 1 : 0] as const;
    const p = indexToWorld(from, index);
    const q = indexToWorld(target, toTarget(...index));
    const distance = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    if (distance > 2 * tolerance) throw mismatch(from, target, `their corners are ${distance.toFixed(2)} mm apart`);
  }
}

function notParallel(from: VolumeGeometry, target: VolumeGeometry): InputError {
  const list = ({ direction }: VolumeGeometry): string =>
    direction.map((axis) => `(${axis.map((cosine) => Number(cosine.toFixed(4))).join(', ')})`).join(' ');
  return mismatch(from, target, `their axes are not parallel: ${list(from)} and ${list(target)}`);
}

function mismatch(from: VolumeGeometry, target: VolumeGeometry, why: string): InputError {
  return new InputError(
    'geometry-mismatch',
    `A grid of ${describe(from)} does not fit one of ${describe(target)}: ${why}.`,
    {
      remedy:
        'Give two files of the same series, neither resampled nor cropped; or put one on the grid of the other first, ' +
        'with the tool that changed it.',
      details: { from, target },
    },
  );
}

function describe({ dimensions, spacing }: VolumeGeometry): string {
  return `${dimensions.join(' × ')} voxels of ${spacing.map((mm) => Number(mm.toFixed(3))).join(' × ')} mm`;
}

function millimetres(point: readonly [number, number, number]): string {
  return `(${point.map((mm) => Number(mm.toFixed(2))).join(', ')}) mm LPS`;
}
