import type { Problem } from '../../errors.ts';
import type { LocalFile } from '../../node/files.ts';
import { findSeries as findSeriesOfInput, type LeftOutFile, type SeriesOfInput } from '../../series/find-series.ts';
import { nameInArchive } from '../../series/packed-files.ts';
import type { SeriesDescription, SourceFile } from '../../io/reader.ts';
import { readers, type ImageOptions } from '../read-options.ts';

/** One volume to segment, or to say why not. */
export interface FoundSeries extends Pick<
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
export async function findSeries(
  files: readonly LocalFile[],
  { phase, limits }: Pick<ImageOptions, 'phase' | 'limits'>,
  signal: AbortSignal,
): Promise<{ readonly series: readonly FoundSeries[]; readonly ignoredFiles: number }> {
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
): FoundSeries[] {
  const { path, format, contents, seriesInstanceUID, modality, bodyPartExamined, hasIdentity, volumes } = description;
  const problem = description.problem ?? LABELMAP;
  const archiveEntries = files.map(nameInArchive).filter((name) => name !== '');
  const found: FoundSeries = {
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
