import type { VoxelArray } from '../volume/volume.ts';

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
