import { damagedFile } from '../io/read-limits.ts';
import { decodeHighThroughputJpeg2000, decodeJpeg2000 } from './jpeg-2000.ts';
import { decodeJpegLs } from './jpeg-ls.ts';
import { decodeJpeg } from './jpeg.ts';
import { type DecodeContext, type EncodedFrame, type StoredValues, storedView } from '../dicom/pixel-data.ts';
import { decodeRle } from './rle.ts';
import { swapBytes } from '../io/bytes.ts';
import {
  DEFLATED_LITTLE_ENDIAN,
  ENCAPSULATED_UNCOMPRESSED,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  HTJ2K,
  HTJ2K_LOSSLESS,
  HTJ2K_LOSSLESS_RPCL,
  IMPLICIT_LITTLE_ENDIAN,
  JPEG_2000,
  JPEG_2000_LOSSLESS,
  JPEG_BASELINE,
  JPEG_EXTENDED,
  JPEG_LOSSLESS,
  JPEG_LOSSLESS_SV1,
  JPEG_LS_LOSSLESS,
  JPEG_LS_NEAR_LOSSLESS,
  RLE_LOSSLESS,
} from '../dicom/transfer-syntaxes.ts';

/** Decodes the pixels of some transfer syntaxes. A further syntax is one more such object in an array. */
export interface PixelDecoder {
  readonly transferSyntaxUIDs: readonly string[];
  /** How many frames a reader hands over before it waits for the first; one by default. */
  readonly framesUnderWay?: number;
  /** @returns rows · columns stored values, sign extended; may be a view of the encoded bytes
   * @throws InputError `damaged-file` if the frame has another size than its header says */
  decode(frame: EncodedFrame, context?: DecodeContext): StoredValues | Promise<StoredValues>;
}

/** A decoder for every transfer syntax that can be read. Codecs in WebAssembly are loaded with their first frame. */
export const pixelDecoders: readonly PixelDecoder[] = [
  {
    transferSyntaxUIDs: [
      IMPLICIT_LITTLE_ENDIAN,
      EXPLICIT_LITTLE_ENDIAN,
      DEFLATED_LITTLE_ENDIAN,
      ENCAPSULATED_UNCOMPRESSED,
    ],
    decode: decodeNative,
  },
  { transferSyntaxUIDs: [EXPLICIT_BIG_ENDIAN], decode: decodeBigEndian },
  { transferSyntaxUIDs: [RLE_LOSSLESS], decode: decodeRle },
  { transferSyntaxUIDs: [JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1], decode: decodeJpeg },
  { transferSyntaxUIDs: [JPEG_LS_LOSSLESS, JPEG_LS_NEAR_LOSSLESS], decode: decodeJpegLs },
  { transferSyntaxUIDs: [JPEG_2000_LOSSLESS, JPEG_2000], decode: decodeJpeg2000 },
  { transferSyntaxUIDs: [HTJ2K_LOSSLESS, HTJ2K_LOSSLESS_RPCL, HTJ2K], decode: decodeHighThroughputJpeg2000 },
];

/** A view of the bytes where they are aligned as the values need it, else a copy. */
function decodeNative({ bytes, format, fileName }: EncodedFrame): StoredValues {
  const pixelCount = format.rows * format.columns;
  const byteLength = (pixelCount * format.bitsAllocated) / 8;
  // Pixel data are padded to even length (PS3.5 8.1.1); some writers pad more.
  if (bytes.length < byteLength) {
    throw damagedFile(fileName, `it has ${bytes.length} bytes of pixels, its header promises ${byteLength}`);
  }
  const isAligned = bytes.byteOffset % (format.bitsAllocated / 8) === 0;
  return storedView(format, isAligned ? bytes.subarray(0, byteLength) : bytes.slice(0, byteLength));
}

function decodeBigEndian({ bytes, ...frame }: EncodedFrame): StoredValues {
  const values = decodeNative({ ...frame, bytes: bytes.slice() });
  swapBytes(values);
  return values;
}
