import { InputError, isSegmentationError, type ErrorDetails } from '../errors.ts';
import { noImages } from './source-series.ts';
import { listNames } from '../io/file-names.ts';
import {
  findSeries,
  type FindSeriesOptions,
  type LeftOutFile,
  type SeriesInput,
  type SeriesOfInput,
} from './find-series.ts';
import type { ReadOptions, ReadResult, SeriesDescription, SourceFile } from '../io/reader.ts';

export interface ReadVolumeOptions extends ReadOptions, FindSeriesOptions {}

export interface ReadVolumeResult extends ReadResult {
  /** Files that belong to no image that was read: reports, segmentations, other formats. */
  readonly ignoredFiles: number;
  /** Files beside the series that could not be read and may belong to it: the volume may be incomplete, as a warning
   * says. */
  readonly leftOutFiles: readonly LeftOutFile[];
}

/** Reads the one image volume among some files; files that belong to no image are ignored and counted.
 * @throws InputError `no-images`, `no-pixel-data`, `several-series`, `several-volumes`, `series-not-found`, or the
 * reader's own; of a file that cannot be read, its error, where there is no image beside it */
export async function readVolume(
  files: readonly SourceFile[],
  options: ReadVolumeOptions = {},
): Promise<ReadVolumeResult> {
  const input = await findSeries(files, options);
  return readChosen(input, await chooseSeries(input, options.seriesInstanceUID), options);
}

/** As {@link readVolume}, but heeds `phase` only where the series holds several volumes: of an image and its reference
 * either may. */
export async function readVolumeOrPhase(
  files: readonly SourceFile[],
  { phase, ...options }: ReadVolumeOptions,
): Promise<ReadVolumeResult> {
  const input = await findSeries(files, options);
  const chosen = await chooseSeries(input, options.seriesInstanceUID);
  const isOneOfSeveral = phase !== undefined && chosen.description.volumes !== undefined;
  return readChosen(input, chosen, isOneOfSeveral ? { ...options, phase } : options);
}

async function readChosen(
  input: SeriesInput,
  chosen: SeriesOfInput,
  { phase, resample, signal }: ReadOptions,
): Promise<ReadVolumeResult> {
  const result = await chosen.read({
    ...(phase !== undefined && { phase }),
    ...(resample !== undefined && { resample }),
    ...(signal && { signal }),
  });
  const others = input.series.filter((series) => series !== chosen);
  const imageless = others.filter(({ description }) => description.contents === 'other');
  return {
    ...result,
    warnings: [...result.warnings, ...imagelessNotice(fileCountOf(imageless))],
    ignoredFiles: input.otherFiles.length + fileCountOf(others) - chosen.leftOutFiles.length,
    leftOutFiles: chosen.leftOutFiles,
  };
}

/** A description that leads back to the files. */
export interface DescribedSeries extends SeriesDescription {
  readonly files: readonly SourceFile[];
}

/** Tells of every series among some files, without decoding voxels.
 * @returns also the number of files of no format that is read
 * @throws InputError `no-images` if there is none */
export async function describeVolumes(
  files: readonly SourceFile[],
  options: FindSeriesOptions = {},
): Promise<{
  readonly series: readonly DescribedSeries[];
  readonly ignoredFiles: number;
}> {
  const { series, otherFiles } = await findSeries(files, options);
  if (series.length === 0) throw noImagesAmong(otherFiles);
  return {
    series: series.map(({ description, files: own }) => ({ ...description, files: own })),
    ignoredFiles: otherFiles.length,
  };
}

function fileCountOf(series: readonly SeriesOfInput[]): number {
  return series.reduce((sum, { files }) => sum + files.length, 0);
}

function imagelessNotice(count: number) {
  if (count === 0) return [];
  const message = `${count} DICOM file${count === 1 ? '' : 's'} without an image (reports, segmentations …) left out.`;
  return [{ code: 'objects-without-image', message }];
}

async function chooseSeries({ series, otherFiles }: SeriesInput, uid: string | undefined): Promise<SeriesOfInput> {
  const readable = series.filter(({ description: { contents } }) => contents === 'image' || contents === 'labelmap');
  if (readable.length === 0) throw await nothingReadable(series, otherFiles);
  // A series that was asked for is in no file of a format without series.
  const withSeries = readable.filter(({ description }) => description.seriesInstanceUID !== undefined);
  const candidates = uid === undefined || withSeries.length === 0 ? readable : withSeries;
  const chosen =
    uid === undefined || withSeries.length === 0
      ? candidates
      : candidates.filter(({ description }) => description.seriesInstanceUID === uid);
  const [only, another] = chosen;
  if (only === undefined) throw seriesNotFound(uid ?? '', candidates);
  if (another !== undefined) throw severalSeries(chosen);
  return only;
}

