import { InputError } from '../errors.ts';
import { assertWithinLimit, damagedFile, type ReadLimits } from '../io/read-limits.ts';
import { type DicomDataset } from '../dicom/dicom-dataset.ts';
import { unsupportedTransferSyntax } from '../dicom/read-dicom.ts';
import { nativePixels, openFrames } from '../series/dicom.ts';
import type { StoredValues } from '../dicom/pixel-data.ts';
import { pixelDecoders } from '../codecs/pixel-decoders.ts';
import {
  DEFLATED_LITTLE_ENDIAN,
  ENCAPSULATED_UNCOMPRESSED,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  HTJ2K,
  HTJ2K_LOSSLESS,
  HTJ2K_LOSSLESS_RPCL,
  IMPLICIT_LITTLE_ENDIAN,
  JPEG_2000,
  JPEG_2000_LOSSLESS,
  JPEG_LOSSLESS,
  JPEG_LOSSLESS_SV1,
  JPEG_LS_LOSSLESS,
  RLE_LOSSLESS,
} from '../dicom/transfer-syntaxes.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';

/** A segmentation's file and the size of its frames. */
export interface SegPixelSource {
  readonly dataset: DicomDataset;
  /** Inflated, if it was deflated. */
  readonly file: Uint8Array;
  readonly frameCount: number;
  readonly rows: number;
  readonly columns: number;
  /** For messages. */
  readonly name: string;
}

/** Checks that the frames can be there, before memory is taken for them.
 * @throws InputError `damaged-file`, `limit-exceeded` */
export function assertPixels(
  { dataset, file, frameCount, rows, columns, name }: SegPixelSource,
  limits: ReadLimits,
): void {
  const { pixelData } = dataset;
  if (pixelData === undefined) throw damagedFile(name, 'it has no pixel data');
  const needed = Math.ceil((frameCount * rows * columns * (dataset.number('BitsAllocated') ?? 1)) / 8);
  const present = Math.max(0, Math.min(pixelData.byteLength ?? Infinity, file.length - pixelData.dataOffset));
  if (pixelData.byteLength === undefined) {
    assertWithinLimit(needed / present, 'compressionRatio', limits, { name, what: 'bytes from one compressed byte' });
  } else if (present < needed) {
    throw damagedFile(name, `its pixel data are ${present} bytes, its frames need ${needed}`);
  }
}

/** How the frames of a BINARY segmentation are painted, in the file's order.
 * @throws InputError `damaged-file`, `unsupported-transfer-syntax`, `unsupported-segmentation` for other than single bits */
export async function binaryFrames(source: SegPixelSource): Promise<PaintFrame[]> {
  const { dataset, file, name, rows, columns } = source;
  const { transferSyntaxUID, pixelData } = dataset;
  const bitsAllocated = dataset.number('BitsAllocated') ?? 1;
  if (bitsAllocated !== 1) throw unsupportedBits(bitsAllocated);
  if (pixelData === undefined) throw damagedFile(name, 'it has no pixel data');
  if (NATIVE_SYNTAXES.has(transferSyntaxUID)) {
    return paintersOf(nativePixels(file, transferSyntaxUID, { pixelData, bitsAllocated }, name), source);
  }
  if (PIXEL_SYNTAXES.has(transferSyntaxUID))
    return framesAbove(decodedFrames(source, { rows, columns, bitsAllocated: 8 }), 1, source);
  if (!BYTE_SYNTAXES.has(transferSyntaxUID)) throw unsupportedTransferSyntax(transferSyntaxUID, name);
  const frames: PaintFrame[] = [];
  // Every frame begins on a byte, and is compressed as the bytes it is.
  const format = { rows: 1, columns: Math.ceil((rows * columns) / 8), bitsAllocated: 8 } as const;
  for await (const { buffer, byteOffset, byteLength } of decodedFrames(source, format)) {
    frames.push(paintBits(new Uint8Array(buffer, byteOffset, byteLength), 0));
  }
  return frames;
}

