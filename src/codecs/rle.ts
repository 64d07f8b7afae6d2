import { damagedFile } from '../io/damaged-file.ts';
import { storedArray, type EncodedFrame, type StoredValues } from '../dicom/pixel-data.ts';

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
