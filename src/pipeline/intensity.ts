import { InputError } from '../errors.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { VoxelArray, Volume } from '../volume/volume.ts';

/** Modality values that become 0 and 1; values outside are clipped. */
export interface IntensityRange {
  readonly low: number;
  readonly high: number;
}

/** The range of values that a model wants mapped to 0…1.
 * @param values the whole volume, or one slice where the manifest's scope is 'slice' */
export function intensityRange(values: VoxelArray, intensity: ModelManifest['input']['intensity']): IntensityRange {
  const { kind, low, high } = intensity;
  if (kind === 'window') return { low, high };
  const [bottom = 0, top = 0] = percentiles(values, [low, high]);
  return { low: bottom, high: top };
}

/** @throws InputError `invalid-voxels`: a network answers NaN with nonsense, and WebGPU hides it */
export function assertFiniteVoxels({ voxels, geometry }: Volume): void {
  if (!(voxels instanceof Float32Array || voxels instanceof Float64Array)) return;
  let count = 0;
  let first = -1;
  for (let at = 0; at < voxels.length; at++) {
    const value = voxels[at] ?? 0;
    if (value - value === 0) continue;
    if (count++ === 0) first = at;
  }
  if (count === 0) return;
  const [columns, rows] = geometry.dimensions;
  const index = [first % columns, Math.floor(first / columns) % rows, Math.floor(first / (columns * rows))];
  throw new InputError(
    'invalid-voxels',
    `${count} of ${voxels.length} voxels are not finite numbers; the first is (${index.join(', ')}).`,
    { remedy: 'Replace NaN and infinite values by a background value before segmenting.', details: { count, index } },
  );
}

/** Percentiles by linear interpolation between order statistics, as numpy's default, of the values as float32.
 * Counts instead of sorting: one pass for integers of up to 16 bits, two for wider values.
 * @param ranks 0…100 */
export function percentiles(values: VoxelArray, ranks: readonly number[]): number[] {
  const positions = ranks.map((rank) => (rank / 100) * (values.length - 1));
  const wanted = positions.flatMap((position) => [Math.floor(position), Math.ceil(position)]);
  const order = is16BitInteger(values) ? countingOrder(values, wanted) : radixOrder(values, wanted);
  return positions.map((position) => {
    const lower = order.get(Math.floor(position)) ?? 0;
    const upper = order.get(Math.ceil(position)) ?? 0;
    return lower + (upper - lower) * (position - Math.floor(position));
  });
}

type SmallInteger = Uint8Array | Int8Array | Uint16Array | Int16Array;

function is16BitInteger(values: VoxelArray): values is SmallInteger {
  return values.BYTES_PER_ELEMENT <= 2;
}

const BUCKETS = 65536;

function countingOrder(values: SmallInteger, wanted: readonly number[]): Map<number, number> {
  const lowest = values instanceof Int16Array ? -32768 : values instanceof Int8Array ? -128 : 0;
  const counts = new Uint32Array(BUCKETS);
  for (let at = 0; at < values.length; at++) {
    const bucket = (values[at] ?? 0) - lowest;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return new Map(wanted.map((rank) => [rank, bucketOf(counts, rank).bucket + lowest]));
}

/** The high half of a sortable key finds the bucket of each rank, the low half the value in it: exact, whatever the
 * distribution, and no copy of the values. */
function radixOrder(values: VoxelArray, wanted: readonly number[]): Map<number, number> {
  const key = new Int32Array(1);
  const float = new Float32Array(key.buffer);
  /** Float bits in the order of their values: a negative number has all bits flipped, another only its sign. */
  const keyOf = (value: number): number => {
    float[0] = value + 0; // −0 + 0 is +0, which is equal but has other bits
    const bits = key[0] ?? 0;
    return (bits ^ ((bits >> 31) | 0x80000000)) >>> 0;
  };
  const counts = new Uint32Array(BUCKETS);
  for (let at = 0; at < values.length; at++) {
    const high = keyOf(values[at] ?? 0) >>> 16;
    counts[high] = (counts[high] ?? 0) + 1;
  }
  const places = new Map(wanted.map((rank) => [rank, bucketOf(counts, rank)]));
  const halves = new Map<number, Uint32Array>();
  for (const { bucket } of places.values()) if (!halves.has(bucket)) halves.set(bucket, new Uint32Array(BUCKETS));
  const isWanted = new Uint8Array(BUCKETS);
  for (const bucket of halves.keys()) isWanted[bucket] = 1;
  for (let at = 0; at < values.length; at++) {
    const bits = keyOf(values[at] ?? 0);
    if (isWanted[bits >>> 16] === 0) continue;
    const half = halves.get(bits >>> 16);
    if (half) half[bits & 0xffff] = (half[bits & 0xffff] ?? 0) + 1;
  }
  const valueOf = (bits: number): number => {
    key[0] = bits & 0x80000000 ? bits ^ 0x80000000 : ~bits;
    return float[0] ?? 0;
  };
  return new Map(
    Array.from(places, ([rank, { bucket, remainder }]) => {
      const low = bucketOf(halves.get(bucket) ?? new Uint32Array(BUCKETS), remainder).bucket;
      return [rank, valueOf(((bucket << 16) | low) >>> 0)];
    }),
  );
}

/** The bucket that holds the value of a rank (0-based), and its rank among that bucket's values. */
function bucketOf(counts: Uint32Array, rank: number): { bucket: number; remainder: number } {
  let remainder = rank;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] ?? 0;
    if (remainder < count) return { bucket, remainder };
    remainder -= count;
  }
  return { bucket: counts.length - 1, remainder: 0 };
}
