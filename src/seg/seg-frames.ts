import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import type { SourceInstance, SourceSeries } from '../volume/volume.ts';
import { elementHeader, numberElement, sequenceElement, textElement } from '../dicom/write-dicom.ts';
import { copiedDecimalString } from '../dicom/dicom-values.ts';
import { EXPLICIT_LITTLE_ENDIAN, RLE_LOSSLESS } from '../dicom/transfer-syntaxes.ts';
import { encodeRle } from '../codecs/rle.ts';

/** One frame of a segmentation: one segment (BINARY) or all of them (LABELMAP: undefined) on one slice. */
export interface SegFrame {
  readonly segmentNumber?: number;
  readonly sliceIndex: number;
}

interface BinaryFrame extends SegFrame {
  readonly segmentNumber: number;
}

/** The frames a BINARY segmentation needs: those with a voxel of the segment, by segment, then by slice.
 * Without any labelled voxel: one empty frame a segment, on the first slice, because an image has a frame.
 * @throws InputError `invalid-voxels` if a label has no segment */
export function findFrames(labelmap: Labelmap): BinaryFrame[] {
  const numbers = labelmap.segments.map((segment) => segment.segmentNumber).sort((a, b) => a - b);
  const slices = labelmap.geometry.dimensions[2];
  const rowOfLabel = new Map(numbers.map((segmentNumber, row) => [segmentNumber, row]));
  const occupied = new Uint8Array(numbers.length * slices);
  forEachRun(labelmap, (label, sliceIndex) => {
    const row = rowOfLabel.get(label);
    if (row === undefined) throw unknownLabel(label, sliceIndex);
    occupied[row * slices + sliceIndex] = 1;
  });
  const frames = numbers.flatMap((segmentNumber, row) =>
    Array.from({ length: slices }, (_, sliceIndex) => ({ segmentNumber, sliceIndex })).filter(
      ({ sliceIndex }) => occupied[row * slices + sliceIndex] === 1,
    ),
  );
  return frames.length > 0 ? frames : numbers.map((segmentNumber) => ({ segmentNumber, sliceIndex: 0 }));
}

/** The frames a LABELMAP segmentation needs: the slices that have a label; the first slice where none has.
 * @throws InputError `invalid-voxels` if a label has no segment */
function findLabelledSlices(labelmap: Labelmap): SegFrame[] {
  const known = new Set(labelmap.segments.map((segment) => segment.segmentNumber));
  const labelled = new Set<number>();
  forEachRun(labelmap, (label, sliceIndex) => {
    if (!known.has(label)) throw unknownLabel(label, sliceIndex);
    labelled.add(sliceIndex);
  });
  // Runs come slice by slice.
  return labelled.size > 0 ? Array.from(labelled, (sliceIndex) => ({ sliceIndex })) : [{ sliceIndex: 0 }];
}

/** Bytes of the frames' bits one after the other, frames not aligned to bytes, made even (PS3.5 8.1.1, 8.2). */
export function packedByteLength({ geometry }: Labelmap, frameCount: number): number {
  const [columns, rows] = geometry.dimensions;
  const bytes = Math.ceil((frameCount * columns * rows) / 8);
  return bytes + (bytes % 2);
}

/** Sets the bits of every labelled voxel, in one pass over the labelmap whatever the number of segments.
 * @param packed zeroes, of {@link packedByteLength} */
export function packFrames(labelmap: Labelmap, frames: readonly BinaryFrame[], packed: Uint8Array): void {
  const [columns, rows, slices] = labelmap.geometry.dimensions;
  const frameAt = new Map(frames.map((f, index) => [f.segmentNumber * slices + f.sliceIndex, index]));
  forEachRun(labelmap, (label, sliceIndex, start, end) => {
    const frame = frameAt.get(label * slices + sliceIndex);
    if (frame === undefined) throw unknownLabel(label, sliceIndex);
    const firstBit = frame * columns * rows;
    setBits(packed, firstBit + start, firstBit + end);
  });
}

/** Visits every run of one label; a run ends with its slice at the latest.
 * @param visit gets the run as [start, end) voxels of the slice */
