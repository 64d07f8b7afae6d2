import { damagedFile } from './damaged-file.ts';
import { storedArray, type EncodedFrame, type PixelFormat, type StoredValues } from './pixel-data.ts';

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
  const planes = Array.from({ length: segmentCount }, (_, segment) => {
    const start = header.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segmentCount ? header.getUint32(8 + 4 * segment, true) : bytes.length;
    if (start < HEADER_BYTES || end < start || end > bytes.length) {
      throw damagedFile(fileName, `its RLE segment ${segment + 1} lies outside the file`);
    }
    const plane = new Uint8Array(pixelCount);
    const written = unpackBits(bytes.subarray(start, end), plane);
    if (written !== pixelCount) {
      throw damagedFile(fileName, `its RLE segment ${segment + 1} has ${written} of ${pixelCount} bytes`);
    }
    return plane;
  });
  return interleaved(planes, format, pixelCount);
}

/** Unpacks one segment; bytes past the end of `target` are padding.
 * @returns the number of bytes written */
function unpackBits(packed: Uint8Array, target: Uint8Array): number {
  let position = 0;
  let write = 0;
  while (position < packed.length && write < target.length) {
    const control = packed[position++] ?? 128;
    if (control < 128) {
      const end = Math.min(position + control + 1, packed.length, position + target.length - write);
      while (position < end) target[write++] = packed[position++] ?? 0;
    } else if (control > 128 && position < packed.length) {
      const value = packed[position++] ?? 0;
      const end = Math.min(write + 257 - control, target.length);
      while (write < end) target[write++] = value;
    }
  }
  return write;
}

/** Puts the bytes of each pixel together, the most significant plane first. */
function interleaved(planes: readonly Uint8Array[], format: PixelFormat, pixelCount: number): StoredValues {
  const values = storedArray(format, pixelCount);
  const [high, low] = planes;
  if (planes.length === 2 && high !== undefined && low !== undefined) {
    for (let at = 0; at < pixelCount; at++) values[at] = ((high[at] ?? 0) << 8) | (low[at] ?? 0);
    return values;
  }
  const target = new Uint8Array(values.buffer);
  planes.forEach((plane, n) => {
    for (let at = 0, to = planes.length - 1 - n; at < pixelCount; at++, to += planes.length) {
      target[to] = plane[at] ?? 0;
    }
  });
  return values;
}
