import { isSegmentationError } from '../errors.ts';
import { isGzip } from '../io/byte-source.ts';
import { isDicom } from '../dicom/dicom-dataset.ts';
import { isDicomName, isGzipName, isNiftiName } from '../io/file-names.ts';
import { openGzipFile } from '../io/gzip-file.ts';
import type { ReadLimits } from '../io/read-limits.ts';
import { unreadableFile, type FoundSeries, type SourceFile } from '../io/reader.ts';
import { isZip, openZipArchive } from '../io/zip-archive.ts';

/** A file with its first bytes. */
export interface OpenedFile {
  readonly file: SourceFile;
  readonly head: Uint8Array;
}

export interface OpenedFiles {
  /** In the order of the input; of a gzipped DICOM file the content, of a zip archive the files within. */
  readonly files: readonly OpenedFile[];
  readonly unreadable: readonly FoundSeries[];
}

/** Enough for a NIfTI-1 header; DICOM's preamble ends at 132. */
const HEAD_BYTES = 352;

export interface OpenPackedOptions {
  readonly limits: ReadLimits;
  /** Names of the files within archives that are opened; all by default. */
  readonly archiveEntries?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Opens files by their heads, and what is packed in them: gzipped DICOM files, zip archives (but none within another).
 * A gzipped NIfTI stays as it is: its reader unpacks it as it goes. */
export async function openPackedFiles(
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
