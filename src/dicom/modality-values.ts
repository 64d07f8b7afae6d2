import type { VoxelArray } from '../volume/volume.ts';
import { type PixelFormat, storedArray, type StoredValues } from './pixel-data.ts';
import { InputError } from '../errors.ts';
import type { DicomDataset } from './dicom-dataset.ts';

/** Modality value = stored value · slope + intercept (PS3.3 C.11.1.1). */
export interface Rescale {
  readonly slope: number;
  readonly intercept: number;
  /** Used instead of slope and intercept, which then are 1 and 0. */
  readonly table?: ModalityTable;
}

/** Where voxels are kept: a page may want them in memory that it shares with a worker. */
export type Allocate = (byteLength: number) => ArrayBufferLike;

/** Collects slices of modality values in the smallest type that loses nothing: the stored type if nothing is rescaled,
 * Int16 (Int32 once a value needs it) if slopes and intercepts are integers, else Float32, computed in float64. */
export interface ModalityVoxels {
  /** Writes slice k; unused high bits of `stored` do not count. */
  write(k: number, stored: StoredValues, format: PixelFormat, rescale: Rescale): void;
  readonly voxels: VoxelArray;
}

/** @param slices the format and rescaling of every slice to come, for the choice of the type */
export function createModalityVoxels(
  slices: readonly { readonly format: PixelFormat; readonly rescale: Rescale }[],
  pixelsPerSlice: number,
  allocate: Allocate = (byteLength) => new ArrayBuffer(byteLength),
): ModalityVoxels {
  let voxels = voxelArray(slices, pixelsPerSlice * slices.length, allocate);
  return {
    get voxels() {
      return voxels;
    },
    write(k, raw, format, rescale) {
      const stored = valueBits(raw, format);
      const from = k * pixelsPerSlice;
      if (isIdentity(rescale)) {
        if (voxels.constructor === stored.constructor) {
          voxels.set(stored, from);
          return;
        }
      }
      const { min, max } = rescaleInto(voxels.subarray(from, from + pixelsPerSlice), stored, rescale);
      if (voxels instanceof Int16Array && (min < -0x8000 || max > 0x7fff)) {
        const wider = new Int32Array(allocate(4 * voxels.length));
        wider.set(voxels);
        voxels = wider;
        rescaleInto(voxels.subarray(from, from + pixelsPerSlice), stored, rescale);
      }
    },
  };
}

/** Rescales a whole volume, in the type {@link createModalityVoxels} would choose; `stored` itself if there is nothing
 * to do. */
export function rescaleVoxels(stored: VoxelArray, rescale: Rescale): VoxelArray {
  if (isIdentity(rescale)) return stored;
  const isFloat = stored instanceof Float32Array || stored instanceof Float64Array;
  if (!isFloat && Number.isInteger(rescale.slope) && Number.isInteger(rescale.intercept)) {
    const int16 = new Int16Array(stored.length);
    const { min, max } = rescaleInto(int16, stored, rescale);
    if (min >= -0x8000 && max <= 0x7fff) return int16;
    if (min >= -0x80000000 && max <= 0x7fffffff) {
      const int32 = new Int32Array(stored.length);
      rescaleInto(int32, stored, rescale);
      return int32;
    }
  }
  const float32 = new Float32Array(stored.length);
  rescaleInto(float32, stored, rescale);
  return float32;
}

function voxelArray(
  slices: readonly { format: PixelFormat; rescale: Rescale }[],
  length: number,
  allocate: Allocate,
): VoxelArray {
  const [first] = slices;
  const isOneFormat = slices.every(
    ({ format: { bitsAllocated, isSigned, isFloat } }) =>
      bitsAllocated === first?.format.bitsAllocated &&
      isSigned === first.format.isSigned &&
      isFloat === first.format.isFloat,
  );
  if (first !== undefined && isOneFormat && slices.every(({ rescale }) => isIdentity(rescale))) {
    const sample = storedArray(first.format, 0);
    return Reflect.construct(sample.constructor, [allocate(length * sample.BYTES_PER_ELEMENT)]) as typeof sample;
  }
  return slices.every(fitsInt32) ? new Int16Array(allocate(2 * length)) : new Float32Array(allocate(4 * length));
}

function fitsInt32({ format, rescale: { slope, intercept } }: { format: PixelFormat; rescale: Rescale }): boolean {
  if (format.isFloat === true) return false;
  const span = 2 ** format.bitsStored * Math.abs(slope) + Math.abs(intercept);
  return Number.isInteger(slope) && Number.isInteger(intercept) && span <= 0x7fffffff;
}

function isIdentity({ slope, intercept, table }: Rescale): boolean {
  return slope === 1 && intercept === 0 && table === undefined;
}

