import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import type { Segment } from '../labelmap/segment.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Notice, SourceSeries } from '../volume/volume.ts';
import { damagedFile } from './damaged-file.ts';
import { parseDicom, unsupportedTransferSyntax, type DicomDataset } from './dicom-dataset.ts';
import { readSegFrames, type SegPlanes } from './dicom-seg-frames.ts';
import { gridOfPlanes, slicesOnReference } from './dicom-seg-grid.ts';
import { readSegments } from './dicom-seg-segments.ts';
import { EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN } from './transfer-syntaxes.ts';

export interface ReadDicomSegOptions {
  /** For messages. */
  readonly name?: string;
  /** The grid to fill: a volume that the segmentation was made from, or another one on the same grid. */
  readonly reference?: { readonly geometry: VolumeGeometry; readonly source?: SourceSeries | undefined };
}

export interface ReadDicomSegResult {
  readonly labelmap: Labelmap;
  readonly warnings: readonly Notice[];
  /** The series that the segmentation was made from; undefined where it names none, or several. */
  readonly sourceSeriesInstanceUID?: string;
  /** In the file's order: the segment, the slice of the labelmap, and the one source image where it names one. */
  readonly frames: readonly SegFramePlace[];
}

interface SegFramePlace {
  readonly segmentNumber: number;
  readonly sliceIndex: number;
  readonly sourceSOPInstanceUID?: string | undefined;
}

/** Reads a DICOM Segmentation of type BINARY whose segments do not overlap. Frames may come in any order, be omitted
 * where they are empty, and need not begin on a byte.
 *
 * With a reference the labelmap is on its whole grid: a frame belongs to the slice of its source image, else to the
 * slice at its position. Frames of reference are not compared: some series have one a slice. Without a reference the
 * grid spans the frames that are there.
 * @throws InputError `not-segmentation`; `unsupported-segmentation` for LABELMAP, FRACTIONAL and overlapping segments;
 * `geometry-mismatch` if a frame is not on a slice of the reference; `irregular-slices`, `gantry-tilt` if the frames
 * span no regular grid; `missing-attribute`; `damaged-file` */
export function readDicomSeg(bytes: Uint8Array, options: ReadDicomSegOptions = {}): ReadDicomSegResult {
  const name = options.name ?? 'The DICOM-SEG';
  const dataset = parseDicom(bytes, name);
  assertBinary(dataset, name);
  const { segments, warnings } = readSegments(dataset);
  const planes = readSegFrames(dataset, name);
  const { reference } = options;
  const { geometry, slices } = reference === undefined ? gridOfPlanes(planes) : slicesOnReference(planes, reference);

  const frames = planes.frames.map(({ segmentNumber, sourceSOPInstanceUID }, at): SegFramePlace => {
    return { segmentNumber, sliceIndex: slices[at] ?? 0, sourceSOPInstanceUID };
  });
  assertFrames(frames, segments);
  const largest = Math.max(...segments.map((segment) => segment.segmentNumber));
  const size = geometry.dimensions[0] * geometry.dimensions[1] * geometry.dimensions[2];
  const voxels = largest <= 255 ? new Uint8Array(size) : new Uint16Array(size);
  fillVoxels(voxels, frames, pixelBytes(bytes, dataset, planes, name), planes.rows * planes.columns);

  const sourceSeries = [
    ...new Set(dataset.items('ReferencedSeriesSequence').map((s) => s.string('SeriesInstanceUID'))),
  ];
  const [sourceSeriesInstanceUID] = sourceSeries;
  return {
    labelmap: { geometry, voxels, segments },
    warnings,
    ...(sourceSeries.length === 1 && sourceSeriesInstanceUID !== undefined && { sourceSeriesInstanceUID }),
    frames,
  };
}

export const SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.4';
const LABELMAP_STORAGE = '1.2.840.10008.5.1.4.1.1.66.7';

