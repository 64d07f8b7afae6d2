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
const LONGEST_RUN = 128;

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
      const length = Math.min(upTo - at, LONGEST_RUN);
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
      for (let left = length; left > 0; left -= LONGEST_RUN) {
        const run = Math.min(left, LONGEST_RUN);
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
