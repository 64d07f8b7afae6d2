import type { Tensor } from '../inference/backend.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { GridView } from '../volume/reorient.ts';
import { resamplePlane } from '../volume/resample.ts';
import type { Volume, VoxelArray } from '../volume/volume.ts';
import { type PlacedView, type SliceRun, turnPlanes, type View } from './slice-runs.ts';
import { placeWindows, type Window } from './windows.ts';
import { InputError } from '../errors.ts';

/** Places the windows of each view; views of one scale share theirs, so that their resampled planes are shared too. */
export function placeViews(views: readonly View[], grid: GridView, manifest: ModelManifest): PlacedView[] {
  const ofScale = new Map(
    views.map(({ scale }) => [scale, placeWindows(grid, manifest, manifest.input.spacing / scale)]),
  );
  return views.map((view) => ({ view, windows: ofScale.get(view.scale) ?? [] }));
}

/** Prepares inputs from a volume: clip and scale the intensities to 0…1, resample in plane, neighbours as channels.
 * A tensor's data hold while `held` more are prepared: so many arrays and one take turns, and one that a backend has
 * transferred away is replaced. Resampled planes are kept for a few slices, since a slice is a channel of its neighbours too. Arrays are
 * used again because the collector lets many megabytes of dropped ones pile up. */
export function createInputPreparer(
  volume: Volume,
  grid: GridView,
  manifest: ModelManifest,
  held = 1,
): (run: SliceRun) => Tensor {
  const { input } = manifest;
  const [, channels, rows, columns] = input.shape;
  const offsets = input.channels.offsetsInSlices;
  const normalise = createNormaliser(volume.voxels, grid, input.intensity);
  const scratch = new Float32Array(grid.rows * columns);
  const reach = Math.max(...offsets) - Math.min(...offsets) + 1;
  const spare: Float32Array[] = [];
  // Slices are often visited outwards from one, alternating between two fronts.
  const planes = createRecentMap<Map<Window, Float32Array>>(2 * reach, (old) => spare.push(...old.values()));

  const resampled = (slice: number, window: Window): Float32Array => {
    const ofSlice = planes.get(slice, () => new Map<Window, Float32Array>());
    const known = ofSlice.get(window);
    if (known) return known;
    const plane = spare.pop() ?? new Float32Array(rows * columns);
    const { x, y } = window;
    resamplePlane(normalise(slice), grid.columns, x.toModel, y.toModel, input.padValue, plane, scratch);
    ofSlice.set(window, plane);
    return plane;
  };

  const nextArray = createTurns(held + 1, channels * rows * columns);
  return ({ slice, view, window }) => {
    const data = nextArray();
    offsets.forEach((offset, channel) => {
      const neighbour = Math.min(Math.max(slice + offset, 0), grid.slices - 1);
      data.set(resampled(neighbour, window), channel * rows * columns);
    });
    return { shape: input.shape, data: turnPlanes(data, columns, rows, view.turn) };
  };
}

/** Returns a function that gives a slice of the grid view with intensities 0…1; its array is reused by the next call. */
function createNormaliser(
  voxels: VoxelArray,
  grid: GridView,
  intensity: ModelManifest['input']['intensity'],
): (slice: number) => Float32Array {
  const ofVolume = intensity.scope === 'volume' ? intensityRange(voxels, intensity) : undefined;
  const values = new Float32Array(grid.rows * grid.columns);
  let current = -1;
  return (slice) => {
    if (slice === current) return values;
    current = slice;
    copySlice(voxels, grid, slice, values);
    scaleToUnit(values, ofVolume ?? intensityRange(values, intensity));
    return values;
  };
}

function copySlice(
  voxels: VoxelArray,
  { rows, columns, offset, strides }: GridView,
  slice: number,
  target: Float32Array,
): void {
  for (let row = 0, out = 0; row < rows; row++) {
    let at = offset + slice * strides.slice + row * strides.row;
    for (let column = 0; column < columns; column++, at += strides.column, out++) target[out] = voxels[at] ?? 0;
  }
}

function scaleToUnit(values: Float32Array, { low, high }: IntensityRange): void {
  const factor = 1 / Math.max(high - low, 1e-6);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    values[at] = (Math.min(Math.max(value, low), high) - low) * factor;
  }
}

/** Arrays in turn; one whose buffer was transferred away is replaced. */
function createTurns(count: number, length: number): () => Float32Array {
  const arrays = Array.from({ length: count }, () => new Float32Array(length));
  let turn = 0;
  return () => {
    const place = turn++ % count;
    const array = arrays[place];
    return array?.length === length ? array : (arrays[place] = new Float32Array(length));
  };
}