const NATIVE_SYNTAXES = new Set([
  IMPLICIT_LITTLE_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  DEFLATED_LITTLE_ENDIAN,
  EXPLICIT_BIG_ENDIAN,
]);
/** Encapsulated syntaxes of bytes, which may each hold eight pixels. */
const BYTE_SYNTAXES = new Set([RLE_LOSSLESS, ENCAPSULATED_UNCOMPRESSED]);
/** Codecs of images, whose code stream has a sample a pixel, of one bit or more (PS3.5 8.2.4 and its table of values). */
const PIXEL_SYNTAXES = new Set([
  JPEG_2000_LOSSLESS,
  JPEG_2000,
  HTJ2K_LOSSLESS,
  HTJ2K_LOSSLESS_RPCL,
  HTJ2K,
  JPEG_LS_LOSSLESS,
  JPEG_LOSSLESS,
  JPEG_LOSSLESS_SV1,
]);

/** How the frames of a FRACTIONAL segmentation are painted, in the file's order: where a value is at least `threshold`.
 * @throws as {@link storedFrames} */
export function fractionalFrames(source: SegPixelSource, threshold: number): Promise<PaintFrame[]> {
  return framesAbove(storedFrames(source), threshold, source);
}

/** Frames of values as frames of bits, which take an eighth of the memory. */
async function framesAbove(
  frames: AsyncIterable<StoredValues>,
  threshold: number,
  source: SegPixelSource,
): Promise<PaintFrame[]> {
  const { frameCount, rows, columns } = source;
  const packed = new Uint8Array(Math.ceil((frameCount * rows * columns) / 8));
  let bit = 0;
  for await (const values of frames) {
    for (const value of values) {
      if (value >= threshold) packed[bit >> 3] = (packed[bit >> 3] ?? 0) | (1 << (bit & 7));
      bit++;
    }
  }
  return paintersOf(packed, source);
}

/** The stored values of every frame of 8 or 16 bits, one after the other: no more than one is held here.
 * @throws InputError `damaged-file`, `unsupported-transfer-syntax`, `unsupported-segmentation` for other pixels */
export async function* storedFrames(source: SegPixelSource): AsyncGenerator<StoredValues> {
  const { dataset, rows, columns } = source;
  const bitsAllocated = dataset.number('BitsAllocated');
  if ((bitsAllocated !== 8 && bitsAllocated !== 16) || dataset.number('PixelRepresentation') === 1) {
    throw unsupportedBits(bitsAllocated);
  }
  yield* decodedFrames(source, { rows, columns, bitsAllocated });
}

async function* decodedFrames(
  { dataset, file, frameCount, name }: SegPixelSource,
  size: { readonly rows: number; readonly columns: number; readonly bitsAllocated: 8 | 16 },
): AsyncGenerator<StoredValues> {
  const { transferSyntaxUID, pixelData } = dataset;
  const decoder = pixelDecoders.find(({ transferSyntaxUIDs }) => transferSyntaxUIDs.includes(transferSyntaxUID));
  if (decoder === undefined) throw unsupportedTransferSyntax(transferSyntaxUID, name);
  if (pixelData === undefined) throw damagedFile(name, 'it has no pixel data');
  const format = { ...size, bitsStored: size.bitsAllocated, isSigned: false };
  const frameBytes = openFrames(file, transferSyntaxUID, { pixelData, frameCount, format }, name);
  for (let frame = 0; frame < frameCount; frame++) {
    yield await decoder.decode({ bytes: frameBytes(frame), format, fileName: name });
  }
}

function unsupportedBits(bitsAllocated: number | undefined): InputError {
  return new InputError('unsupported-segmentation', `The DICOM-SEG has pixels of ${bitsAllocated ?? 0} bits.`, {
    remedy: 'Export the segmentation as BINARY of single bits, or with 8 or 16 unsigned bits.',
  });
}

function paintersOf(packed: Uint8Array, { frameCount, rows, columns }: SegPixelSource): PaintFrame[] {
  return Array.from({ length: frameCount }, (_, frame) => paintBits(packed, frame * rows * columns));
}

