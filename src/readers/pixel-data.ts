import type { VoxelArray } from '../volume/volume.ts';
import { concatenate } from './concatenate.ts';
import { damagedFile } from './damaged-file.ts';
import type { PixelDataLocation } from './dicom-dataset.ts';

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

export function storedArray(format: PixelFormat, pixelCount: number): StoredValues {
  switch (format.bitsAllocated) {
    case 8:
      return format.isSigned ? new Int8Array(pixelCount) : new Uint8Array(pixelCount);
    case 16:
      return format.isSigned ? new Int16Array(pixelCount) : new Uint16Array(pixelCount);
    case 32:
      if (format.isFloat === true) return new Float32Array(pixelCount);
      return format.isSigned ? new Int32Array(pixelCount) : new Uint32Array(pixelCount);
    case 64:
      return new Float64Array(pixelCount);
  }
}

/** The pixel data of a single-frame file: a view of native pixels, or the joined fragments of an encapsulated frame
 * (PS3.5 A.4; the first item is the offset table, of no use for one frame).
 * @throws InputError `damaged-file` if the file ends before its pixel data */
export function frameBytes(file: Uint8Array, { dataOffset, byteLength }: PixelDataLocation, name: string): Uint8Array {
  if (byteLength !== undefined) {
    if (dataOffset + byteLength > file.length) {
      const missing = dataOffset + byteLength - file.length;
      throw damagedFile(name, `its last ${missing} bytes of pixel data are missing`);
    }
    return file.subarray(dataOffset, dataOffset + byteLength);
  }
  const [, ...fragments] = itemsOf(file, dataOffset, name);
  if (fragments.length === 0) throw damagedFile(name, 'its pixel data are empty');
  const [only] = fragments;
  return fragments.length === 1 && only !== undefined ? only : concatenate(fragments);
}

const ITEM = 0xe000fffe;
const SEQUENCE_DELIMITATION = 0xe0ddfffe;

function itemsOf(file: Uint8Array, start: number, name: string): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const items: Uint8Array[] = [];
  for (let position = start; position + 8 <= file.length;) {
    const tag = view.getUint32(position, true);
    const length = view.getUint32(position + 4, true);
    position += 8;
    if (tag === SEQUENCE_DELIMITATION) return items;
    if (tag !== ITEM) throw damagedFile(name, `its pixel data have no fragment at byte ${position - 8}`);
    if (position + length > file.length) break;
    items.push(file.subarray(position, position + length));
    position += length;
  }
  throw damagedFile(name, 'it ends within its compressed pixel data');
}
