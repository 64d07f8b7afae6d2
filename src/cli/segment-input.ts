import { segSourceOf } from '../export/seg-source.ts';
import { openFiles } from '../node/files.ts';
import { readVolume } from '../readers/read-volume.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Notice, SourceSeries, Volume } from '../volume/volume.ts';
import { assertSameVoxels } from './onto-grid.ts';
import type { SegmentRequest } from './segment-request.ts';

export interface SegmentInput {
  readonly volume: Volume;
  /** For a DICOM-SEG: what it refers to, and the grid it is on, which may be the volume's in another voxel order. */
  readonly target?: { readonly source: SourceSeries; readonly geometry: VolumeGeometry };
  readonly warnings: readonly Notice[];
  readonly ignoredFiles: number;
}

/** Reads the series, and the reference of an input that is no DICOM series; refuses here what could not be written
 * after the inference.
 * @throws InputError `source-not-dicom`, `source-without-identity`, `geometry-mismatch`, and the readers' own */
export async function readSegmentInput(
  { inputs, format, reference: referencePath, seriesInstanceUID }: SegmentRequest,
  signal: AbortSignal,
): Promise<SegmentInput> {
  const options = { signal, ...(seriesInstanceUID !== undefined && { seriesInstanceUID }) };
  const read = await readVolume(openFiles(inputs), options);
  if (format !== 'dicom-seg' || read.volume.source !== undefined || referencePath === undefined) {
    const unused = referencePath === undefined ? [] : [REFERENCE_NOT_USED];
    const input = { ...read, warnings: [...read.warnings, ...unused] };
    if (format !== 'dicom-seg') return input;
    return { ...input, target: { source: segSourceOf(read.volume), geometry: read.volume.geometry } };
  }
  const { volume: reference } = await readVolume(openFiles([referencePath]), options);
  const source = segSourceOf(reference);
  assertSameVoxels(read.volume.geometry, reference.geometry);
  // What NIfTI does not say, the series it was made from does.
  const { modality, bodyPartExamined } = { ...reference, ...read.volume };
  const volume = { ...read.volume, ...(modality && { modality }), ...(bodyPartExamined && { bodyPartExamined }) };
  return { ...read, volume, target: { source, geometry: reference.geometry } };
}

const REFERENCE_NOT_USED: Notice = {
  code: 'reference-not-used',
  message: '--reference was not used: only a DICOM-SEG of an input that is no DICOM series itself needs one.',
};
