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
