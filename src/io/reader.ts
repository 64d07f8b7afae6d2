import { type Problem, problemOf, type SegmentationError } from '../errors.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import type { ReadLimits } from './read-limits.ts';

/** A file that may be read: from a folder, a File object, memory. */
export interface SourceFile {
  /** Name or relative path, for messages and for telling which files lie in one folder. */
  readonly name: string;
  /** Infinity where only unpacking the file would tell. */
  readonly byteLength: number;
  /** The first bytes, fewer if the file is shorter.
   * @throws EnvironmentError `file-not-readable`; InputError `damaged-file`, `limit-exceeded` of a packed file */
  readHead(byteLength: number): Promise<Uint8Array>;
  /** @throws as readHead */
  read(): Promise<Uint8Array>;
  /** Reads some bytes in the middle, where that does not take the whole file. */
  readonly readRange?: (start: number, byteLength: number) => Promise<Uint8Array>;
  /** Unpacks gzipped content where that is faster than DecompressionStream.
   * @returns undefined if there are more than `most` bytes
   * @throws Error if it is damaged */
  readonly gunzip?: (bytes: Uint8Array, most: number) => Uint8Array | undefined;
  /** The gzipped file or zip archive that it lies in. */
  readonly container?: SourceFile;
}

/** Which of the series that were found is read, and how. */
export interface ReadOptions extends FindOptions, ReadSeriesOptions {
  /** Chooses one of several series. */
  readonly seriesInstanceUID?: string;
}

export interface FindOptions {
  /** What an input may claim; the defaults hold for what is left out. */
  readonly limits?: Partial<ReadLimits>;
  readonly signal?: AbortSignal;
}

export interface ReadSeriesOptions {
  /** Chooses one of several volumes of a series or file, from 1: cardiac phases, echoes, b-values, time points. */
  readonly phase?: number;
  /** Interpolates unequal gaps, a tilted gantry and sheared axes onto a regular grid, with a warning; without it they are
   * refused. */
  readonly resample?: boolean;
  readonly signal?: AbortSignal;
}

export interface ReadResult {
  readonly volume: Volume;
  readonly warnings: readonly Notice[];
}

/** What is known of one series or file without decoding its voxels. */
export interface SeriesDescription {
  readonly format: string;
  /** Of its one file, or of the folder that holds all of them; `.` for the folder of the input itself. */
  readonly path: string;
  /** `other`: reports, segmentations and the like; `labelmap`: by the file's own word; `unreadable`: a file that cannot
   * be read, so that nobody knows which series it belongs to. */
  readonly contents: 'image' | 'labelmap' | 'other' | 'unreadable';
  /** Absent for NIfTI. */
  readonly studyInstanceUID?: string;
  /** Absent for NIfTI. */
  readonly seriesInstanceUID?: string;
  readonly seriesNumber?: string;
  readonly modality?: string;
  readonly bodyPartExamined?: string;
  readonly seriesDescription?: string;
  readonly transferSyntaxUIDs?: readonly string[];
  readonly fileCount: number;
  /** Whether a DICOM-SEG can refer to its images. */
  readonly hasIdentity: boolean;
  /** What `phase` chooses from; absent where the series is one volume, or none. */
  readonly volumes?: readonly VolumeDescription[];
  /** Absent where the series is not one volume; then `problem` says why. */
  readonly geometry?: VolumeGeometry;
  readonly problem?: Problem;
  readonly warnings: readonly Notice[];
}

/** One of several volumes of a series. */
export interface VolumeDescription {
  /** The number that chooses it, from 1. */
  readonly phase: number;
  /** What tells it from the others: "EchoTime 4.6". */
  readonly label: string;
  readonly images: number;
}

/** A series, or a file of a format without series, that a reader found: described, and ready to be read. */
export interface FoundSeries {
  readonly description: SeriesDescription;
  readonly files: readonly SourceFile[];
  /** Decodes its voxels.
   * @throws InputError with a remedy, if it is not one regular volume; the signal's reason */
  read(options?: ReadSeriesOptions): Promise<ReadResult>;
}

/** A file format of image volumes. Every implementation passes test/contracts/reader-contract.ts. */
export interface VolumeReader {
  readonly id: string;
  /** Whether its files belong to series that have an identifier. */
  readonly hasSeries?: boolean;
  /** Whether a file is this format, by its first 352 bytes and its name.
   * @param names of all files of the input: one file of a pair is known by the other */
  accepts(head: Uint8Array, name: string, names?: readonly string[]): boolean;
  /** Finds every series among files of this format, by their headers. Each file is in one of them: one that cannot be
   * read is a series of its own, whose `read` throws its error.
   * @throws the signal's reason, nothing else */
  find(files: readonly SourceFile[], options?: FindOptions): Promise<readonly FoundSeries[]>;
}

/** A file that cannot be read, as a series of its own. */
export function unreadableFile(format: string, file: SourceFile, error: SegmentationError): FoundSeries {
  return {
    description: {
      format,
      path: file.name,
      contents: 'unreadable',
      fileCount: 1,
      hasIdentity: false,
      problem: problemOf(error),
      warnings: [],
    },
    files: [file],
    read: () => Promise.reject(error),
  };
}

/** Notices of many files as one a kind: a series of hundreds of files says everything hundreds of times. */
export function mergedNotices(ofFiles: Iterable<readonly Notice[]>): Notice[] {
  const kinds = new Map<string, { readonly message: string; files: number }>();
  for (const notices of ofFiles) {
    for (const code of new Set(notices.map((notice) => notice.code))) {
      const kind = kinds.get(code);
      if (kind !== undefined) kind.files++;
      else kinds.set(code, { message: notices.find((notice) => notice.code === code)?.message ?? '', files: 1 });
    }
  }
  return [...kinds].map(([code, { message, files }]) => {
    const others = files === 2 ? ' So it is in another file.' : ` So it is in ${files - 1} other files.`;
    return { code, message: files === 1 ? message : message + others };
  });
}
