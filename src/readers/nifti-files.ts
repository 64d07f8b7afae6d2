import { InputError } from '../errors.ts';
import type { SourceFile } from './reader.ts';

/** The files of one NIfTI image. */
export interface NiftiImageFiles {
  readonly header: SourceFile;
  /** The .img of a .hdr; the header's own file otherwise, and where an .img is missing. */
  readonly voxels: SourceFile;
}

const PAIRED = /\.(hdr|img)(\.gz)?$/i;

/** Puts .hdr and .img files together; every other file is an image by itself.
 * @throws InputError `no-pixel-data` if an .img has no .hdr */
export function pairNiftiFiles(files: readonly SourceFile[]): NiftiImageFiles[] {
  const voxelsOf = new Map(files.filter(({ name }) => isVoxelFile(name)).map((file) => [stemOf(file.name), file]));
  const images = files
    .filter(({ name }) => !isVoxelFile(name))
    .map((header) => ({ header, voxels: voxelsOf.get(stemOf(header.name)) ?? header }));
  const used = new Set(images.map(({ voxels }) => voxels));
  for (const file of voxelsOf.values()) {
    if (used.has(file)) continue;
    throw new InputError('no-pixel-data', `${file.name} has no header (.hdr) beside it.`, {
      remedy: 'Pass both files of the pair.',
      details: { file: file.name },
    });
  }
  return images;
}

/** Whether a file is the .img of a header among others, by their names. */
export function isVoxelFileOf(name: string, names: readonly string[]): boolean {
  return isVoxelFile(name) && names.some((other) => isHeaderFile(other) && stemOf(other) === stemOf(name));
}

export function isHeaderFile(name: string): boolean {
  return /\.hdr(\.gz)?$/i.test(name);
}

function isVoxelFile(name: string): boolean {
  return /\.img(\.gz)?$/i.test(name);
}

/** A file that is no part of a pair has a stem that none of a pair has. */
function stemOf(name: string): string {
  return PAIRED.test(name) ? name.replace(PAIRED, '') : `${name}/`;
}