/** A map that forgets the entry that was asked for least recently when it is full. */
function createRecentMap<V>(capacity: number, forget: (value: V) => void): { get(key: number, create: () => V): V } {
  const entries = new Map<number, V>();
  return {
    get(key, create) {
      const value = entries.get(key) ?? create();
      entries.delete(key);
      entries.set(key, value);
      const [oldest] = entries;
      if (entries.size > capacity && oldest) {
        entries.delete(oldest[0]);
        forget(oldest[1]);
      }
      return value;
    },
  };
}

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
  const tables = new Uint32Array(4 * BUCKETS);
  // By way of one kind of array: a loop that meets several kinds takes twice as long.
  const chunk = new Int32Array(CHUNK_LENGTH);
  for (let from = 0; from < values.length; from += CHUNK_LENGTH) {
    const part = values.subarray(from, from + CHUNK_LENGTH);
    chunk.set(part);
    countInto(tables, chunk, part.length, lowest);
  }
  const counts = tables.subarray(0, BUCKETS);
  for (let at = BUCKETS; at < tables.length; at++) {
    counts[at % BUCKETS] = (counts[at % BUCKETS] ?? 0) + (tables[at] ?? 0);
  }
  return new Map(wanted.map((rank) => [rank, bucketOf(counts, rank).bucket + lowest]));
}

/** Small enough for a processor's cache; a multiple of 4. */
const CHUNK_LENGTH = 2 ** 14;

/** In four tables in turns: neighbours are often equal, and a count that was just raised is slow to be raised again. */
function countInto(tables: Uint32Array, values: Int32Array, length: number, lowest: number): void {
  const whole = length - (length % 4);
  for (let at = 0; at < whole; at += 4) {
    const first = (values[at] ?? 0) - lowest;
    const second = (values[at + 1] ?? 0) - lowest + BUCKETS;
    const third = (values[at + 2] ?? 0) - lowest + 2 * BUCKETS;
    const fourth = (values[at + 3] ?? 0) - lowest + 3 * BUCKETS;
    tables[first] = (tables[first] ?? 0) + 1;
    tables[second] = (tables[second] ?? 0) + 1;
    tables[third] = (tables[third] ?? 0) + 1;
    tables[fourth] = (tables[fourth] ?? 0) + 1;
  }
  for (let at = whole; at < length; at++) {
    const bucket = (values[at] ?? 0) - lowest;
    tables[bucket] = (tables[bucket] ?? 0) + 1;
  }
}

/** The high half of a sortable key finds the bucket of each rank, the low half the value in it: exact, whatever the
 * distribution, and no copy of the values. */
function radixOrder(values: VoxelArray, wanted: readonly number[]): Map<number, number> {
  const chunk = new Float32Array(CHUNK_LENGTH);
  const bits = new Int32Array(chunk.buffer);
  const eachChunk = (visit: (length: number) => void): void => {
    for (let from = 0; from < values.length; from += CHUNK_LENGTH) {
      const part = values.subarray(from, from + CHUNK_LENGTH);
      chunk.set(part);
      visit(part.length);
    }
  };
  const counts = new Uint32Array(BUCKETS);
  eachChunk((length) => {
    countHighHalves(counts, bits, length);
  });
  const places = new Map(wanted.map((rank) => [rank, bucketOf(counts, rank)]));
  const tables = [...new Set(Array.from(places.values(), ({ bucket }) => bucket))];
  const tableOf = new Int8Array(BUCKETS).fill(-1);
  tables.forEach((bucket, table) => (tableOf[bucket] = table));
  const halves = new Uint32Array(tables.length * BUCKETS);
  eachChunk((length) => {
    countLowHalves(halves, tableOf, bits, length);
  });
  return new Map(
    Array.from(places, ([rank, { bucket, remainder }]) => {
      const table = tableOf[bucket] ?? 0;
      const low = bucketOf(halves.subarray(table * BUCKETS, (table + 1) * BUCKETS), remainder).bucket;
      return [rank, valueOf(((bucket << 16) | low) >>> 0)];
    }),
  );
}

function countHighHalves(counts: Uint32Array, bits: Int32Array, length: number): void {
  for (let at = 0; at < length; at++) {
    const high = keyOf(bits[at] ?? 0) >>> 16;
    counts[high] = (counts[high] ?? 0) + 1;
  }
}

/** @param tableOf of a high half, the table where its low halves are counted; -1 where none is wanted */
function countLowHalves(tables: Uint32Array, tableOf: Int8Array, bits: Int32Array, length: number): void {
  for (let at = 0; at < length; at++) {
    const key = keyOf(bits[at] ?? 0);
    const table = tableOf[key >>> 16] ?? -1;
    if (table < 0) continue;
    const place = table * BUCKETS + (key & 0xffff);
    tables[place] = (tables[place] ?? 0) + 1;
  }
}

const MINUS_ZERO = -0x80000000;

/** Float bits in the order of their values: a negative number has all bits flipped, another only its sign. −0 is 0. */
function keyOf(bits: number): number {
  return bits === MINUS_ZERO ? 0x80000000 : bits ^ ((bits >> 31) | MINUS_ZERO);
}

function valueOf(key: number): number {
  const bits = new Int32Array([key & MINUS_ZERO ? key ^ MINUS_ZERO : ~key]);
  return new Float32Array(bits.buffer)[0] ?? 0;
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
