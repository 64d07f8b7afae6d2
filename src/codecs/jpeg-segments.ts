import { type JpegFrame, readJpegFrame } from './wasm-codec.ts';

/** A JPEG image of one component and one scan, its tables read and its entropy-coded bytes found (ITU T.81 annex B). */
export interface JpegImage {
  readonly frame: JpegFrame;
  /** Quantization table of the component, in zigzag order; undefined for lossless images. */
  readonly quantization: Uint16Array | undefined;
  readonly dcTable: HuffmanTable;
  /** Undefined for lossless images. */
  readonly acTable: HuffmanTable | undefined;
  /** The predictor of a lossless scan; the first coefficient of any other. */
  readonly selection: number;
  /** Point transform. */
  readonly pointTransform: number;
  /** Samples or blocks between restart markers; 0 without. */
  readonly restartInterval: number;
  /** Entropy-coded bytes from one restart marker to the next, stuffing removed. */
  readonly intervals: readonly Uint8Array[];
}

/** Code of 16 bits → length of the codeword at its begin · 256 + its symbol; 0 where there is none. */
export type HuffmanTable = Uint16Array;

/** @throws Error with the reason if the image is damaged, or has more than one component */
export function parseJpeg(bytes: Uint8Array): JpegImage {
  const frame = readJpegFrame(bytes);
  if (frame === undefined) throw new Error('it has no frame header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const quantization = new Map<number, Uint16Array>();
  const huffman = new Map<number, HuffmanTable>();
  let quantizationSelector = 0;
  let restartInterval = 0;
  for (let position = 2; position + 4 <= bytes.length;) {
    if (bytes[position] !== 0xff) throw new Error(`it has no marker at byte ${position}`);
    const marker = bytes[position + 1] ?? 0;
    if (marker === 0xff) {
      position++;
      continue;
    }
    const length = view.getUint16(position + 2);
    const segment = bytes.subarray(position + 4, position + 2 + length);
    if (length < 2 || segment.length !== length - 2) throw new Error('it ends within a segment');
    position += 2 + length;
    if (marker === 0xdb) readQuantization(segment, quantization);
    else if (marker === 0xc4) readHuffman(segment, huffman);
    else if (marker === 0xdd) restartInterval = view.getUint16(position - 2);
    else if (marker === frame.process) quantizationSelector = segment[8] ?? 0;
    else if (marker === 0xda) {
      if (segment[0] !== 1) throw new Error(`its scan has ${segment[0] ?? 0} components`);
      const tables = segment[2] ?? 0;
      const dcTable = huffman.get(tables >> 4);
      if (dcTable === undefined) throw new Error('its scan names a Huffman table that is missing');
      return {
        frame,
        quantization: quantization.get(quantizationSelector),
        dcTable,
        acTable: huffman.get(0x10 + (tables & 15)),
        selection: segment[3] ?? 0,
        pointTransform: (segment[5] ?? 0) & 15,
        restartInterval,
        intervals: entropyCodedIntervals(bytes, position),
      };
    }
  }
  throw new Error('it has no scan');
}

function readQuantization(segment: Uint8Array, tables: Map<number, Uint16Array>): void {
  for (let at = 0; at < segment.length;) {
    const selector = segment[at++] ?? 0;
    const isWide = selector >> 4 !== 0;
    const table = new Uint16Array(64);
    for (let n = 0; n < 64; n++) {
      table[n] = isWide ? ((segment[at++] ?? 0) << 8) | (segment[at++] ?? 0) : (segment[at++] ?? 0);
    }
    tables.set(selector & 15, table);
  }
}

/** Tables are numbered as in the file: 0 to 3 for DC and lossless, 16 to 19 for AC (T.81 annex C). */
function readHuffman(segment: Uint8Array, tables: Map<number, HuffmanTable>): void {
  for (let at = 0; at + 17 <= segment.length;) {
    const selector = segment[at] ?? 0;
    const counts = segment.subarray(at + 1, at + 17);
    at += 17;
    const table = new Uint16Array(0x10000);
    let code = 0;
    counts.forEach((count, n) => {
      const length = n + 1;
      const span = 1 << (16 - length);
      for (let each = 0; each < count; each++, code += span) {
        table.fill((length << 8) | (segment[at++] ?? 0), code, code + span);
      }
    });
    if (code > 0x10000) throw new Error('it has a Huffman table with too many codes');
    tables.set(selector, table);
  }
}

function entropyCodedIntervals(bytes: Uint8Array, start: number): Uint8Array[] {
  const intervals: Uint8Array[] = [];
  let interval = new Uint8Array(bytes.length - start);
  let length = 0;
  for (let position = start; position < bytes.length; position++) {
    const byte = bytes[position] ?? 0;
    if (byte === 0xff) {
      const marker = bytes[++position] ?? 0;
      if (marker === 0xff) {
        position--; // fill byte
        continue;
      }
      if (marker !== 0) {
        intervals.push(interval.subarray(0, length));
        if (marker < 0xd0 || marker > 0xd7) return intervals;
        interval = interval.subarray(length);
        length = 0;
        continue;
      }
    }
    interval[length++] = byte;
  }
  throw new Error('it ends within its pixels');
}

/** Reads bits, the highest of a byte first. Past the end there are zeroes; {@link isPastEnd} tells afterwards. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  /** The lowest `#count` bits are still to be read. */
  #bits = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The symbol of the next codeword.
   * @throws Error if no codeword begins so */
  symbol(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    const entry = table[(this.#bits >>> (this.#count - 16)) & 0xffff] ?? 0;
    if (entry === 0) throw new Error('its entropy-coded data are damaged');
    this.#count -= entry >> 8;
    return entry & 0xff;
  }

  /** A difference of `size` bits: the value itself, or with the highest bit 0 that value − 2ˢⁱᶻᵉ + 1 (T.81 F.2.2.1).
   * @param size 1 to 15 */
  difference(size: number): number {
    if (this.#count < size) this.#fill();
    this.#count -= size;
    const value = (this.#bits >>> this.#count) & ((1 << size) - 1);
    return value >> (size - 1) === 0 ? value - (1 << size) + 1 : value;
  }

  /** Whether more bits were read than there are. */
  get isPastEnd(): boolean {
    return 8 * this.#position - this.#count > 8 * this.#bytes.length;
  }

  #fill(): void {
    const bytes = this.#bytes;
    while (this.#count <= 24) {
      this.#bits = (this.#bits << 8) | (bytes[this.#position++] ?? 0);
      this.#count += 8;
    }
  }
}
