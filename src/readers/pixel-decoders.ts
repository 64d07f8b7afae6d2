import { decodeJpeg2000 } from './jpeg-2000.ts';
import { damagedFile } from './damaged-file.ts';
import type { EncodedFrame, StoredValues } from './pixel-data.ts';
import { storedArray } from './pixel-data.ts';
import { decodeRle } from './rle.ts';
import {
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
  JPEG_2000,
  JPEG_2000_LOSSLESS,
  RLE_LOSSLESS,
} from './transfer-syntaxes.ts';

/** Decodes the pixels of some transfer syntaxes. A further syntax is one more such object in an array. */
export interface PixelDecoder {
  readonly transferSyntaxUIDs: readonly string[];
  /** @returns rows · columns stored values, sign extended; may be a view of the encoded bytes
   * @throws InputError `damaged-file` if the frame has another size than its header says */
  decode(frame: EncodedFrame): StoredValues | Promise<StoredValues>;
}

/** The decoders that need no set-up. JPEG 2000 fetches its WebAssembly where the bundle put it:
 * see createJpeg2000Decoder for another place. */
export const pixelDecoders: readonly PixelDecoder[] = [
  { transferSyntaxUIDs: [IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN], decode: decodeNative },
  { transferSyntaxUIDs: [RLE_LOSSLESS], decode: decodeRle },
  { transferSyntaxUIDs: [JPEG_2000_LOSSLESS, JPEG_2000], decode: decodeJpeg2000 },
];

function decodeNative({ bytes, format, fileName }: EncodedFrame): StoredValues {
  const pixelCount = format.rows * format.columns;
  const byteLength = (pixelCount * format.bitsAllocated) / 8;
  // Pixel data are padded to even length (PS3.5 8.1.1); some writers pad more.
  if (bytes.length < byteLength) {
    throw damagedFile(fileName, `it has ${bytes.length} bytes of pixels, its header promises ${byteLength}`);
  }
  const values = storedArray(format, pixelCount);
  new Uint8Array(values.buffer).set(bytes.subarray(0, byteLength));
  return values;
}
