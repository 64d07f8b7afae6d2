import { InputError, isSegmentationError } from '../errors.ts';
import type { Notice } from '../volume/volume.ts';
import { dicomReader } from './dicom.ts';
import {
  baseNameOf,
  extensionOf,
  folderOf,
  isDicomName,
  isGzipName,
  isNiftiName,
  listNames,
} from '../io/file-names.ts';
import { niftiReader } from '../nifti/read-nifti.ts';
import { type ReadLimits, withDefaultLimits } from '../io/read-limits.ts';
import {
  type FindOptions,
  type FoundSeries,
  type SourceFile,
  unreadableFile,
  type VolumeReader,
} from '../io/reader.ts';
import { isGzip } from '../io/byte-source.ts';
import { isDicom } from '../dicom/read-dicom.ts';
import { isZip, openGzipFile, openZipArchive } from '../io/archives.ts';

// The one search that every command and the library use: what a set of files holds, and what lies beside it that nobody
// can read.

export const volumeReaders: readonly VolumeReader[] = [dicomReader, niftiReader];

export interface FindSeriesOptions extends FindOptions {
  /** Formats to accept, the first that accepts a file reads it; DICOM and NIfTI by default. */
  readonly readers?: readonly VolumeReader[];
  /** Names of the files within zip archives that are looked at; all by default. */
  readonly archiveEntries?: readonly string[];
}

