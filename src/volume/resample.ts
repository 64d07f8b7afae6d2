import { createGeometry, dot, indexToWorld, type Vector3, type VolumeGeometry, voxelCount } from './geometry.ts';
import type { VoxelArray } from './volume.ts';

/** Sparse weights that make each of `size` output pixels of one axis from a few neighbouring source voxels. */
export interface AxisTaps {
  readonly size: number;
  /** Source voxels for one output pixel. */
  readonly width: number;
  /** First source voxel of each output pixel; first + width never passes the end of the axis. */
  readonly first: Int32Array;
  /** [size × width], each row summing to 1. */
  readonly weights: Float32Array;
  /** Output pixels [from, to) whose centre lies inside the source, voxels' outer halves included. */
  readonly inside: readonly [from: number, to: number];
}

/** Linear interpolation of one axis: value n = (1 − fraction[n]) · source[lower[n]] + fraction[n] · source[lower[n] + 1]. */
export interface AxisInterpolation {
  /** At most length − 2, so that lower + 1 exists; 0 with fraction 0 where the source has one element. */
  readonly lower: Int32Array;
  readonly fraction: Float32Array;
}

/** Taps that sample one axis at evenly spaced positions: linear, with a triangle filter of the step's width where the
 * sampling is coarser than the voxels, so that nothing between two samples is lost.
 * @param length source voxels along the axis
 * @param start position of output pixel 0, in source voxel indices
 * @param step source voxels from one output pixel to the next; above 1 reduces */
export function createAxisTaps(length: number, size: number, start: number, step: number): AxisTaps {
  const positions = Array.from({ length: size }, (_, n) => start + n * step);
  const rows = positions.map((position) => triangle(clamp(position, 0, length - 1), Math.max(1, step), length));
  const width = Math.max(...rows.map((row) => row.weights.length));
  const first = Int32Array.from(rows, (row) => Math.min(row.first, length - width));
  const weights = new Float32Array(size * width);
  rows.forEach((row, n) => {
    weights.set(row.weights, n * width + row.first - (first[n] ?? 0));
  });
  const isInside = (position: number): boolean => position >= -0.5 && position <= length - 0.5;
  const from = positions.findIndex(isInside);
  return { size, width, first, weights, inside: from < 0 ? [0, 0] : [from, positions.findLastIndex(isInside) + 1] };
}

/** The voxels with a weight above 0 under a triangle of the given half width, and their weights. */
function triangle(centre: number, halfWidth: number, length: number): { first: number; weights: number[] } {
  const begin = Math.max(0, Math.floor(centre - halfWidth) + 1);
  const end = Math.min(length, Math.ceil(centre + halfWidth));
  const heights = Array.from({ length: end - begin }, (_, tap) => 1 - Math.abs(centre - begin - tap) / halfWidth);
  const sum = heights.reduce((a, b) => a + b, 0);
  return { first: begin, weights: heights.map((height) => height / sum) };
}

/** Interpolation of one axis at the given positions in source indices; positions outside take the edge's value. */
export function createAxisInterpolation(length: number, positions: ArrayLike<number>): AxisInterpolation {
  const lower = new Int32Array(positions.length);
  const fraction = new Float32Array(positions.length);
  for (let n = 0; n < positions.length; n++) {
    const position = clamp(positions[n] ?? 0, 0, length - 1);
    const below = Math.max(0, Math.min(Math.floor(position), length - 2));
    lower[n] = below;
    fraction[n] = position - below;
  }
  return { lower, fraction };
}

/** Resamples one plane: columns first, then rows; pixels outside the source get `outside`.
 * @param source [rows × columns] as the taps' axes are long, columns fastest
 * @param target where the result goes: [y.size × x.size], columns fastest
 * @param scratch at least rows × x.size long; its content is overwritten */
