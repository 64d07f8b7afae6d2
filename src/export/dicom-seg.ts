import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import { createUid } from '../labelmap/uid.ts';
import type { SourceSeries } from '../volume/volume.ts';
import { elementHeader, MAX_VALUE_LENGTH } from './dicom-element.ts';
import { encodePart10 } from './dicom-file.ts';
import { segDataset, type LabelmapOrigin } from './seg-dataset.ts';
import { findFrames, packedByteLength, packFrames } from './seg-frames.ts';
import { perFrameFunctionalGroups } from './seg-functional-groups.ts';
import { assertIdentity, assertOnSourceGrid } from './seg-source.ts';

export interface DicomSegOptions {
  /** What made the labelmap; a result's `provenance` is one. Without a model, no algorithm is identified. */
  readonly provenance: LabelmapOrigin;
  /** Content Label (CS, at most 16 of A–Z, 0–9, space, underscore). */
  readonly contentLabel?: string;
  readonly seriesDescription?: string;
  readonly seriesNumber?: number;
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
}

/** Encodes a labelmap as a DICOM Segmentation of type BINARY that refers to its source images (PS3.3 A.51).
 * Frames are ordered by segment, then by slice; a segment has no frame on slices where it is empty. A labelmap without
 * any label has one empty frame a segment.
 * @throws InputError `source-without-identity`, `geometry-mismatch` if the labelmap is not on the source's grid,
 * `invalid-voxels` if a label has no segment, `unsupported-segmentation` if BINARY cannot hold it */
export function encodeDicomSeg(labelmap: Labelmap, source: SourceSeries, options: DicomSegOptions): EncodedDicomSeg {
  assertIdentity(source);
  assertOnSourceGrid(labelmap, source);
  assertSegments(labelmap);
  const frames = findFrames(labelmap);
  const pixelLength = packedByteLength(labelmap, frames.length);
  if (pixelLength > MAX_VALUE_LENGTH) throw unsupported(`its frames are ${pixelLength} bytes`, 'Write NIfTI.');

  const { provenance: origin, now, createUid: newUid = createUid } = options;
  const [sopInstanceUID, seriesInstanceUID, dimensionOrganizationUID] = [newUid(), newUid(), newUid()];
  const dataset = segDataset(labelmap, source, {
    origin,
    contentLabel: options.contentLabel ?? 'SEGMENTATION',
    seriesDescription: options.seriesDescription ?? `${origin.modelTitle ?? 'Segmentation'} (research use only)`,
    seriesNumber: options.seriesNumber ?? 300,
    now,
    sopInstanceUID,
    seriesInstanceUID,
    dimensionOrganizationUID,
    frameCount: frames.length,
  });
  const head = encodePart10(dataset, `SLICEWISE_${origin.softwareVersion}`);
  const groups = perFrameFunctionalGroups(frames, source);
  const pixelHeader = elementHeader(0x7fe00010, 'OB', pixelLength);

  const pixelOffset = head.length + groups.length + pixelHeader.length;
  const file = new Uint8Array(pixelOffset + pixelLength);
  file.set(head);
  file.set(groups, head.length);
  file.set(pixelHeader, head.length + groups.length);
  // The bits are set in their place in the file: a second copy of them could be hundreds of megabytes.
  packFrames(labelmap, frames, file.subarray(pixelOffset));
  return { parts: [file], byteLength: file.length, sopInstanceUID, seriesInstanceUID, frameCount: frames.length };
}

/** BINARY numbers its segments 1, 2, 3 … (PS3.3 C.8.20.4). */
function assertSegments({ segments }: Labelmap): void {
  const numbers = segments.map((segment) => segment.segmentNumber).sort((a, b) => a - b);
  if (numbers.length === 0) throw unsupported('it has no segment', 'Describe a segment for every label.');
  if (numbers.length > 255)
    throw unsupported(`it has ${numbers.length} segments, more than 255`, 'Write NIfTI (.nii.gz).');
  if (numbers.some((segmentNumber, at) => segmentNumber !== at + 1)) {
    throw unsupported(
      `its segments are numbered ${numbers.join(', ')}, not 1 to ${numbers.length}`,
      'Number the labels from 1 without gaps, or write NIfTI (.nii.gz).',
    );
  }
  const unnamed = segments.find((segment) => segment.algorithmType !== 'MANUAL' && !segment.algorithmName);
  if (unnamed !== undefined) {
    throw unsupported(
      `segment ${unnamed.segmentNumber} is ${unnamed.algorithmType} but names no algorithm`,
      'Name the algorithm of every segment that was not drawn by hand.',
    );
  }
}

function unsupported(why: string, remedy: string): InputError {
  return new InputError('unsupported-segmentation', `The labelmap cannot be a BINARY DICOM-SEG: ${why}.`, { remedy });
}
