import { BitReader } from './bit-reader.ts';
import type { JpegImage } from './jpeg-segments.ts';

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
export function decodeExtendedJpeg(image: JpegImage): Uint16Array {
  const { frame, dcTable, acTable, quantization, restartInterval, intervals } = image;
  const { rows, columns, bits } = frame;
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
    for (let dc = 0; block < end; block++) {
      dc = readBlock(coefficients, dc, { dcTable, acTable, quantization, reader });
      transform(coefficients);
      const left = BLOCK * (block % across);
      const top = BLOCK * Math.floor(block / across);
      place(coefficients, samples, { left, top, rows, columns, bits });
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

function transformLine(block: Int32Array, start: number, step: number, shift: number): void {
  const value = (n: number): number => block[start + n * step] ?? 0;
  // Even part.
  const z1 = (value(2) + value(6)) * 4433;
  const even2 = z1 - value(6) * 15137;
  const even3 = z1 + value(2) * 6270;
  const even0 = (value(0) + value(4)) << CONST_BITS;
  const even1 = (value(0) - value(4)) << CONST_BITS;
  const [t10, t13, t11, t12] = [even0 + even3, even0 - even3, even1 + even2, even1 - even2];
  // Odd part.
  const [o0, o1, o2, o3] = [value(7), value(5), value(3), value(1)];
  const z5 = (o0 + o2 + o1 + o3) * 9633;
  const s1 = (o0 + o3) * -7373;
  const s2 = (o1 + o2) * -20995;
  const s3 = (o0 + o2) * -16069 + z5;
  const s4 = (o1 + o3) * -3196 + z5;
  const t0 = o0 * 2446 + s1 + s3;
  const t1 = o1 * 16819 + s2 + s4;
  const t2 = o2 * 25172 + s2 + s3;
  const t3 = o3 * 12299 + s1 + s4;
  const half = 1 << (shift - 1);
  block[start] = (t10 + t3 + half) >> shift;
  block[start + 7 * step] = (t10 - t3 + half) >> shift;
  block[start + step] = (t11 + t2 + half) >> shift;
  block[start + 6 * step] = (t11 - t2 + half) >> shift;
  block[start + 2 * step] = (t12 + t1 + half) >> shift;
  block[start + 5 * step] = (t12 - t1 + half) >> shift;
  block[start + 3 * step] = (t13 + t0 + half) >> shift;
  block[start + 4 * step] = (t13 - t0 + half) >> shift;
}

/** Writes a block, shifted up to unsigned values and cut off where the image ends. */
function place(
  block: Int32Array,
  samples: Uint16Array,
  { left, top, rows, columns, bits }: Record<'left' | 'top' | 'rows' | 'columns' | 'bits', number>,
): void {
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