export function resamplePlane(
  source: Float32Array,
  columns: number,
  x: AxisTaps,
  y: AxisTaps,
  outside: number,
  target: Float32Array,
  scratch: Float32Array,
): void {
  const [left, right] = x.inside;
  const [top, bottom] = y.inside;
  target.fill(outside);
  if (left === right || top === bottom) return;
  const firstRow = y.first[top] ?? 0;
  const lastRow = (y.first[bottom - 1] ?? 0) + y.width;
  for (let row = firstRow; row < lastRow; row++) resampleRow(source, row * columns, x, scratch, row * x.size);
  for (let n = top; n < bottom; n++) {
    const out = n * x.size;
    const from = (y.first[n] ?? 0) * x.size;
    for (let tap = 0; tap < y.width; tap++) {
      const weight = y.weights[n * y.width + tap] ?? 0;
      const row = from + tap * x.size;
      if (tap === 0) for (let i = left; i < right; i++) target[out + i] = weight * (scratch[row + i] ?? 0);
      else if (weight !== 0)
        for (let i = left; i < right; i++) target[out + i] = (target[out + i] ?? 0) + weight * (scratch[row + i] ?? 0);
    }
  }
}

function resampleRow(source: Float32Array, at: number, taps: AxisTaps, target: Float32Array, out: number): void {
  const { width, first, weights, inside } = taps;
  for (let n = inside[0]; n < inside[1]; n++) {
    let sum = 0;
    const from = at + (first[n] ?? 0);
    for (let tap = 0, w = n * width; tap < width; tap++, w++) sum += (weights[w] ?? 0) * (source[from + tap] ?? 0);
    target[out + n] = sum;
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Parallel slices that are not the voxels of a grid: unequal gaps, or each shifted in its plane (a tilted gantry). */
export interface ParallelSlices {
  /** Size, spacing and direction in the plane count; along k only the number of slices. */
  readonly geometry: VolumeGeometry;
  /** Centre of each slice's first voxel in LPS mm, by increasing depth along the normal. */
  readonly positions: readonly Vector3[];
}

/** How the voxels of a regular grid are interpolated between parallel slices. Takes no more memory than the slices have
 * positions, however large the grid. */
export interface StackResampling {
  /** The regular grid; as large as the positions ask for, which nobody has checked. */
  readonly geometry: VolumeGeometry;
  readonly source: Pick<VolumeGeometry, 'dimensions'>;
  /** The two source slices around slice k of the grid, and where its voxel (0, 0) lies in their planes. */
  readonly between: (k: number) => SliceBetween;
}

interface SliceBetween {
  readonly lower: number;
  /** Of the way to slice lower + 1. */
  readonly fraction: number;
  readonly column: number;
  readonly row: number;
}

/** A gap may be this much smaller than the usual one before the grid no longer follows it: positions can be wrong. */
const FINEST_PART = 1 / 4;
/** Shifts below this part of a voxel are none. */
const SHIFT_TOLERANCE = 0.01;

/** Chooses the upright, evenly spaced grid that holds all slices: their smallest gap apart, as wide as they reach.
 * @throws InputError `invalid-geometry` */
export function planResampling({ geometry, positions }: ParallelSlices): StackResampling {
  const { spacing, direction, dimensions } = geometry;
  const [first] = positions;
  if (first === undefined) throw new RangeError('There are no slices to resample.');
  const places = positions.map((position) => {
    const offset: Vector3 = [position[0] - first[0], position[1] - first[1], position[2] - first[2]];
    return {
      depth: dot(offset, direction[2]),
      column: dot(offset, direction[0]) / spacing[0],
      row: dot(offset, direction[1]) / spacing[1],
    };
  });
  const depths = places.map(({ depth }) => depth);
  const span = depths.at(-1) ?? 0;
  const count = Math.max(2, Math.round(span / usefulGap(depths)) + 1);
  const gap = span / (count - 1);
  const across = reach(places.map(({ column }) => column));
  const down = reach(places.map(({ row }) => row));
  const [x, y, z] = indexToWorld({ ...geometry, origin: first }, [across.from, down.from, 0]);

  const between = (k: number): SliceBetween => {
    const depth = k * gap;
    const lower = Math.min(lastUpTo(depth, depths), depths.length - 2);
    const [a = places[0], b = a] = [places[lower], places[lower + 1]];
    if (a === undefined || b === undefined) throw new RangeError('There are no slices to resample.');
    const fraction = Math.min(1, Math.max(0, (depth - a.depth) / (b.depth - a.depth)));
    const shift = (of: 'column' | 'row'): number => (1 - fraction) * a[of] + fraction * b[of];
    return { lower, fraction, column: across.from - shift('column'), row: down.from - shift('row') };
  };
  return {
    geometry: createGeometry({
      ...geometry,
      dimensions: [dimensions[0] + across.to - across.from, dimensions[1] + down.to - down.from, count],
      spacing: [spacing[0], spacing[1], gap],
      origin: [x, y, z],
    }),
    source: { dimensions: [dimensions[0], dimensions[1], positions.length] },
    between,
  };
}

/** The place of the last depth, of rising ones, that is not above `depth`; 0 if all are. */
function lastUpTo(depth: number, depths: readonly number[]): number {
  let [low, high] = [0, depths.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((depths[middle] ?? Infinity) <= depth) low = middle;
    else high = middle;
  }
  return low;
}

function usefulGap(depths: readonly number[]): number {
  const gaps = depths.slice(1).map((depth, n) => depth - (depths[n] ?? 0));
  const sorted = gaps.toSorted((a, b) => a - b);
  const [smallest = 1, usual = 1] = [sorted[0], sorted[(sorted.length - 1) >> 1]];
  return Math.max(smallest, FINEST_PART * usual);
}

/** Whole voxels that shifts reach beyond the first slice on either side. */
function reach(shifts: readonly number[]): { readonly from: number; readonly to: number } {
  // Not Math.min(...shifts): a file may have more slices than a call has arguments.
  const [least, most] = shifts.reduce(
    ([a, b], shift) => [Math.min(a, shift), Math.max(b, shift)],
    [Infinity, -Infinity],
  );
  return { from: Math.floor(least + SHIFT_TOLERANCE), to: Math.ceil(most - SHIFT_TOLERANCE) };
}

/** Interpolates linearly along the rows, columns and the line of the slices' first voxels; what no slice covers gets
 * the smallest value there is. Integers stay integers, rounded.
 * @param voxels of the slices, i fastest */
export function resampleStack<T extends VoxelArray>(voxels: T, { geometry, source, between }: StackResampling): T {
  const [width, height, depth] = geometry.dimensions;
  const [columns, rows] = source.dimensions;
  const target = Reflect.construct(voxels.constructor, [voxelCount(geometry)]) as T;
  target.fill(smallestOf(voxels));
  const isFloat = target instanceof Float32Array || target instanceof Float64Array;
  for (let k = 0; k < depth; k++) {
    const { lower, fraction, column, row } = between(k);
    const x = axisTaps(width, columns, column);
    const y = axisTaps(height, rows, row);
    const near = lower * columns * rows;
    const far = near + (fraction > 0 ? columns * rows : 0);
    for (let j = y.from; j < y.to; j++) {
      const top = y.first(j) * columns;
      const bottom = top + (y.hasNext(j) ? columns : 0);
      for (let i = x.from, at = (k * height + j) * width + i; i < x.to; i++, at++) {
        const left = x.first(i);
        const right = left + (x.hasNext(i) ? 1 : 0);
        const plane = (base: number): number =>
          (1 - y.fraction) * lerp(voxels[base + top + left] ?? 0, voxels[base + top + right] ?? 0, x.fraction) +
          y.fraction * lerp(voxels[base + bottom + left] ?? 0, voxels[base + bottom + right] ?? 0, x.fraction);
        const value = lerp(plane(near), plane(far), fraction);
        target[at] = isFloat ? value : Math.round(value);
      }
    }
  }
  return target;
}

function lerp(a: number, b: number, fraction: number): number {
  return a + fraction * (b - a);
}

/** The target voxels [from, to) of one axis that the source covers, voxels' outer halves included, and the source
 * voxels that each lies between.
 * @param shift source index of target voxel 0 */
function axisTaps(size: number, length: number, shift: number) {
  const whole = Math.floor(shift);
  const from = Math.max(0, Math.ceil(-0.5 - shift));
  const to = Math.min(size, Math.floor(length - 0.5 - shift) + 1);
  return {
    from,
    to,
    fraction: shift - whole,
    first: (n: number): number => Math.min(Math.max(n + whole, 0), length - 1),
    hasNext: (n: number): boolean => n + whole >= 0 && n + whole < length - 1,
  };
}

function smallestOf(voxels: VoxelArray): number {
  let smallest = Infinity;
  for (let at = 0; at < voxels.length; at++) smallest = Math.min(smallest, voxels[at] ?? 0);
  return smallest;
}
