import { isSegmentationError } from '../../src/dicom/datasets.ts';
import { readHeader } from './dicom-file.ts';
import { textOf, type JsonDataset } from './dicom-json.ts';
import { FileGoneError } from './object-file.ts';
import { withPlainFile, type PlainFile } from './plain-file.ts';
import { Tag } from './tags.ts';

/** A file of the folder that is an instance with UIDs. */
export interface StoredInstance {
  readonly path: string;
  readonly byteLength: number;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  /** What rows of a query say; the rest is read when asked for. */
  readonly attributes: JsonDataset;
}

/** What is known of a file of a folder. Plain data: a thread can tell it. */
export interface KnownFile {
  readonly version: string;
  readonly instance?: StoredInstance;
  /** Why it is not an instance of the archive: one of a few words, without anything of the file. */
  readonly reason?: string;
}

/** Undefined for a file that is not there any more. */
export async function readFile(path: string): Promise<KnownFile | undefined> {
  try {
    return await withPlainFile(path, (file) => knownFile(path, file));
  } catch (error) {
    if (!(error instanceof FileGoneError)) throw error;
    // There, and not for us; it is looked at anew each time.
    return isDenied(error.cause) ? { version: '', reason: 'not readable for this user' } : undefined;
  }
}

function isDenied(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM');
}

/** A folder may hold anything: what is not a DICOM file, is damaged or has no UIDs is left out for a reason. */
export async function knownFile(path: string, file: PlainFile): Promise<KnownFile> {
  const { version, byteLength } = file;
  try {
    const { dataset, transferSyntaxUID } = await readHeader(file);
    const studyInstanceUID = textOf(dataset, Tag.StudyInstanceUID);
    const seriesInstanceUID = textOf(dataset, Tag.SeriesInstanceUID);
    const sopInstanceUID = textOf(dataset, Tag.SOPInstanceUID);
    if (studyInstanceUID === undefined || seriesInstanceUID === undefined || sopInstanceUID === undefined) {
      return { version, reason: 'without UIDs' };
    }
    const instance = {
      path,
      byteLength,
      studyInstanceUID,
      seriesInstanceUID,
      sopInstanceUID,
      transferSyntaxUID,
      attributes: dataset,
    };
    return { version, instance };
  } catch (error) {
    return { version, reason: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (!isSegmentationError(error)) return 'not readable';
  return REASONS[error.code] ?? error.code;
}

const REASONS: Readonly<Record<string, string | undefined>> = {
  'not-dicom': 'not DICOM',
  'damaged-file': 'damaged',
  'limit-exceeded': 'more than is read of a file',
};