function assertBinary(dataset: DicomDataset, name: string): void {
  const sopClass = dataset.string('SOPClassUID') ?? dataset.string('MediaStorageSOPClassUID');
  if (sopClass !== SEGMENTATION_STORAGE && sopClass !== LABELMAP_STORAGE) {
    throw new InputError(
      'not-segmentation',
      `${name} is no DICOM Segmentation (its SOP class is ${sopClass ?? 'missing'}).`,
      {
        remedy: 'Pass a DICOM-SEG file; images are given with --reference.',
        details: { sopClassUID: sopClass },
      },
    );
  }
  const type = dataset.string('SegmentationType') ?? 'none';
  if (type !== 'BINARY') throw unsupported(`its Segmentation Type is ${type}, not BINARY`);
  const { transferSyntaxUID } = dataset;
  if (transferSyntaxUID !== EXPLICIT_LITTLE_ENDIAN && transferSyntaxUID !== IMPLICIT_LITTLE_ENDIAN) {
    throw unsupportedTransferSyntax(transferSyntaxUID, name);
  }
}

function assertFrames(frames: readonly SegFramePlace[], segments: readonly Segment[]): void {
  const described = new Set(segments.map((segment) => segment.segmentNumber));
  const seen = new Set<string>();
  for (const { segmentNumber, sliceIndex } of frames) {
    if (!described.has(segmentNumber)) {
      throw new InputError(
        'invalid-attribute',
        `The DICOM-SEG has a frame of segment ${segmentNumber}, which it lacks.`,
        {
          remedy: 'Export the segmentation again.',
        },
      );
    }
    // Time points, tiles, two grids: dimensions that a labelmap does not have.
    const place = `${segmentNumber}/${sliceIndex}`;
    if (seen.has(place)) throw unsupported(`segment ${segmentNumber} has several frames at one position`);
    seen.add(place);
  }
}

function pixelBytes(file: Uint8Array, dataset: DicomDataset, planes: SegPlanes, name: string): Uint8Array {
  const needed = Math.ceil((planes.frames.length * planes.rows * planes.columns) / 8);
  const { dataOffset = 0, byteLength = 0 } = dataset.pixelData ?? {};
  const present = Math.min(byteLength, file.length - dataOffset);
  if (present < needed) throw damagedFile(name, `its pixel data are ${present} bytes, its frames need ${needed}`);
  return file.subarray(dataOffset, dataOffset + needed);
}

/** Writes each frame's segment number where its bit is set; the first pixel is the lowest bit (PS3.5 8.1.1). */
function fillVoxels(
  voxels: Labelmap['voxels'],
  frames: readonly SegFramePlace[],
  packed: Uint8Array,
  sliceSize: number,
): void {
  frames.forEach(({ segmentNumber, sliceIndex }, frame) => {
    const firstBit = frame * sliceSize;
    const lastByte = Math.ceil((firstBit + sliceSize) / 8);
    const slice = voxels.subarray(sliceIndex * sliceSize, (sliceIndex + 1) * sliceSize);
    for (let byte = Math.floor(firstBit / 8); byte < lastByte; byte++) {
      const bits = packed[byte] ?? 0;
      if (bits === 0) continue;
      // The first and the last byte may hold bits of the neighbouring frames.
      const offset = byte * 8 - firstBit;
      const end = Math.min(offset + 8, sliceSize);
      for (let at = Math.max(offset, 0); at < end; at++) {
        if (((bits >> (at - offset)) & 1) === 0) continue;
        const other = slice[at] ?? 0;
        if (other !== 0) throw unsupported(`its segments ${other} and ${segmentNumber} overlap`);
        slice[at] = segmentNumber;
      }
    }
  });
}

function unsupported(why: string): InputError {
  return new InputError('unsupported-segmentation', `The DICOM-SEG cannot be read as a labelmap: ${why}.`, {
    remedy: 'Export the segmentation as BINARY with segments that do not overlap.',
  });
}
