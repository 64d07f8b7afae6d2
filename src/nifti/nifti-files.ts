import { InputError } from '../errors.ts';
import { isNiftiHeaderName, isNiftiVoxelName, withoutNiftiExtension } from '../io/file-names.ts';
import { isNifti } from './nifti-header.ts';
import type { SourceFile } from '../io/reader.ts';

/** The files of one NIfTI image. */
export interface NiftiImageFiles {
  readonly header: SourceFile;
  /** The .img of a .hdr; the header's own file otherwise, and where an .img is missing. */
  readonly voxels: SourceFile;
}

export interface PairedFiles {
  readonly images: readonly NiftiImageFiles[];
  /** Each .img that has no header beside it. */
  readonly withoutHeader: readonly SourceFile[];
}

/** Puts .hdr and .img files together; every other file is an image by itself. */
export function pairNiftiFiles(files: readonly SourceFile[]): PairedFiles {
  const voxelsOf = new Map(files.filter(({ name }) => isNiftiVoxelName(name)).map((file) => [stemOf(file.name), file]));
  const images = files
    .filter(({ name }) => !isNiftiVoxelName(name))
    .map((header) => ({ header, voxels: voxelsOf.get(stemOf(header.name)) ?? header }));
  const used = new Set(images.map(({ voxels }) => voxels));
  return { images, withoutHeader: [...voxelsOf.values()].filter((file) => !used.has(file)) };
}

export function headerMissing({ name }: SourceFile): InputError {
  return new InputError('no-pixel-data', `${name} has no header (.hdr) beside it.`, {
    remedy: 'Pass both files of the pair.',
    details: { file: name },
  });
}

/** Whether a header is of Analyze 7.5: NIfTI-1's length, 348, in either byte order, without its magic word at 344. */
export function isAnalyze(head: Uint8Array): boolean {
  if (head.length < 348) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const hasLength = view.getInt32(0, true) === 348 || view.getInt32(0, false) === 348;
  return hasLength && !isNifti(head);
}

export function analyzeRefused(name: string): InputError {
  return new InputError('unsupported-image', `${name} is of Analyze 7.5, which does not say which side is left.`, {
    remedy: 'Convert the original images to NIfTI, or this file with the software that wrote it, and check the sides.',
    details: { file: name },
  });
}

/** Whether a file is the .img of a header among others, by their names. */
export function isVoxelFileOf(name: string, names: readonly string[]): boolean {
  return isNiftiVoxelName(name) && names.some((other) => isNiftiHeaderName(other) && stemOf(other) === stemOf(name));
}

/** A file that is no part of a pair has a stem that none of a pair has. */
function stemOf(name: string): string {
  return isNiftiHeaderName(name) || isNiftiVoxelName(name) ? withoutNiftiExtension(name) : `${name}/`;
}