/** A file that was left out, and why. */
export interface LeftOutFile {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** A series with the files beside it that were left out and may belong to it. */
export interface SeriesOfInput extends FoundSeries {
  readonly leftOutFiles: readonly LeftOutFile[];
}

export interface SeriesInput {
  /** In the order of their first files; a file that cannot be read is one by itself. */
  readonly series: readonly SeriesOfInput[];
  /** Files of no format that is read: reports, pictures, notes. */
  readonly otherFiles: readonly SourceFile[];
}

/** Finds every series among some files by their headers; no voxel is decoded. Gzipped DICOM files and zip archives are
 * looked into.
 * @throws the signal's reason, nothing else: what cannot be read is told as such */
export async function findSeries(
  given: readonly SourceFile[],
  { readers = volumeReaders, limits, archiveEntries, signal }: FindSeriesOptions = {},
): Promise<SeriesInput> {
  const { files, unreadable } = await openPackedFiles(given, {
    limits: withDefaultLimits(limits),
    archiveEntries,
    signal,
  });
  const { byReader, others } = sortByReader(files, readers);
  const options = { ...(limits && { limits }), ...(signal && { signal }) };
  const found: FoundSeries[] = [...unreadable];
  for (const [reader, own] of byReader) found.push(...(await reader.find(own, options)));
  const placeOf = orderOf(given);
  const sorted = found.toSorted((a, b) => placeOf(a.files[0]) - placeOf(b.files[0]));
  return {
    series: sorted.map((series) => withLeftOutFiles(series, sorted, others)),
    otherFiles: others.map(({ file }) => file),
  };
}

function sortByReader(files: readonly OpenedFile[], readers: readonly VolumeReader[]) {
  const byReader = new Map<VolumeReader, SourceFile[]>();
  const others: OpenedFile[] = [];
  const names = files.map(({ file }) => file.name);
  for (const { file, head } of files) {
    const reader = isAppleDouble(file.name, head)
      ? undefined
      : readers.find((candidate) => candidate.accepts(head, file.name, names));
    if (reader === undefined) {
      others.push({ file, head });
      continue;
    }
    const own = byReader.get(reader);
    if (own === undefined) byReader.set(reader, [file]);
    else own.push(file);
  }
  return { byReader, others };
}

/** macOS keeps a file's attributes in a twin named ._ where the file system has no room for them (RFC 1740). */
function isAppleDouble(name: string, head: Uint8Array): boolean {
  return baseNameOf(name).startsWith('._') && APPLE_DOUBLE_MAGIC.every((byte, at) => head[at] === byte);
}

const APPLE_DOUBLE_MAGIC = [0x00, 0x05, 0x16, 0x07] as const;

function orderOf(given: readonly SourceFile[]): (file: SourceFile | undefined) => number {
  const order = new Map(given.map((file, at) => [file, at]));
  const outermost = (file: SourceFile): SourceFile => (file.container ? outermost(file.container) : file);
  return (file) => (file && order.get(outermost(file))) ?? 0;
}

function withLeftOutFiles(
  series: FoundSeries,
  found: readonly FoundSeries[],
  others: readonly OpenedFile[],
): SeriesOfInput {
  const leftOutFiles = series.description.contents === 'image' ? leftOutBeside(series, found, others) : [];
  if (leftOutFiles.length === 0) return { ...series, leftOutFiles };
  const warning = incompleteNotice(leftOutFiles);
  return {
    ...series,
    description: { ...series.description, warnings: [...series.description.warnings, warning] },
    read: async (options) => {
      try {
        const result = await series.read(options);
        return { ...result, warnings: [...result.warnings, warning] };
      } catch (error) {
        // A gap, say, is where one of them belongs.
        if (error instanceof InputError) error.message += ` ${warning.message}`;
        throw error;
      }
    },
    leftOutFiles,
  };
}

/** A NIfTI image is whole in its file: only a series of many files can miss one. */
function leftOutBeside(
  { description, files }: FoundSeries,
  found: readonly FoundSeries[],
  others: readonly OpenedFile[],
): LeftOutFile[] {
  if (description.seriesInstanceUID === undefined && description.format === 'NIfTI') return [];
  const folders = new Set(files.map(({ name }) => folderOf(name)));
  const extensions = new Set(files.map(({ name }) => extensionOf(name)));
  const isBeside = (name: string): boolean => folders.has(folderOf(name));
  const unreadable = found.flatMap(({ description: { contents, format, path, problem } }): LeftOutFile[] => {
    if (contents !== 'unreadable' || format !== description.format || problem === undefined) return [];
    return isBeside(path) ? [{ name: path, code: problem.code, message: problem.message }] : [];
  });
  const unknown = others.filter(
    ({ file: { name }, head }) =>
      isBeside(name) &&
      !baseNameOf(name).startsWith('._') &&
      (isDicomName(name) || extensions.has(extensionOf(name))) &&
      !isText(head),
  );
  return [...unreadable, ...unknown.map(({ file, head }) => unknownFile(file, head))];
}

/** Notes beside images that have no extension. */
function isText(head: Uint8Array): boolean {
  return head.length > 0 && head.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function unknownFile({ name }: SourceFile, head: Uint8Array): LeftOutFile {
  const what = head.length === 0 ? 'is empty' : 'is not of any format that is read';
  return { name, code: 'not-dicom', message: `${name} ${what}.` };
}

/** Says that a volume may be incomplete, and why. */
export function incompleteNotice(files: readonly LeftOutFile[]): Notice {
  const count = files.length === 1 ? 'A file beside the series was' : `${files.length} files beside the series were`;
  const names = listNames(files.map(({ name }) => name));
  return {
    code: 'incomplete-series',
    message: `${count} left out and may belong to it, so the volume may be incomplete: ${names}. ${files[0]?.message ?? ''}`,
  };
}

/** A file with its first bytes. */
interface OpenedFile {
  readonly file: SourceFile;
  readonly head: Uint8Array;
}

interface OpenedFiles {
  /** In the order of the input; of a gzipped DICOM file the content, of a zip archive the files within. */
  readonly files: readonly OpenedFile[];
  readonly unreadable: readonly FoundSeries[];
}

/** Enough for a NIfTI-1 header; DICOM's preamble ends at 132. */
const HEAD_BYTES = 352;

interface OpenPackedOptions {
  readonly limits: ReadLimits;
  /** Names of the files within archives that are opened; all by default. */
  readonly archiveEntries?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Opens files by their heads, and what is packed in them: gzipped DICOM files, zip archives (but none within another).
 * A gzipped NIfTI stays as it is: its reader unpacks it as it goes. */
async function openPackedFiles(
  given: readonly SourceFile[],
  { limits, archiveEntries, signal }: OpenPackedOptions,
): Promise<OpenedFiles> {
  const wanted = archiveEntries && new Set(archiveEntries);
  const files: OpenedFile[] = [];
  const unreadable: FoundSeries[] = [];
  const open = async (file: SourceFile): Promise<void> => {
    signal?.throwIfAborted();
    try {
      const head = await file.readHead(HEAD_BYTES);
      if (isZip(head) && file.container === undefined) {
        for (const entry of await openZipArchive(file, limits)) {
          if (wanted === undefined || wanted.has(nameInArchive(entry))) await open(entry);
        }
      } else files.push(isGzip(head) ? await openGzipped(file, head, limits) : { file, head });
    } catch (error) {
      if (!isSegmentationError(error)) throw error;
      unreadable.push(unreadableFile(formatOf(file), file, error));
    }
  };
  for (const file of given) await open(file);
  return { files, unreadable };
}

/** The name of a file within its archive, as `archiveEntries` takes it; empty for any other file. */
export function nameInArchive({ name, container }: SourceFile): string {
  return container === undefined ? '' : name.slice(container.name.length + 1);
}

async function openGzipped(file: SourceFile, head: Uint8Array, limits: ReadLimits): Promise<OpenedFile> {
  if (isNiftiName(file.name) && isGzipName(file.name)) return { file, head };
  const content = openGzipFile(file, limits);
  try {
    const unpacked = await content.readHead(HEAD_BYTES);
    return isDicom(unpacked) ? { file: content, head: unpacked } : { file, head };
  } catch (error) {
    // By its name alone it could be anything; by this one it should have been an image.
    if (!isSegmentationError(error) || (isDicomName(file.name) && isGzipName(file.name))) throw error;
    return { file, head };
  }
}

function formatOf({ name }: SourceFile): string {
  return isNiftiName(name) ? 'NIfTI' : 'DICOM';
}
