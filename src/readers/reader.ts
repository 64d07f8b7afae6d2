import type { Problem } from '../errors.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import type { ReadLimits } from './read-limits.ts';

/** A file that may be read: from a folder, a File object, memory. */
export interface SourceFile {
  /** Name or relative path, for messages. */
  readonly name: string;
  readonly byteLength: number;
  /** The first bytes, fewer if the file is shorter. */
  readHead(byteLength: number): Promise<Uint8Array>;
  read(): Promise<Uint8Array>;
  /** Unpacks gzipped content where that is faster than DecompressionStream.
   * @returns undefined if there are more than `most` bytes
   * @throws Error if it is damaged */
  readonly gunzip?: (bytes: Uint8Array, most: number) => Uint8Array | undefined;
}

export interface ReadOptions {
  /** Chooses one of several series. */
  readonly seriesInstanceUID?: string;
  /** Chooses one of several volumes of a series or file, from 1: cardiac phases, echoes, b-values, time points. */
  readonly phase?: number;
  /** Interpolates unequal gaps, a tilted gantry and sheared axes onto a regular grid, with a warning; without it they are
   * refused. */
  readonly resample?: boolean;
  /** What an input may claim; the defaults hold for what is left out. */
  readonly limits?: Partial<ReadLimits>;
  readonly signal?: AbortSignal;
}

export interface ReadResult {
  readonly volume: Volume;
  readonly warnings: readonly Notice[];
  /** Files of the reader's format that belong to no image: reports, segmentations. */
  readonly ignoredFiles?: number;
}

/** What `slicewise info` tells of one series or file, without decoding its voxels. */
export interface SeriesDescription {
  readonly format: string;
  /** Where one file is all there is to tell it by: NIfTI, or a file whose series cannot be read. */
  readonly fileName?: string;
  /** Absent for NIfTI. */
  readonly seriesInstanceUID?: string;
  readonly modality?: string;
  readonly bodyPartExamined?: string;
  readonly seriesDescription?: string;
  readonly transferSyntaxUIDs?: readonly string[];
  readonly fileCount: number;
  /** Absent where the series is no volume; then `problem` says why. */
  readonly geometry?: VolumeGeometry;
  readonly problem?: Problem;
  readonly warnings: readonly Notice[];
}

/** A file format of image volumes. Every implementation passes test/contracts/reader-contract.ts. */
export interface VolumeReader {
  readonly id: string;
  /** Whether its files belong to series that have an identifier. */
  readonly hasSeries?: boolean;
  /** Whether a file is this format, by its first 352 bytes and its name.
   * @param names of all files of the input: one file of a pair is known by the other */
  accepts(head: Uint8Array, name: string, names?: readonly string[]): boolean;
  /** Every series among files of this format; never throws for one bad series, or one without images: it has a
   * `problem`. */
  describe(files: readonly SourceFile[]): Promise<SeriesDescription[]>;
  /** @throws InputError with a remedy, if the files are not one regular volume */
  read(files: readonly SourceFile[], options?: ReadOptions): Promise<ReadResult>;
}
