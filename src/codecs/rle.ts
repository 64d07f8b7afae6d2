import { damagedFile } from '../io/read-limits.ts';
import { type EncodedFrame, storedArray, type StoredValues } from '../dicom/pixel-data.ts';

const HEADER_BYTES = 64;

/** Decodes RLE Lossless (PS3.5 annex G): one PackBits segment for each byte of a pixel, most significant first.
 * @throws InputError `damaged-file` if a segment is missing or gives another number of bytes than pixels */
export function decodeRle({ bytes, format, fileName }: EncodedFrame): StoredValues {
  const pixelCount = format.rows * format.columns;
  const bytesPerPixel = format.bitsAllocated / 8;
  if (bytes.length < HEADER_BYTES) throw damagedFile(fileName, 'its RLE header is incomplete');
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const segmentCount = header.getUint32(0, true);
  if (segmentCount !== bytesPerPixel) {
    throw damagedFile(fileName, `it has ${segmentCount} RLE segments, ${bytesPerPixel} are needed`);
  }
  const values = storedArray(format, pixelCount);
  const target = new Uint8Array(values.buffer);
  for (let segment = 0; segment < segmentCount; segment++) {
    const start = header.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segmentCount ? header.getUint32(8 + 4 * segment, true) : bytes.length;
    if (start < HEADER_BYTES || end < start || end > bytes.length) {
      throw damagedFile(fileName, `its RLE segment ${segment + 1} lies outside the file`);
    }
    const first = bytesPerPixel - 1 - segment;
    const written = unpackBits(bytes.subarray(start, end), target, first, bytesPerPixel);
    if (written !== pixelCount) {
      throw damagedFile(fileName, `its RLE segment ${segment + 1} has ${written} of ${pixelCount} bytes`);
    }
  }
  return values;
}

/** Unpacks one segment into every `step`-th byte of `target` from `first` on; bytes past its end are padding.
 * @returns the number of bytes written */
function unpackBits(packed: Uint8Array, target: Uint8Array, first: number, step: number): number {
  let position = 0;
  let write = first;
  while (position < packed.length && write < target.length) {
    const control = packed[position++] ?? 128;
    if (control < 128) {
      const room = Math.ceil((target.length - write) / step);
      const end = position + Math.min(control + 1, packed.length - position, room);
      for (; position < end; write += step) target[write] = packed[position++] ?? 0;
    } else if (control > 128 && position < packed.length) {
      const value = packed[position++] ?? 0;
      const end = Math.min(write + step * (257 - control), target.length);
      for (; write < end; write += step) target[write] = value;
    }
  }
  return Math.ceil((write - first) / step);
}

/** Encodes one frame of unsigned pixels as RLE Lossless (PS3.5 annex G): a header of 64 bytes, then one PackBits segment
 * for each byte of a pixel, most significant first; every row is packed alone. Of even length. */
export function encodeRle(pixels: Uint8Array | Uint16Array, columns: number): Uint8Array<ArrayBuffer> {
  const bytesPerPixel = pixels.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  // PackBits adds at most one byte to every 128 of a row; a segment is padded to even length.
  const rows = pixels.length / columns;
  const longest = HEADER_LENGTH + bytesPerPixel * (rows * (columns + Math.ceil(columns / 128)) + 1);
  const encoded = new Uint8Array(longest + 1);
  const header = new DataView(encoded.buffer);
  header.setUint32(0, bytesPerPixel, true);
  let end = HEADER_LENGTH;
  for (let segment = 0; segment < bytesPerPixel; segment++) {
    header.setUint32(4 + 4 * segment, end, true);
    for (let row = 0; row < rows; row++) {
      // Little endian in memory: the most significant byte is the last.
      const first = row * columns * bytesPerPixel + (bytesPerPixel - 1 - segment);
      end = packRow(bytes, first, columns, bytesPerPixel, encoded, end);
    }
    end += end % 2;
  }
  return encoded.slice(0, end);
}

const HEADER_LENGTH = 64;
const MAX_RUN = 128;

/** PackBits of every `stride`-th byte: runs of three or more as runs, all between as literals.
 * @returns where the packed bytes end */
function packRow(
  bytes: Uint8Array,
  first: number,
  count: number,
  stride: number,
  packed: Uint8Array,
  start: number,
): number {
  let end = start;
  let literals = 0;
  const flush = (upTo: number): void => {
    for (let at = upTo - literals; at < upTo;) {
      const length = Math.min(upTo - at, MAX_RUN);
      packed[end++] = length - 1;
      for (const stop = at + length; at < stop; at++) packed[end++] = bytes[first + at * stride] ?? 0;
    }
    literals = 0;
  };
  for (let at = 0; at < count;) {
    const value = bytes[first + at * stride] ?? 0;
    let length = 1;
    while (at + length < count && bytes[first + (at + length) * stride] === value) length++;
    if (length < 3) literals += length;
    else {
      flush(at);
      for (let left = length; left > 0; left -= MAX_RUN) {
        const run = Math.min(left, MAX_RUN);
        // A run of one is a literal of one: 257 - 1 would be no run's length.
        packed[end++] = run === 1 ? 0 : 257 - run;
        packed[end++] = value;
      }
    }
    at += length;
  }
  flush(count);
  return end;
}
