import type { Problem } from '../../errors.ts';
import type { LocalFile } from '../../node/files.ts';
import {
  findSeries as findSeriesOfInput,
  type LeftOutFile,
  nameInArchive,
  type SeriesOfInput,
} from '../../series/find-series.ts';
import type { SeriesDescription, SourceFile } from '../../io/reader.ts';
import { type ImageOptions, readers } from '../read-options.ts';
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path/posix';
import { withoutNiftiExtension } from '../../io/file-names.ts';
import type { OutputFormat } from '../encode-labelmap.ts';

/** One volume to segment, or to say why not. */
export interface BatchSeries extends Pick<
  SeriesDescription,
  'path' | 'format' | 'seriesInstanceUID' | 'modality' | 'bodyPartExamined' | 'hasIdentity'
> {
  /** On the disk: of a series in an archive the archive. */
  readonly files: readonly LocalFile[];
  /** Names within archives. */
  readonly archiveEntries?: readonly string[];
  /** Which of several volumes of a series or file, from 1. */
  readonly phase?: number;
  /** It is no image: nothing was expected of it. */
  readonly skipped?: Problem;
  /** It cannot be read. */
  readonly failed?: Problem;
  /** Files beside it that could not be read and may belong to it. */
  readonly leftOutFiles: readonly LeftOutFile[];
}

/** Finds every volume among some files: of several in one series or file (cardiac phases, echoes, time points) each, or
 * the one that `phase` names.
 * @returns them in the order of their files, and the number of files of no format that is read */
export async function findBatchSeries(
  files: readonly LocalFile[],
  { phase, limits }: Pick<ImageOptions, 'phase' | 'limits'>,
  signal: AbortSignal,
): Promise<{ readonly series: readonly BatchSeries[]; readonly ignoredFiles: number }> {
  const input = await findSeriesOfInput(files, { readers, signal, ...(limits && { limits }) });
  const localFiles = new Map<SourceFile, LocalFile>(files.map((file) => [file, file]));
  return {
    series: input.series.flatMap((series) => eachVolume(series, localFiles, phase)),
    ignoredFiles: input.otherFiles.length,
  };
}

function eachVolume(
  { description, files, leftOutFiles }: SeriesOfInput,
  localFiles: ReadonlyMap<SourceFile, LocalFile>,
  phase: number | undefined,
): BatchSeries[] {
  const { path, format, contents, seriesInstanceUID, modality, bodyPartExamined, hasIdentity, volumes } = description;
  const problem = description.problem ?? LABELMAP;
  const archiveEntries = files.map(nameInArchive).filter((name) => name !== '');
  const found: BatchSeries = {
    path,
    format,
    ...(seriesInstanceUID !== undefined && { seriesInstanceUID }),
    ...(modality !== undefined && { modality }),
    ...(bodyPartExamined !== undefined && { bodyPartExamined }),
    hasIdentity,
    files: localFilesOf(files, localFiles),
    ...(archiveEntries.length > 0 && { archiveEntries }),
    ...(contents === 'unreadable' && { failed: problem }),
    ...((contents === 'other' || contents === 'labelmap') && { skipped: contents === 'other' ? problem : LABELMAP }),
    leftOutFiles,
  };
  if (found.failed || found.skipped || volumes === undefined) return [found];
  return phase === undefined ? volumes.map((_, n) => ({ ...found, phase: n + 1 })) : [{ ...found, phase }];
}

function localFilesOf(files: readonly SourceFile[], localFiles: ReadonlyMap<SourceFile, LocalFile>): LocalFile[] {
  const local = files.flatMap((file): LocalFile[] => {
    for (let one: SourceFile | undefined = file; one !== undefined; one = one.container) {
      const found = localFiles.get(one);
      if (found !== undefined) return [found];
    }
    return [];
  });
  return [...new Set(local)];
}

const LABELMAP: Problem = {
  code: 'labelmap',
  message: 'The file says of itself that it holds labels, not an image.',
  remedy: 'Nothing is to be done; name the file by itself if it is an image.',
};

const EXTENSIONS: Readonly<Record<OutputFormat, string>> = {
  'dicom-seg': '.dcm',
  nifti: '.nii',
  'nifti-gzip': '.nii.gz',
};

/** Names of a series' outputs below the output folder, with slashes. */
export interface OutputNames {
  readonly format: OutputFormat;
  readonly segmentation: string;
  readonly report: string;
}

/** Names the outputs of some series, the same at each call: by Series Instance UID, or by path where there is none; a
 * NIfTI labelmap of a file has its path with `_labels`. Each name is given once.
 * @param format for all; by default DICOM-SEG where it can refer to the images, else gzipped NIfTI */
export function nameOutputs(series: readonly BatchSeries[], format?: OutputFormat): OutputNames[] {
  const taken = new Set<string>();
  return series.map((one) => {
    const stem = fitting(stemOf(one));
    let unique = stem;
    for (let n = 2; taken.has(unique.toLowerCase()); n++) unique = `${stem}_${String(n)}`;
    taken.add(unique.toLowerCase());
    const own = format ?? (one.hasIdentity ? 'dicom-seg' : 'nifti-gzip');
    return { format: own, segmentation: unique + EXTENSIONS[own], report: `${unique}.json` };
  });
}

function stemOf({ seriesInstanceUID, path, phase, format }: BatchSeries): string {
  const suffix = phase === undefined ? '' : `_phase-${String(phase).padStart(2, '0')}`;
  if (seriesInstanceUID !== undefined) return fileNameOf(seriesInstanceUID) + suffix;
  const bare = format === 'NIfTI' ? withoutNiftiExtension(path) : path;
  return `${bare === '.' ? 'series' : bare}${suffix}_labels`;
}

/** Of the 255 bytes that file systems have for a name, so many are kept for a number and the longest extension. */
const MAX_STEM_BYTES = 255 - '_9999'.length - '.nii.gz'.length;

/** A name that is too long is cut, and told apart from others by a hash of the whole. */
function fitting(stem: string): string {
  const name = basename(stem);
  if (Buffer.byteLength(name) <= MAX_STEM_BYTES) return stem;
  const ending = `~${createHash('sha256').update(name).digest('hex').slice(0, 8)}_labels`;
  let beginning = '';
  for (const sign of name) {
    if (Buffer.byteLength(beginning + sign + ending) > MAX_STEM_BYTES) break;
    beginning += sign;
  }
  return join(dirname(stem), beginning + ending);
}

/** A UID is digits and dots; what else a file may claim must not lead out of the folder. */
function fileNameOf(uid: string): string {
  return uid.replaceAll(/[^0-9A-Za-z.-]/g, '_').replace(/^\.+/, '_');
}
