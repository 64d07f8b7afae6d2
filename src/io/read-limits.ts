import { InputError } from '../errors.ts';
import { voxelCount } from '../volume/geometry.ts';
import type { StackResampling } from '../volume/resample.ts';

/** What one input may claim before memory is taken for it: a file of a few bytes can promise terabytes. */
export interface ReadLimits {
  /** Voxels of one volume: rows · columns · slices; of a segmentation, of all layers together. Default 2³⁰. */
  readonly voxels: number;
  /** Bytes that a gzipped or deflated file may unfold to. Default 8 GiB. */
  readonly inflatedBytes: number;
  /** Bytes unfolded from one compressed byte. Default 1,032, the most that Deflate can. */
  readonly inflateRatio: number;
  /** Bytes of pixels from one byte of a compressed image; an empty image of JPEG 2000 has some thousands.
   * Default 100,000. */
  readonly compressionRatio: number;
  /** Voxels of a resampled volume from one voxel of its slices: gaps and tilts of scanners make two or three.
   * Default 16. */
  readonly resampleRatio: number;
  /** Sequences within sequences of a DICOM file. Default 64. */
  readonly sequenceDepth: number;
  /** Elements and items of one DICOM file that are read; a SEG of 30,000 frames has a third. Default 4,000,000. */
  readonly elements: number;
  /** Files of one zip archive. Default 200,000. */
  readonly archiveFiles: number;
}

export const DEFAULT_READ_LIMITS: ReadLimits = {
  voxels: 2 ** 30,
  inflatedBytes: 8 * 2 ** 30,
  inflateRatio: 1032,
  compressionRatio: 100_000,
  resampleRatio: 16,
  sequenceDepth: 64,
  elements: 4_000_000,
  archiveFiles: 200_000,
};

export function withDefaultLimits(limits: Partial<ReadLimits> | undefined): ReadLimits {
  return { ...DEFAULT_READ_LIMITS, ...limits };
}

/** @throws InputError `limit-exceeded`, naming the limit, if `amount` is above it or no number */
export function assertWithinLimit(
  amount: number,
  limit: keyof ReadLimits,
  limits: ReadLimits,
  { name, what }: { readonly name: string; readonly what: string },
): void {
  if (amount <= limits[limit]) return;
  const most = limits[limit].toLocaleString('en');
  throw new InputError(
    'limit-exceeded',
    `${name} claims ${amount.toLocaleString('en')} ${what}, at most ${most} are read (limit ${limit}).`,
    {
      remedy: `Use another copy of the file; if it is sound, raise the limit ${limit}.`,
      details: { option: 'limit', choices: [limit], file: name, limit, amount, most: limits[limit] },
    },
  );
}

export function damagedFile(name: string, reason: string, cause?: unknown): InputError {
  return new InputError('damaged-file', `${name} is damaged: ${reason}.`, {
    remedy: 'Copy or export the file again, or take it out of the input.',
    details: { file: name },
    cause,
  });
}

/** Checks the grid that slices would be interpolated onto before memory is taken for it: one slice far away, or far
 * aside, asks for a grid of any size.
 * @param name of the image, for messages
 * @throws InputError `limit-exceeded` */
export function assertResampledSize({ geometry, source }: StackResampling, limits: ReadLimits, name: string): void {
  const voxels = voxelCount(geometry);
  const grid = `a grid of ${geometry.dimensions.join(' × ')}`;
  assertWithinLimit(voxels, 'voxels', limits, { name, what: `voxels, resampled onto ${grid}` });
  assertWithinLimit(voxels / voxelCount(source), 'resampleRatio', limits, {
    name,
    what: `voxels from one of its own, resampled onto ${grid}`,
  });
}