/** Paints where a bit is set; the first pixel of a byte is its lowest bit (PS3.5 8.1.1). */
function paintBits(packed: Uint8Array, firstBit: number): PaintFrame {
  return (target, label, { rule, met }) => {
    const lastByte = Math.ceil((firstBit + target.length) / 8);
    for (let byte = Math.floor(firstBit / 8); byte < lastByte; byte++) {
      const bits = packed[byte] ?? 0;
      if (bits === 0) continue;
      // The first and the last byte may hold bits of the neighbouring frames.
      const offset = byte * 8 - firstBit;
      const end = Math.min(offset + 8, target.length);
      for (let at = Math.max(offset, 0); at < end; at++) {
        if (((bits >> (at - offset)) & 1) === 0) continue;
        const there = target[at] ?? 0;
        if (there !== 0) {
          met.set(there, (met.get(there) ?? 0) + 1);
          if (rule === 'stop') return false;
          if (rule === 'keep') continue;
        }
        target[at] = label;
      }
    }
    return true;
  };
}

type Labels = Labelmap['voxels'];

/** Paints one frame of one segment: writes the label where the frame has the segment and the target has nothing.
 * @returns false if the rule is to stop and it did */
export type PaintFrame = (target: Labels, label: number, overlap: OverlapHandling) => boolean;

/** What to do where another segment is already, and what was met. */
export interface OverlapHandling {
  readonly rule: 'stop' | 'keep' | 'overwrite';
  /** Voxels found taken, by the label that was there; counted up to the first with 'stop'. */
  readonly met: Map<number, number>;
}

/** The frames of one segment, each with the voxels of the slice that it lies on. */
export interface SegmentFrames {
  readonly segmentNumber: number;
  readonly frames: readonly { readonly sliceIndex: number; readonly paint: PaintFrame }[];
}

export interface PaintedLayer {
  readonly voxels: Labels;
  readonly segmentNumbers: readonly number[];
}

/** Paints segments into as few label arrays as hold them apart: each into the first one where it meets no other. */
export function paintApart(
  segments: readonly SegmentFrames[],
  sliceSize: number,
  createVoxels: () => Labels,
): PaintedLayer[] {
  const layers: { voxels: Labels; segmentNumbers: number[] }[] = [];
  for (const segment of segments) {
    let layer = layers.find(({ voxels }) => paintOrUndo(voxels, segment, sliceSize));
    if (layer === undefined) {
      layer = { voxels: createVoxels(), segmentNumbers: [] };
      layers.push(layer);
      paintOrUndo(layer.voxels, segment, sliceSize);
    }
    layer.segmentNumbers.push(segment.segmentNumber);
  }
  return layers;
}

/** Paints segments into one label array.
 * @returns for every pair that meets, the voxels that both claim; with the rule 'stop' the first such voxel only */
export function paintTogether(
  segments: readonly SegmentFrames[],
  voxels: Labels,
  sliceSize: number,
  rule: OverlapHandling['rule'],
): { readonly labels: readonly [there: number, coming: number]; readonly voxelCount: number }[] {
  const pairs = [];
  for (const { segmentNumber, frames } of segments) {
    const met = new Map<number, number>();
    const isDone = frames.every(({ sliceIndex, paint }) =>
      paint(sliceOf(voxels, sliceIndex, sliceSize), segmentNumber, { rule, met }),
    );
    for (const [there, voxelCount] of met) pairs.push({ labels: [there, segmentNumber] as const, voxelCount });
    if (!isDone) break;
  }
  return pairs;
}

function paintOrUndo(voxels: Labels, { segmentNumber, frames }: SegmentFrames, sliceSize: number): boolean {
  const overlap = { rule: 'stop', met: new Map<number, number>() } as const;
  const stop = frames.findIndex(
    ({ sliceIndex, paint }) => !paint(sliceOf(voxels, sliceIndex, sliceSize), segmentNumber, overlap),
  );
  if (stop < 0) return true;
  for (const { sliceIndex } of frames.slice(0, stop + 1)) {
    const slice = sliceOf(voxels, sliceIndex, sliceSize);
    for (let at = 0; at < slice.length; at++) if (slice[at] === segmentNumber) slice[at] = 0;
  }
  return false;
}

function sliceOf(voxels: Labels, k: number, sliceSize: number): Labels {
  return voxels.subarray(k * sliceSize, (k + 1) * sliceSize);
}
