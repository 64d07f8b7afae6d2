import { segSourceOf } from '../seg/seg-source.ts';
import { openFiles } from '../node/files.ts';
import { incompleteNotice, type LeftOutFile } from '../series/find-series.ts';
import { readVolume, readVolumeOrPhase, type ReadVolumeResult } from '../series/read-volume.ts';
import type { Notice, SourceSeries, Volume } from '../volume/volume.ts';
import { volumeOnto } from '../labelmap/onto-grid.ts';
import { assertKeepsImages } from './output-paths.ts';
import { readers, warningsFor } from './read-options.ts';
import { outputsOf, type SegmentRequest } from './segment-request.ts';

export interface SegmentInput {
  readonly volume: Volume;
  /** For a DICOM-SEG: the series that it refers to, whose grid is the volume's. */
  readonly source?: SourceSeries;
  readonly warnings: readonly Notice[];
  readonly ignoredFiles: number;
  /** Files beside the series that could not be read and may belong to it. */
  readonly leftOutFiles: readonly LeftOutFile[];
}

/** Reads the series, and the reference of an input that is no DICOM series; refuses here what could not be written
 * after the inference. An image with a reference is put in the reference's voxel order: a model that takes slices as
 * they were acquired then sees those of the scanner, whatever a NIfTI writer made of them.
 * @throws InputError `source-not-dicom`, `source-without-identity`, `geometry-mismatch`, `invalid-arguments` if an
 * output would replace one of the images, and the readers' own */
export async function readSegmentInput(request: SegmentRequest, signal: AbortSignal): Promise<SegmentInput> {
  const { inputs, format, reference: referencePath, image } = request;
  const options = { readers, signal, ...image };
  const files = openFiles(inputs);
  const referenceFiles = referencePath === undefined ? [] : openFiles([referencePath]);
  await assertKeepsImages(outputsOf(request), [...files, ...referenceFiles]);
  const read = withLeftOut(
    await (referencePath === undefined ? readVolume : readVolumeOrPhase)(files, options),
    request,
  );
  const needsReference = format === 'dicom-seg' && read.volume.source === undefined;
  const notices = [...warningsFor(format, read.warnings), ...unusedOptions(request, needsReference)];
  if (!needsReference || referencePath === undefined) {
    const source = format === 'dicom-seg' ? segSourceOf(read.volume) : undefined;
    return { ...read, ...(source && { source }), warnings: notices };
  }
  const { volume: reference, warnings, leftOutFiles } = await readVolumeOrPhase(referenceFiles, options);
  const source = segSourceOf(reference);
  // What NIfTI does not say, the series it was made from does.
  const { modality, bodyPartExamined } = { ...reference, ...read.volume };
  const volume = {
    ...volumeOnto(read.volume, reference.geometry),
    ...(modality && { modality }),
    ...(bodyPartExamined && { bodyPartExamined }),
  };
  return {
    ...read,
    volume,
    source,
    leftOutFiles: [...read.leftOutFiles, ...leftOutFiles],
    warnings: [...notices, ...warnings],
  };
}

/** What a search in advance left out, as this one would have done it. */
function withLeftOut(read: ReadVolumeResult, { leftOutFiles = [] }: SegmentRequest): ReadVolumeResult {
  if (leftOutFiles.length === 0) return read;
  return { ...read, warnings: [...read.warnings, incompleteNotice(leftOutFiles)], leftOutFiles };
}

function unusedOptions({ reference, backend, threads }: SegmentRequest, needsReference: boolean): Notice[] {
  const notices: Notice[] = [];
  if (reference !== undefined && !needsReference) {
    notices.push({
      code: 'reference-not-used',
      message: '--reference was not used: only a DICOM-SEG of an input that is no DICOM series itself needs one.',
    });
  }
  if (backend === 'wasm' && threads !== undefined && threads > 1) {
    notices.push({ code: 'threads-not-used', message: '--threads was not used: WebAssembly has one thread in Node.' });
  }
  return notices;
}
