import type { Labelmap } from '../labelmap/labelmap.ts';
import { EXPLICIT_LITTLE_ENDIAN, RLE_LOSSLESS } from '../dicom/transfer-syntaxes.ts';
import { elementHeader } from '../dicom/dicom-element.ts';
import { encodeRle } from '../codecs/rle-encode.ts';
import { findFrames, findLabelledSlices, packedByteLength, packFrames, type SegFrame } from './seg-frames.ts';

/** A labelmap as the frames of one Segmentation Type (PS3.3 C.8.20.2), and how its pixel data are written. */
export interface SegPixels {
  readonly segmentationType: 'BINARY' | 'LABELMAP';
  readonly bitsAllocated: 1 | 8 | 16;
  readonly transferSyntaxUID: string;
  readonly frames: readonly SegFrame[];
  /** Bytes of the value alone: an element's length has 32 bits. */
  readonly valueLength: number;
  /** Bytes of the whole Pixel Data element. */
  readonly byteLength: number;
  /** Writes the element.
   * @param target zeroes, of byteLength */
  readonly write: (target: Uint8Array) => void;
}

/** BINARY: a frame of bits for each segment on each slice where it is.
 * @throws InputError `invalid-voxels` if a label has no segment */
export function binaryPixels(labelmap: Labelmap): SegPixels {
  const frames = findFrames(labelmap);
  const valueLength = packedByteLength(labelmap, frames.length);
  const header = elementHeader(PIXEL_DATA, 'OB', valueLength);
  return {
    segmentationType: 'BINARY',
    bitsAllocated: 1,
    transferSyntaxUID: EXPLICIT_LITTLE_ENDIAN,
    frames,
    valueLength,
    byteLength: header.length + valueLength,
    write: (target) => {
      target.set(header);
      // The bits are set in their place in the file: a second copy of them could be hundreds of megabytes.
      packFrames(labelmap, frames, target.subarray(header.length));
    },
  };
}

/** LABELMAP: a frame of label values for each slice that has a label; 16 bits only where a segment number needs them.
 * @throws InputError `invalid-voxels` if a label has no segment */
export function labelmapPixels(labelmap: Labelmap, { compress }: { readonly compress: boolean }): SegPixels {
  const frames = findLabelledSlices(labelmap);
  const bitsAllocated = labelmap.segments.some(({ segmentNumber }) => segmentNumber > 255) ? 16 : 8;
  const common = { segmentationType: 'LABELMAP', bitsAllocated, frames } as const;
  return compress ? { ...common, ...rle(labelmap, common) } : { ...common, ...native(labelmap, common) };
}

const PIXEL_DATA = 0x7fe00010;

type Layout = Pick<SegPixels, 'frames' | 'bitsAllocated'>;
type Stored = Pick<SegPixels, 'transferSyntaxUID' | 'valueLength' | 'byteLength' | 'write'>;

function native(labelmap: Labelmap, { frames, bitsAllocated }: Layout): Stored {
  const [columns, rows] = labelmap.geometry.dimensions;
  const frameLength = columns * rows * (bitsAllocated / 8);
  const odd = (frames.length * frameLength) % 2;
  const valueLength = frames.length * frameLength + odd;
  const header = elementHeader(PIXEL_DATA, bitsAllocated === 8 ? 'OB' : 'OW', valueLength);
  return {
    transferSyntaxUID: EXPLICIT_LITTLE_ENDIAN,
    valueLength,
    byteLength: header.length + valueLength,
    write: (target) => {
      target.set(header);
      frames.forEach(({ sliceIndex }, frame) => {
        const { buffer, byteOffset, byteLength } = frameValues(labelmap, sliceIndex, bitsAllocated);
        target.set(new Uint8Array(buffer, byteOffset, byteLength), header.length + frame * frameLength);
      });
    },
  };
}

/** Encapsulated (PS3.5 A.4): an empty offset table, one fragment a frame. */
function rle(labelmap: Labelmap, { frames, bitsAllocated }: Layout): Stored {
  const [columns] = labelmap.geometry.dimensions;
  const fragments = frames.map(({ sliceIndex }) =>
    encodeRle(frameValues(labelmap, sliceIndex, bitsAllocated), columns),
  );
  const header = elementHeader(PIXEL_DATA, 'OB', 0xffffffff);
  const items = [item(0), ...fragments.flatMap((fragment) => [item(fragment.length), fragment])];
  const parts = [header, ...items, SEQUENCE_DELIMITATION];
  const byteLength = parts.reduce((sum, part) => sum + part.length, 0);
  return {
    transferSyntaxUID: RLE_LOSSLESS,
    valueLength: Math.max(...fragments.map((fragment) => fragment.length)),
    byteLength,
    write: (target) => {
      let offset = 0;
      for (const part of parts) {
        target.set(part, offset);
        offset += part.length;
      }
    },
  };
}

const SEQUENCE_DELIMITATION = new Uint8Array([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);

function item(length: number): Uint8Array {
  const header = new Uint8Array([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  new DataView(header.buffer).setUint32(4, length, true);
  return header;
}

/** One slice in the type that is stored; a view where it has that type already. */
function frameValues({ voxels, geometry }: Labelmap, k: number, bitsAllocated: number): Uint8Array | Uint16Array {
  const size = geometry.dimensions[0] * geometry.dimensions[1];
  const slice = voxels.subarray(k * size, (k + 1) * size);
  if (slice.BYTES_PER_ELEMENT * 8 === bitsAllocated) return slice;
  return bitsAllocated === 8 ? Uint8Array.from(slice) : Uint16Array.from(slice);
}
