import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';

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
export function findLabelledSlices(labelmap: Labelmap): SegFrame[] {
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