/** Only Bits Stored bits are the value (PS3.5 8.1.1); old files keep overlays in the rest. A copy where there is a rest. */
function valueBits(stored: StoredValues, { bitsAllocated, bitsStored, isSigned }: PixelFormat): StoredValues {
  if (bitsStored === bitsAllocated || bitsAllocated === 64) return stored;
  const unused = 32 - bitsStored;
  const values = stored.slice();
  if (isSigned) {
    for (let index = 0; index < values.length; index++) values[index] = ((values[index] ?? 0) << unused) >> unused;
  } else {
    for (let index = 0; index < values.length; index++) values[index] = ((values[index] ?? 0) << unused) >>> unused;
  }
  return values;
}

/** @param target of integers only where slope and intercept are such
 * @returns the range of the values; those beyond the range of integers wrap */
function rescaleInto(
  target: VoxelArray,
  stored: VoxelArray,
  { slope, intercept, table }: Rescale,
): { min: number; max: number } {
  if (table !== undefined) return lookUpInto(target, stored, table);
  // By way of few kinds of arrays: a loop that meets every kind of source and target takes ten times as long.
  const chunk = chunkFor(target, stored);
  let min = Infinity;
  let max = -Infinity;
  for (let start = 0; start < stored.length; start += CHUNK_LENGTH) {
    const part = stored.subarray(start, start + CHUNK_LENGTH);
    const values = chunk?.subarray(0, part.length) ?? target.subarray(start, start + part.length);
    values.set(part);
    const range = rescaleInPlace(values, slope, intercept);
    if (range.min < min) min = range.min;
    if (range.max > max) max = range.max;
    if (chunk !== undefined) target.set(values, start);
  }
  return { min, max };
}

/** Where stored values are rescaled without loss before they are written; undefined where that is the target itself. */
function chunkFor(target: VoxelArray, stored: VoxelArray): Int32Array | Float64Array | undefined {
  if (target instanceof Float32Array) {
    const isExact = stored.BYTES_PER_ELEMENT < 4 || stored instanceof Float32Array;
    return isExact ? undefined : new Float64Array(CHUNK_LENGTH);
  }
  const isWhole = !(stored instanceof Uint32Array || stored instanceof Float32Array || stored instanceof Float64Array);
  return isWhole ? new Int32Array(CHUNK_LENGTH) : new Float64Array(CHUNK_LENGTH);
}

/** A function of its own is compiled after a few pieces, a loop within the other one after the first volume. */
function rescaleInPlace(values: VoxelArray, slope: number, intercept: number) {
  let min = Infinity;
  let max = -Infinity;
  for (let index = 0; index < values.length; index++) {
    const value = (values[index] ?? 0) * slope + intercept;
    if (value < min) min = value;
    if (value > max) max = value;
    values[index] = value;
  }
  return { min, max };
}

/** Small enough for a processor's cache. */
const CHUNK_LENGTH = 2 ** 14;

function lookUpInto(
  target: VoxelArray,
  stored: VoxelArray,
  { firstValue, entries }: ModalityTable,
): { min: number; max: number } {
  let max = 0;
  for (let index = 0; index < stored.length; index++) {
    const entry = Math.min(Math.max((stored[index] ?? 0) - firstValue, 0), entries.length - 1);
    const value = entries[entry] ?? 0;
    if (value > max) max = value;
    target[index] = value;
  }
  return { min: 0, max };
}

/** Maps stored values to modality values where a slope and an intercept do not (PS3.3 C.11.1). */
export interface ModalityTable {
  /** Stored value of the first entry; smaller ones take the first, larger ones the last entry. */
  readonly firstValue: number;
  readonly entries: Uint16Array;
}

/** Reads the Modality LUT of an image; undefined if it has none, or one without entries beside a slope, which then counts.
 * @param isSigned whether stored values are, which the table's first value then is too
 * @throws InputError `invalid-attribute` */
export function readModalityTable(dataset: DicomDataset, isSigned: boolean, name: string): ModalityTable | undefined {
  const [table] = dataset.items('ModalityLUTSequence');
  if (table === undefined) return undefined;
  if (!table.has('LUTData') && dataset.has('RescaleSlope')) return undefined;
  const [length = 0, first = 0, bits = 0] = table.numbers('LUTDescriptor');
  const data = table.bytes('LUTData');
  const count = length === 0 ? 0x10000 : length;
  const values = table.numbers('LUTData');
  // Tables of 8 bits are stored a byte or a word an entry; bytes then come in words.
  const isBytes = data?.length === count + (count % 2) && bits <= 8;
  const entries = isBytes ? Uint16Array.from(data.subarray(0, count)) : Uint16Array.from(values.slice(0, count));
  if (entries.length !== count || bits < 1 || bits > 16) {
    throw new InputError(
      'invalid-attribute',
      `${name} has no usable Modality LUT: ${entries.length} of ${count} entries.`,
      {
        remedy: 'Export the series with a rescale slope and intercept.',
        details: { file: name, attribute: 'ModalityLUTSequence' },
      },
    );
  }
  return { firstValue: isSigned && first > 0x7fff ? first - 0x10000 : first, entries };
}