function forEachRun(
  { voxels, geometry }: Labelmap,
  visit: (label: number, sliceIndex: number, start: number, end: number) => void,
): void {
  const [columns, rows, slices] = geometry.dimensions;
  const aligned = voxels.byteOffset % 4 === 0 ? voxels : voxels.slice();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
  const shift = voxels.BYTES_PER_ELEMENT === 1 ? 2 : 1;
  const mask = (1 << shift) - 1;
  const sliceSize = columns * rows;
  for (let sliceIndex = 0; sliceIndex < slices; sliceIndex++) {
    const first = sliceIndex * sliceSize;
    const last = first + sliceSize;
    for (let at = first; at < last;) {
      const label = aligned[at] ?? 0;
      const start = at++;
      if (label !== 0) {
        while (at < last && aligned[at] === label) at++;
        visit(label, sliceIndex, start - first, at - first);
      } else if ((at & mask) === 0) {
        // Most of a labelmap is background: four bytes at a time.
        while (at < last && words[at >> shift] === 0) at += mask + 1;
      }
    }
  }
}

/** Sets bits [from, to), the first voxel in a byte's lowest bit (PS3.5 8.1.1). */
function setBits(bytes: Uint8Array, from: number, to: number): void {
  const first = Math.floor(from / 8);
  const last = Math.floor(to / 8);
  const head = (0xff << (from % 8)) & 0xff;
  const tail = 0xff >> (8 - (to % 8));
  if (first === last) {
    bytes[first] = (bytes[first] ?? 0) | (head & tail);
    return;
  }
  bytes[first] = (bytes[first] ?? 0) | head;
  bytes.fill(0xff, first + 1, last);
  if (tail !== 0) bytes[last] = (bytes[last] ?? 0) | tail;
}

function unknownLabel(label: number, sliceIndex: number): InputError {
  return new InputError('invalid-voxels', `Label ${label} on slice ${sliceIndex} belongs to no segment.`, {
    remedy: 'Describe a segment for every label of the labelmap.',
    details: { label, sliceIndex },
  });
}

/** Encoded element (5200,9230): derivation, dimension indices, position and, of a
 * BINARY one, segment of every frame (PS3.3 C.7.6.16).
 * dcmjs needs 0.85 ms an item; a volume of many organs has thousands. */
export function perFrameFunctionalGroups(frames: readonly SegFrame[], source: SourceSeries): Uint8Array {
  const slices = [...new Set(frames.map((frame) => frame.sliceIndex))].sort((a, b) => a - b);
  const groupsOfSlice = new Map(slices.map((k, rank) => [k, sliceGroups(instanceAt(source, k), rank + 1)]));
  const items = frames.map(({ segmentNumber, sliceIndex }) => {
    const slice = groupsOfSlice.get(sliceIndex);
    if (slice === undefined) throw new RangeError(`no slice ${sliceIndex}`);
    const dimensionIndices = [...(segmentNumber === undefined ? [] : [segmentNumber]), slice.positionIndex];
    return [
      slice.derivation,
      sequenceElement(0x00209111, [[numberElement(0x00209157, 'UL', dimensionIndices)]]),
      slice.position,
      ...(segmentNumber === undefined
        ? []
        : [sequenceElement(0x0062000a, [[numberElement(0x0062000b, 'US', [segmentNumber])]])]),
    ];
  });
  return sequenceElement(0x52009230, items);
}

interface SliceGroups {
  readonly derivation: Uint8Array;
  readonly position: Uint8Array;
  /** Rank, from 1, of the slice among those that have a frame. */
  readonly positionIndex: number;
}

/** What all frames of one slice share. */
function sliceGroups(instance: SourceInstance, positionIndex: number): SliceGroups {
  const sourceImage = [
    textElement(0x00081150, 'UI', instance.sopClassUID),
    textElement(0x00081155, 'UI', instance.sopInstanceUID),
    ...(instance.frameNumber === undefined ? [] : [textElement(0x00081160, 'IS', String(instance.frameNumber))]),
    textElement(0x0028135a, 'CS', 'YES'), // SpatialLocationsPreserved
    sequenceElement(0x0040a170, [code('121322', 'Source image for image processing operation')]),
  ];
  return {
    derivation: sequenceElement(0x00089124, [
      [sequenceElement(0x00082112, [sourceImage]), sequenceElement(0x00089215, [code('113076', 'Segmentation')])],
    ]),
    position: sequenceElement(0x00209113, [
      [textElement(0x00200032, 'DS', instance.imagePositionPatient.map(copiedDecimalString).join('\\'))],
    ]),
    positionIndex,
  };
}

function code(value: string, meaning: string): Uint8Array[] {
  return [
    textElement(0x00080100, 'SH', value),
    textElement(0x00080102, 'SH', 'DCM'),
    textElement(0x00080104, 'LO', meaning),
  ];
}

function instanceAt(source: SourceSeries, sliceIndex: number): SourceInstance {
  const instance = source.instances[sliceIndex];
  if (instance === undefined) throw new RangeError(`no instance of slice ${sliceIndex}`);
  return instance;
}

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
