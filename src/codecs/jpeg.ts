import { InputError } from '../errors.ts';
import { assertFitsHeader, createWasmDecoder, type JpegFrame, readJpegFrame } from './wasm-codec.ts';
import { damagedFile } from '../io/read-limits.ts';
import { decodeLosslessJpeg } from './jpeg-lossless.ts';
import { BitReader, type JpegImage, parseJpeg } from './jpeg-segments.ts';
import { type EncodedFrame, storedArray, type StoredValues } from '../dicom/pixel-data.ts';

/** Decodes JPEG of every process that DICOM still has: 8-bit DCT with libjpeg-turbo; 12-bit DCT and lossless here, for no
 * package does both. What counts is the image's own process, not the transfer syntax that announces it.
 * @throws InputError `unsupported-transfer-syntax` for arithmetic codes, hierarchical and 12-bit progressive images */
export function decodeJpeg(encoded: EncodedFrame): StoredValues | Promise<StoredValues> {
  const { bytes, format, fileName } = encoded;
  const frame = readJpegFrame(bytes);
  assertFitsHeader('JPEG', frame, encoded);
  if (isHuffmanDct(frame) && frame.bits === 8) {
    assertComplete(bytes, fileName);
    return decodeJpegBaseline(encoded);
  }
  const decode = ownDecoder(frame);
  if (decode === undefined) throw unsupportedProcess(frame, fileName);
  try {
    const values = storedArray(format, format.rows * format.columns);
    values.set(decode(parseJpeg(bytes)));
    return values;
  } catch (error) {
    throw damagedFile(
      fileName,
      `its JPEG image cannot be decoded: ${error instanceof Error ? error.message : ''}`,
      error,
    );
  }
}

function ownDecoder({ process, bits }: JpegFrame): typeof decodeLosslessJpeg | undefined {
  if (process === 0xc3) return decodeLosslessJpeg;
  return process === 0xc1 && bits === 12 ? decodeExtendedJpeg : undefined;
}

/** Baseline, extended sequential, progressive. */
function isHuffmanDct({ process }: JpegFrame): boolean {
  return process === 0xc0 || process === 0xc1 || process === 0xc2;
}

/** libjpeg fills what is missing with grey, and says nothing. */
function assertComplete(bytes: Uint8Array, fileName: string): void {
  let end = bytes.length;
  while (end > 2 && bytes[end - 1] === 0) end--;
  if (bytes[end - 2] !== 0xff || bytes[end - 1] !== 0xd9) throw damagedFile(fileName, 'its JPEG image is cut off');
}

function unsupportedProcess({ process, bits }: JpegFrame, fileName: string): InputError {
  const name = `SOF${process - 0xc0} of ${bits} bits`;
  return new InputError('unsupported-transfer-syntax', `${fileName} holds JPEG ${name}, which cannot be read.`, {
    remedy: 'Convert the files: `dcmdjpeg in.dcm out.dcm` of dcmtk, or `gdcmconv --raw in.dcm out.dcm`.',
    details: { file: fileName, process, bits },
  });
}

/** Decodes JPEG of 8 bits a sample with libjpeg-turbo. */
const decodeJpegBaseline = createWasmDecoder({
  name: 'JPEG',
  packageName: '@cornerstonejs/codec-libjpeg-turbo-8bit',
  load: async (options) => {
    const { default: createLibJpeg } = await import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
    return (await createLibJpeg(options)).JPEGDecoder;
  },
  wasmUrl: () => new URL('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm', import.meta.url),
  readFrame: readJpegFrame,
});

const BLOCK = 8;
/** Row-major place of each coefficient in the order that they are coded in (ITU T.81 figure A.6). */
const ZIGZAG = Uint8Array.of(
  ...[0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21],
  ...[28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61],
  ...[54, 47, 55, 62, 63],
);

/** Decodes a sequential DCT image of one component and 12 bits (processes 2 and 4 with Huffman codes).
 * @returns rows · columns samples
 * @throws Error with the reason if it is damaged
 * @see ITU T.81 annex F */
function decodeExtendedJpeg(image: JpegImage): Uint16Array {
  const { frame, dcTable, acTable, quantization, restartInterval, intervals } = image;
  const { rows, columns } = frame;
  if (acTable === undefined || quantization === undefined) throw new Error('it lacks one of its tables');
  const across = Math.ceil(columns / BLOCK);
  const blockCount = across * Math.ceil(rows / BLOCK);
  const blocksEach = restartInterval === 0 ? blockCount : restartInterval;
  if (intervals.length < Math.ceil(blockCount / blocksEach)) throw new Error('it ends within its pixels');

  const samples = new Uint16Array(rows * columns);
  const coefficients = new Int32Array(BLOCK * BLOCK);
  for (let block = 0, n = 0; block < blockCount; n++) {
    const reader = new BitReader(intervals[n] ?? new Uint8Array(0));
    const end = Math.min(block + blocksEach, blockCount);
    const coding: BlockCoding = { dcTable, acTable, quantization, reader };
    for (let dc = 0; block < end; block++) {
      dc = readBlock(coefficients, dc, coding);
      transform(coefficients);
      const left = BLOCK * (block % across);
      const top = BLOCK * Math.floor(block / across);
      place(coefficients, samples, left, top, frame);
    }
    if (reader.isPastEnd) throw new Error('it ends within its pixels');
  }
  return samples;
}

