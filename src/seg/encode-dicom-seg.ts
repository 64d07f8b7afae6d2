import { type ErrorDetails, InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import { labelmapOnSourceSlices } from '../labelmap/source-slices.ts';
import { wholenessOf } from '../labelmap/measure.ts';
import { createUid } from '../labelmap/segmentation-result.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Notice, SourceSeries } from '../volume/volume.ts';
import type { SegInstance } from './dicom-seg-segments.ts';
import { encodePart10, MAX_VALUE_LENGTH } from '../dicom/write-dicom.ts';
import { type LabelmapOrigin, segDataset } from './seg-dataset.ts';
import { binaryPixels, labelmapPixels, perFrameFunctionalGroups } from './seg-frames.ts';
import { assertIdentity, assertOnSourceGrid } from './dicom-seg-sources.ts';

/** BINARY, which every reader knows, or LABELMAP, which has one frame a slice however many segments there are. */
export type SegType = 'binary' | 'labelmap';

export interface DicomSegOptions {
  /** What made the labelmap; a result's `provenance` is one. Without a model, no algorithm is identified. */
  readonly provenance: LabelmapOrigin;
  /** Default: binary. */
  readonly segType?: SegType;
  /** RLE Lossless; for labelmap only. */
  readonly compress?: boolean;
  /** Files beside the source series could not be read and may belong to it: each segment's description says so. */
  readonly isSeriesIncomplete?: boolean;
  /** The stored segmentation that this one corrects, as `readDicomSeg` identified it: the new one refers to it. */
  readonly predecessor?: SegInstance;
  /** Content Label (CS, at most 16 of A–Z, 0–9, space, underscore). */
  readonly contentLabel?: string;
  readonly seriesDescription?: string;
  readonly seriesNumber?: number;
  readonly instanceNumber?: number;
  /** Content, series date and time. */
  readonly now: Date;
  /** Where new UIDs come from. */
  readonly createUid?: () => string;
}

export interface EncodedDicomSeg {
  /** The file's bytes, one part after the other, for a Blob or a file. */
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  readonly byteLength: number;
  readonly sopInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly frameCount: number;
  readonly warnings: readonly Notice[];
}

/** Encodes a labelmap as a DICOM Segmentation that refers to its source images (PS3.3 A.51). Slices without a label have
 * no frame; a labelmap without any label has one empty frame (BINARY: one a segment). Frames are ordered by slice, in
 * BINARY by segment first. A segment that touches the border of the images, or of the slices that were run, says so in its
 * Segment Description (0062,0006). The labelmap of an interpolated volume is put back on the images it was interpolated between.
 * @throws InputError `source-without-identity`, `geometry-mismatch` if the labelmap is not on the source's grid,
 * `invalid-voxels` if a label has no segment, `unsupported-segmentation` if the type cannot hold the labelmap */
export async function encodeDicomSeg(
  given: Labelmap,
  source: SourceSeries,
  options: DicomSegOptions,
): Promise<EncodedDicomSeg> {
  const { segType = 'binary', compress = false } = options;
  assertIdentity(source);
  const labelmap = labelmapOnSourceSlices(given, source);
  assertOnSourceGrid(labelmap, source);
  assertSegments(labelmap, segType);
  if (compress && segType === 'binary') throw bitsCompressed();
  const pixels = segType === 'labelmap' ? labelmapPixels(labelmap, { compress }) : binaryPixels(labelmap);
  if (pixels.valueLength > MAX_VALUE_LENGTH) {
    throw unsupported(segType, `its frames are ${pixels.valueLength} bytes`, 'Write NIfTI.');
  }

  const { provenance: origin, now, predecessor, createUid: newUid = createUid } = options;
  const [sopInstanceUID, seriesInstanceUID, dimensionOrganizationUID] = [newUid(), newUid(), newUid()];
  const dataset = segDataset(labelmap, source, {
    origin,
    contentLabel: options.contentLabel ?? 'SEGMENTATION',
    seriesDescription: options.seriesDescription ?? `${origin.modelTitle ?? 'Segmentation'} (research use only)`,
    seriesNumber: options.seriesNumber ?? 300,
    instanceNumber: options.instanceNumber ?? 1,
    predecessor,
    now,
    sopInstanceUID,
    seriesInstanceUID,
    dimensionOrganizationUID,
    segmentDescriptions: segmentDescriptions(given, source, options),
    pixels,
  });
  const head = await encodePart10(dataset, {
    transferSyntaxUID: pixels.transferSyntaxUID,
    implementationVersionName: `SLICEWISE_${origin.softwareVersion}`,
  });
  const groups = perFrameFunctionalGroups(pixels.frames, source);
  const pixelOffset = head.length + groups.length;
  const file = new Uint8Array(pixelOffset + pixels.byteLength);
  file.set(head);
  file.set(groups, head.length);
  pixels.write(file.subarray(pixelOffset));
  return {
    parts: [file],
    byteLength: file.length,
    sopInstanceUID,
    seriesInstanceUID,
    frameCount: pixels.frames.length,
    warnings: segType === 'binary' && !hasWholeByteFrames(labelmap.geometry) ? [unalignedFrames(labelmap)] : [],
  };
}

/** Of the segments that may not be whole: why. */
function segmentDescriptions(
  labelmap: Labelmap,
  source: SourceSeries,
  { provenance: { slicesRun }, isSeriesIncomplete }: DicomSegOptions,
): Map<number, string> {
  const wholeness = wholenessOf(labelmap, { source, slicesRun, isSeriesIncomplete });
  return new Map(
    wholeness.flatMap(({ segmentNumber, reasons }) =>
      reasons.length === 0 ? [] : [[segmentNumber, `May not be whole: ${reasons.join(', ')}.`] as const],
    ),
  );
}

/** Whether a BINARY frame is an even number of whole bytes. Others are valid, and highdicom, pydicom and dcmqi read them;
 * OHIF 3.13 shows wrong voxels or refuses them. */
export function hasWholeByteFrames({ dimensions: [columns, rows] }: Pick<VolumeGeometry, 'dimensions'>): boolean {
  return (columns * rows) % 16 === 0;
}

function unalignedFrames({ geometry: { dimensions } }: Labelmap): Notice {
  return {
    code: 'frames-not-whole-bytes',
    message:
      `Frames of ${dimensions[0]} × ${dimensions[1]} bits are no even number of bytes; the DICOM-SEG is valid, but some ` +
      'viewers (OHIF 3.13) misread it. For those, write a LABELMAP.',
    option: 'seg-type',
    choices: ['labelmap'],
  };
}

/** BINARY numbers its segments 1, 2, 3 …; in LABELMAP they are the values, with gaps if need be (PS3.3 C.8.20.4). */
function assertSegments({ segments }: Labelmap, segType: SegType): void {
  const numbers = segments.map((segment) => segment.segmentNumber).sort((a, b) => a - b);
  const [smallest = 0, largest = 0] = [numbers[0], numbers.at(-1)];
  if (numbers.length === 0) throw unsupported(segType, 'it has no segment', 'Describe a segment for every label.');
  if (!numbers.every(Number.isInteger) || smallest < 1 || largest > 0xffff) {
    throw unsupported(segType, 'its segment numbers are not all between 1 and 65535', 'Number the labels again.');
  }
  if (new Set(numbers).size < numbers.length) {
    throw unsupported(segType, 'two segments have one number', 'Give every segment a number of its own.');
  }
  if (segType === 'binary' && largest > numbers.length) {
    throw unsupported(
      segType,
      `its segments are numbered ${shortList(numbers)}, not 1 to ${numbers.length}`,
      'Number the labels from 1 without gaps, or write a LABELMAP.',
      { option: 'seg-type', choices: ['labelmap'] },
    );
  }
  const unnamed = segments.find((segment) => segment.algorithmType !== 'MANUAL' && !segment.algorithmName);
  if (unnamed !== undefined) {
    throw unsupported(
      segType,
      `segment ${unnamed.segmentNumber} is ${unnamed.algorithmType} but names no algorithm`,
      'Name the algorithm of every segment that was not drawn by hand.',
    );
  }
}

function shortList(numbers: readonly number[]): string {
  return numbers.length <= 20 ? numbers.join(', ') : `${numbers.slice(0, 19).join(', ')} … ${numbers.at(-1) ?? ''}`;
}

/** RLE is of whole bytes (PS3.5 8.2.2, annex G). */
function bitsCompressed(): InputError {
  const details: ErrorDetails = { option: 'seg-type', choices: ['labelmap'] };
  return unsupported('binary', 'RLE Lossless has no bits', 'Compress a LABELMAP.', details);
}

function unsupported(segType: SegType, why: string, remedy: string, details: ErrorDetails = {}): InputError {
  const type = segType.toUpperCase();
  return new InputError('unsupported-segmentation', `The labelmap cannot be a ${type} DICOM-SEG: ${why}.`, {
    remedy,
    details,
  });
}