/** The error of a file that cannot be read says more than that there is nothing to read. */
async function nothingReadable(series: readonly SeriesOfInput[], otherFiles: readonly SourceFile[]): Promise<Error> {
  const unreadable = series.find(({ description }) => description.contents === 'unreadable');
  if (unreadable !== undefined) {
    const error: unknown = await unreadable.read().catch((reason: unknown) => reason);
    if (isSegmentationError(error)) return error;
  }
  return series.length > 0
    ? noImages(series.flatMap(({ files }) => files.map(({ name }) => name)))
    : noImagesAmong(otherFiles);
}

function seriesNotFound(uid: string, series: readonly SeriesOfInput[]): InputError {
  return new InputError(
    'series-not-found',
    `No image of series ${uid} is in the input, which holds ${listSeries(series)}.`,
    { remedy: 'Choose one of these series.', details: choiceOf(series) },
  );
}

function severalSeries(series: readonly SeriesOfInput[]): InputError {
  const formats = [...new Set(series.map(({ description }) => description.format))];
  if (formats.length > 1) {
    const counts = formats.map((format) => {
      const count = fileCountOf(series.filter(({ description }) => description.format === format));
      return `${count} ${format} file${count === 1 ? '' : 's'}`;
    });
    return new InputError('several-volumes', `The input holds ${counts.join(' and ')}, not one image.`, {
      remedy: 'Pass the files of one format only, or choose a DICOM series.',
      details: { formats, ...choiceOf(series) },
    });
  }
  const uids = series.map(({ description }) => description.seriesInstanceUID ?? '');
  if (formats[0] === 'NIfTI') {
    const names = listNames(
      series.map(({ description }) => description.path),
      3,
    );
    return new InputError('several-volumes', `The input holds ${series.length} NIfTI images: ${names}.`, {
      remedy: 'Pass one of them.',
      details: { files: series.length },
    });
  }
  const isTold = new Set(uids).size === uids.length && !uids.includes('');
  return new InputError('several-series', `The input holds ${series.length} series: ${listSeries(series)}.`, {
    remedy: isTold
      ? 'Choose one by its Series Instance UID.'
      : 'Pass the files of one series only, or the folder of one.',
    details: isTold ? choiceOf(series) : {},
  });
}

function choiceOf(series: readonly SeriesOfInput[]): ErrorDetails {
  const uids = series.flatMap(({ description: { seriesInstanceUID } }) => seriesInstanceUID ?? []);
  return uids.length === 0 ? {} : { option: 'series', choices: [...new Set(uids)], seriesInstanceUIDs: uids };
}

const MAX_LISTED = 12;

/** "2.25.7 (number 3, MR, cine short axis, in folder a, 12 images)". */
function listSeries(series: readonly SeriesOfInput[]): string {
  const uids = series.map(({ description }) => description.seriesInstanceUID);
  const listed = series.slice(0, MAX_LISTED).map(({ description }) => {
    const { seriesInstanceUID, seriesNumber, modality, seriesDescription, path, fileCount } = description;
    const isRepeated = uids.filter((uid) => uid === seriesInstanceUID).length > 1;
    const parts = [
      ...(seriesNumber === undefined ? [] : [`number ${seriesNumber}`]),
      modality ?? 'no modality',
      ...(seriesDescription === undefined ? [] : [seriesDescription]),
      ...(isRepeated ? [`in ${path}`] : []),
      `${fileCount} image${fileCount === 1 ? '' : 's'}`,
    ];
    return `${seriesInstanceUID ?? 'one without a UID'} (${parts.join(', ')})`;
  });
  const more = series.length > MAX_LISTED ? [`and ${series.length - MAX_LISTED} more`] : [];
  return [...listed, ...more].join('; ');
}

function noImagesAmong(otherFiles: readonly SourceFile[]): InputError {
  const count = `${otherFiles.length} other file${otherFiles.length === 1 ? '' : 's'}`;
  const found =
    otherFiles.length === 0
      ? 'it is empty'
      : `it holds ${count}: ${listNames(
          otherFiles.map(({ name }) => name),
          3,
        )}`;
  return new InputError('no-images', `The input has no DICOM or NIfTI image; ${found}.`, {
    remedy: 'Pass a folder of DICOM files, or a .nii or .nii.gz file.',
    details: { ignoredFiles: otherFiles.length },
  });
}