interface BlockCoding {
  readonly dcTable: Uint16Array;
  readonly acTable: Uint16Array;
  readonly quantization: Uint16Array;
  readonly reader: BitReader;
}

/** @returns the block's DC coefficient, not yet multiplied: the next one is coded as its difference */
function readBlock(
  coefficients: Int32Array,
  previous: number,
  { dcTable, acTable, quantization, reader }: BlockCoding,
): number {
  coefficients.fill(0);
  const size = reader.symbol(dcTable);
  if (size > 15) throw new Error('its entropy-coded data are damaged');
  const dc = previous + (size === 0 ? 0 : reader.difference(size));
  coefficients[0] = dc * (quantization[0] ?? 0);
  for (let n = 1; n < 64; n++) {
    const symbol = reader.symbol(acTable);
    const bits = symbol & 15;
    if (bits === 0) {
      if (symbol !== 0xf0) break; // the rest is zero
      n += 15;
      continue;
    }
    n += symbol >> 4;
    if (n > 63) throw new Error('its entropy-coded data are damaged');
    coefficients[ZIGZAG[n] ?? 0] = reader.difference(bits) * (quantization[n] ?? 0);
  }
  return dc;
}

const CONST_BITS = 13;
/** Fraction bits kept between the two passes: one for 12-bit samples, so that 32 bits suffice. */
const PASS_BITS = 1;

/** The accurate integer inverse DCT of libjpeg (Loeffler, Ligtenberg and Moschytz 1989), in place. */
function transform(block: Int32Array): void {
  for (let column = 0; column < BLOCK; column++) transformLine(block, column, BLOCK, CONST_BITS - PASS_BITS);
  for (let row = 0; row < BLOCK; row++) transformLine(block, BLOCK * row, 1, CONST_BITS + PASS_BITS + 3);
}

/** @param shift fraction bits to take off */
function transformLine(block: Int32Array, start: number, step: number, shift: number): void {
  const v0 = block[start] ?? 0;
  const v1 = block[start + step] ?? 0;
  const v2 = block[start + 2 * step] ?? 0;
  const v3 = block[start + 3 * step] ?? 0;
  const v4 = block[start + 4 * step] ?? 0;
  const v5 = block[start + 5 * step] ?? 0;
  const v6 = block[start + 6 * step] ?? 0;
  const v7 = block[start + 7 * step] ?? 0;
  const half = 1 << (shift - 1);
  if ((v1 | v2 | v3 | v4 | v5 | v6 | v7) === 0) {
    const flat = ((v0 << CONST_BITS) + half) >> shift;
    for (let n = 0; n < BLOCK; n++) block[start + n * step] = flat;
    return;
  }
  // Even part.
  const z1 = Math.imul(v2 + v6, 4433);
  const even2 = (z1 - Math.imul(v6, 15137)) | 0;
  const even3 = (z1 + Math.imul(v2, 6270)) | 0;
  const even0 = (v0 + v4) << CONST_BITS;
  const even1 = (v0 - v4) << CONST_BITS;
  const t10 = (even0 + even3 + half) | 0;
  const t13 = (even0 - even3 + half) | 0;
  const t11 = (even1 + even2 + half) | 0;
  const t12 = (even1 - even2 + half) | 0;
  // Odd part.
  const z5 = Math.imul(v7 + v3 + v5 + v1, 9633);
  const s1 = Math.imul(v7 + v1, -7373);
  const s2 = Math.imul(v5 + v3, -20995);
  const s3 = (Math.imul(v7 + v3, -16069) + z5) | 0;
  const s4 = (Math.imul(v5 + v1, -3196) + z5) | 0;
  const t0 = (Math.imul(v7, 2446) + s1 + s3) | 0;
  const t1 = (Math.imul(v5, 16819) + s2 + s4) | 0;
  const t2 = (Math.imul(v3, 25172) + s2 + s3) | 0;
  const t3 = (Math.imul(v1, 12299) + s1 + s4) | 0;
  block[start] = (t10 + t3) >> shift;
  block[start + 7 * step] = (t10 - t3) >> shift;
  block[start + step] = (t11 + t2) >> shift;
  block[start + 6 * step] = (t11 - t2) >> shift;
  block[start + 2 * step] = (t12 + t1) >> shift;
  block[start + 5 * step] = (t12 - t1) >> shift;
  block[start + 3 * step] = (t13 + t0) >> shift;
  block[start + 4 * step] = (t13 - t0) >> shift;
}

/** Writes a block, shifted up to unsigned values and cut off where the image ends. */
function place(block: Int32Array, samples: Uint16Array, left: number, top: number, frame: JpegImage['frame']): void {
  const { rows, columns, bits } = frame;
  const centre = 1 << (bits - 1);
  const largest = (1 << bits) - 1;
  const width = Math.min(BLOCK, columns - left);
  const height = Math.min(BLOCK, rows - top);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const sample = (block[BLOCK * row + column] ?? 0) + centre;
      samples[(top + row) * columns + left + column] = sample < 0 ? 0 : sample > largest ? largest : sample;
    }
  }
}
