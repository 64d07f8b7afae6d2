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
