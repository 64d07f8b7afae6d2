import type { Notice, VoxelArray } from '../volume/volume.ts';
import { concatenate } from '../io/bytes.ts';
import { damagedFile } from '../io/read-limits.ts';

/** How one frame's pixels are stored (PS3.3 C.7.6.3); one sample a pixel, high bit = bits stored − 1. */
export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: 8 | 16 | 32 | 64;
  readonly bitsStored: number;
  readonly isSigned: boolean;
  /** Floats of 32 or 64 bits. */
  readonly isFloat?: boolean;
}

/** Stored values of one frame, row by row, before any rescaling. */
export type StoredValues = VoxelArray;

/** The bytes of one frame as its transfer syntax left them. */
export interface EncodedFrame {
  /** One compressed frame, its fragments joined; or native pixels. */
  readonly bytes: Uint8Array;
  readonly format: PixelFormat;
  /** For messages. */
  readonly fileName: string;
}

/** What a decoder may know of the reading that a frame is part of. */
export interface DecodeContext {
  /** That are still to be decoded, with this one. */
  readonly framesLeft: number;
  readonly signal: AbortSignal | undefined;
}

/** Zeroes of a format's type. */
export function storedArray(format: PixelFormat, pixelCount: number): StoredValues {
  return storedView(format, new Uint8Array((pixelCount * format.bitsAllocated) / 8));
}

/** Bytes as values of a format, in the machine's byte order.
 * @param bytes aligned as the values need it */
export function storedView(
  { bitsAllocated, isSigned, isFloat }: PixelFormat,
  { buffer, byteOffset, byteLength }: Uint8Array,
): StoredValues {
  switch (bitsAllocated) {
    case 8:
      return isSigned ? new Int8Array(buffer, byteOffset, byteLength) : new Uint8Array(buffer, byteOffset, byteLength);
    case 16:
      return isSigned
        ? new Int16Array(buffer, byteOffset, byteLength / 2)
        : new Uint16Array(buffer, byteOffset, byteLength / 2);
    case 32:
      if (isFloat === true) return new Float32Array(buffer, byteOffset, byteLength / 4);
      return isSigned
        ? new Int32Array(buffer, byteOffset, byteLength / 4)
        : new Uint32Array(buffer, byteOffset, byteLength / 4);
    case 64:
      return new Float64Array(buffer, byteOffset, byteLength / 8);
  }
}

/** Bytes of one frame that is not compressed; no whole number where single bits end within a byte. YBR_FULL_422 keeps one
 * pair of colours for two pixels (PS3.3 C.7.6.3.1.2). */
export function nativeFrameBytes(image: {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: number;
  readonly samplesPerPixel?: number;
  readonly photometricInterpretation?: string | undefined;
}): number {
  const { rows, columns, bitsAllocated, samplesPerPixel = 1, photometricInterpretation } = image;
  const isSubsampled = samplesPerPixel === 3 && photometricInterpretation?.endsWith('_422') === true;
  return (rows * columns * (isSubsampled ? 2 : samplesPerPixel) * bitsAllocated) / 8;
}

export interface EncapsulatedFrames {
  /** Each frame's bytes: a view where it is one fragment. */
  readonly frames: readonly Uint8Array[];
  readonly notices: readonly Notice[];
}

/** The compressed frames of encapsulated pixel data (PS3.5 A.4): one fragment a frame, else as the basic offset table
 * says, else from one beginning of an image to the next. (An extended offset table is for frames of one fragment each.)
 * @param start of the first item
 * @returns with a notice `offset-table-wrong` where a table is there and not true
 * @throws InputError `damaged-file` */
export function encapsulatedFrames(
  file: Uint8Array,
  start: number,
  frameCount: number,
  name: string,
): EncapsulatedFrames {
  const [table, ...fragments] = itemsOf(file, start, name);
  const { frames, isTableWrong } = framesOfFragments(table?.bytes, fragments, frameCount, name);
  return {
    frames: frames.map((own) => (own.length === 1 && own[0] !== undefined ? own[0].bytes : joined(own))),
    notices: isTableWrong ? [tableWrong(name)] : [],
  };
}

/** A fragment without its bytes. */
export interface FragmentPlace {
  /** Where the item's tag is. */
  readonly itemOffset: number;
  readonly beginsImage: boolean;
}

/** Tells which fragments are whose.
 * @param table the bytes of the first item
 * @param fragments of the others
 * @throws InputError `damaged-file` */
export function framesOfFragments<T extends FragmentPlace>(
  table: Uint8Array | undefined,
  fragments: readonly T[],
  frameCount: number,
  name: string,
): { readonly frames: readonly (readonly T[])[]; readonly isTableWrong: boolean } {
  if (table === undefined || fragments.length < frameCount) {
    throw damagedFile(name, `it has ${fragments.length} compressed fragments for ${frameCount} frames`);
  }
  const offsets = offsetsOf(table);
  const listed = framesAt(offsets, fragments, frameCount);
  const frames = groupFragments(fragments, frameCount, listed);
  if (frames === undefined) {
    throw damagedFile(
      name,
      `its ${fragments.length} compressed fragments do not say which of ${frameCount} frames is theirs`,
    );
  }
  return { frames, isTableWrong: offsets.length > 0 && listed === undefined };
}

function groupFragments<T extends FragmentPlace>(
  fragments: readonly T[],
  frameCount: number,
  listed: ReadonlySet<T> | undefined,
): T[][] | undefined {
  if (fragments.length === frameCount) return fragments.map((fragment) => [fragment]);
  if (frameCount === 1) return [[...fragments]];
  const frames: T[][] = [];
  for (const fragment of fragments) {
    const current = frames.at(-1);
    const isFirst = listed === undefined ? fragment.beginsImage : listed.has(fragment);
    if (current === undefined || isFirst) frames.push([fragment]);
    else current.push(fragment);
  }
  return frames.length === frameCount ? frames : undefined;
}

function offsetsOf({ buffer, byteOffset, byteLength }: Uint8Array): number[] {
  const view = new DataView(buffer, byteOffset, byteLength);
  return Array.from({ length: Math.floor(byteLength / 4) }, (_, n) => view.getUint32(4 * n, true));
}

/** The fragments that the table says frames begin with; undefined where it cannot be true. */
function framesAt<T extends FragmentPlace>(
  offsets: readonly number[],
  fragments: readonly T[],
  frameCount: number,
): ReadonlySet<T> | undefined {
  const [first] = fragments;
  if (first === undefined || offsets.length !== frameCount || offsets[0] !== 0) return undefined;
  const byOffset = new Map(fragments.map((fragment) => [fragment.itemOffset - first.itemOffset, fragment]));
  const begins = new Set<T>();
  let last = -1;
  for (const offset of offsets) {
    const fragment = byOffset.get(offset);
    if (fragment === undefined || offset <= last) return undefined;
    begins.add(fragment);
    last = offset;
  }
  return begins;
}

/** Whether a fragment's first bytes begin an image: SOI of JPEG and JPEG-LS; SOC and SIZ of JPEG 2000; the signature box of
 * a JP2 file. Entropy-coded bytes of none of them look so. */
export function beginsImage([a, b, c, d, e]: Uint8Array): boolean {
  if (a === 0xff) return b === 0xd8 || (b === 0x4f && c === 0xff && d === 0x51);
  return a === 0 && b === 0 && c === 0 && d === 0x0c && e === 0x6a;
}

function tableWrong(name: string): Notice {
  return {
    code: 'offset-table-wrong',
    message: `${name} has a wrong table of where its frames begin: they were told by their fragments.`,
  };
}

interface Item extends FragmentPlace {
  readonly bytes: Uint8Array;
}

/** Tags as they stand in the file, little-endian. */
export const ITEM = 0xe000fffe;
export const SEQUENCE_DELIMITATION = 0xe0ddfffe;

function itemsOf(file: Uint8Array, start: number, name: string): Item[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const items: Item[] = [];
  for (let position = start; position + 8 <= file.length;) {
    const tag = view.getUint32(position, true);
    const length = view.getUint32(position + 4, true);
    if (tag === SEQUENCE_DELIMITATION) return items;
    if (tag !== ITEM) throw damagedFile(name, `its pixel data have no fragment at byte ${position}`);
    if (position + 8 + length > file.length) break;
    const bytes = file.subarray(position + 8, position + 8 + length);
    items.push({ itemOffset: position, bytes, beginsImage: beginsImage(bytes) });
    position += 8 + length;
  }
  throw damagedFile(name, 'it ends within its compressed pixel data');
}

function joined(items: readonly Item[]): Uint8Array {
  return concatenate(items.map(({ bytes }) => bytes));
}
