import { InputError, isSegmentationError, problemOf, type SegmentationError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import { resampleStack } from '../volume/resample.ts';
import { type VolumeGeometry, voxelCount } from '../volume/geometry.ts';
import type { NiftiSpace, Notice, VoxelArray } from '../volume/volume.ts';
import { type ByteSource, isGzip, openBytes } from '../io/byte-source.ts';
import { concatenate, swapBytes } from '../io/bytes.ts';
import {
  assertResampledSize,
  assertWithinLimit,
  damagedFile,
  type ReadLimits,
  withDefaultLimits,
} from '../io/read-limits.ts';
import {
  isGzipName,
  isNiftiHeaderName,
  isNiftiVoxelName,
  isSingleNiftiName,
  withoutNiftiExtension,
} from '../io/file-names.ts';
import { labelsOf, stackOfMasks } from './labelmap-values.ts';
import { type Rescale, rescaleVoxels } from '../dicom/modality-values.ts';
import { niftiGeometry } from './nifti-geometry.ts';
import {
  isNifti,
  NIFTI_HEADER_BYTES,
  type NiftiHeader,
  niftiVoxelType,
  type NiftiVoxelType,
  parseNiftiHeader,
  readNiftiSpace,
} from './nifti-header.ts';
import {
  type FindOptions,
  type FoundSeries,
  type ReadOptions,
  type ReadResult,
  type ReadSeriesOptions,
  type SeriesDescription,
  type SourceFile,
  unreadableFile,
  type VolumeDescription,
  type VolumeReader,
} from '../io/reader.ts';

/** Enough of a gzipped file to unpack a header from. */
const COMPRESSED_HEAD_BYTES = 4096;
/** NIFTI_INTENT_LABEL */
const INTENT_LABEL = 1002;

/** NIfTI-1 and -2 files (.nii, .hdr with .img, each also gzipped); axes and voxel order as stored, frame turned from RAS
 * to LPS. */
export const niftiReader: VolumeReader = {
  id: 'NIfTI',
  accepts: (head, name, names = []) =>
    isNifti(head) ||
    (isSingleNiftiName(name) && !isGzipName(name)) ||
    (isGzip(head) && (isSingleNiftiName(name) || isNiftiHeaderName(name))) ||
    (isAnalyze(head) && isNiftiHeaderName(name)) ||
    isVoxelFileOf(name, names),
  find,
};

/** Reads a labelmap; names of its labels are not in NIfTI.
 * @returns Uint8Array, or Uint16Array if a label exceeds 255; a float file of numbers within 1e-3 of whole ones is
 * accepted, with a warning where they are rounded
 * @throws InputError `not-segmentation` if a value is not an integer from 0 to 65535, or the file is an image or a stack
 * of masks; else as the reader */
export async function readNiftiLabelmap(
  file: SourceFile,
  options: Pick<ReadOptions, 'limits'> = {},
): Promise<Pick<Labelmap, 'geometry' | 'voxels'> & { readonly warnings: readonly Notice[] }> {
  const { name } = file;
  const {
    geometry,
    voxels: values,
    header,
  } = await readImage({ header: file, voxels: file }, options).catch((error: unknown) => {
    if (!(error instanceof InputError) || error.code !== 'several-volumes') throw error;
    const { dimensions, volumes } = error.details;
    throw stackOfMasks(name, Array.isArray(dimensions) ? dimensions.map(Number) : [], Number(volumes));
  });
  const areLabels = header.intent === INTENT_LABEL;
  const { voxels, notices } = labelsOf(values, { name, row: geometry.dimensions[0], areLabels });
  return { geometry, voxels, warnings: notices };
}

async function find(files: readonly SourceFile[], { limits: some, signal }: FindOptions = {}): Promise<FoundSeries[]> {
  const limits = withDefaultLimits(some);
  const { images, withoutHeader } = pairNiftiFiles(files);
  const found: FoundSeries[] = [];
  for (const image of images) {
    signal?.throwIfAborted();
    found.push(await findImage(image, limits));
  }
  return [...found, ...withoutHeader.map((file) => unreadableFile('NIfTI', file, headerMissing(file)))];
}

async function findImage(image: NiftiImageFiles, limits: ReadLimits): Promise<FoundSeries> {
  const { header: file, voxels } = image;
  const files = voxels === file ? [file] : [file, voxels];
  const description = await describeImage(image, limits);
  if (isSegmentationError(description)) return { ...unreadableFile('NIfTI', file, description), files };
  return { description, files, read: (options) => readVolume(image, { ...options, limits }) };
}

async function readVolume(
  image: NiftiImageFiles,
  options: ReadSeriesOptions & Pick<ReadOptions, 'limits'>,
): Promise<ReadResult> {
  options.signal?.throwIfAborted();
  const { geometry, voxels, space, notices } = await readImage(image, options);
  return { volume: { geometry, voxels, ...(space && { niftiSpace: space }) }, warnings: notices };
}

/** @returns the error if there is no header to describe */
async function describeImage(
  { header: file, voxels }: NiftiImageFiles,
  limits: ReadLimits,
): Promise<SeriesDescription | SegmentationError> {
  let header: NiftiHeader;
  try {
    ({ header } = await readHeader(await file.readHead(COMPRESSED_HEAD_BYTES), { name: file.name }, limits));
  } catch (error) {
    if (!isSegmentationError(error)) throw error;
    return error;
  }
  const volumes = volumeCount(header);
  const description: SeriesDescription = {
    format: 'NIfTI',
    path: file.name,
    contents: header.intent === INTENT_LABEL ? 'labelmap' : 'image',
    fileCount: voxels === file ? 1 : 2,
    hasIdentity: false,
    ...(volumes > 1 && { volumes: volumesOf(header) }),
    warnings: [],
  };
  try {
    niftiVoxelType(header.datatype, file.name);
    if (header.isPair && voxels === file) throw voxelsMissing(file);
    const { geometry, notices } = niftiGeometry(header.forms, file.name);
    const several = severalVolumes(header, file.name);
    return { ...description, geometry, ...(several && { problem: problemOf(several) }), warnings: notices };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...description, problem: problemOf(error) };
  }
}

async function readImage(
  image: NiftiImageFiles,
  { phase, resample, limits: some }: ReadOptions,
): Promise<{
  geometry: VolumeGeometry;
  voxels: VoxelArray;
  header: NiftiHeader;
  space?: NiftiSpace;
  notices: readonly Notice[];
}> {
  const { name } = image.header;
  const limits = withDefaultLimits(some);
  const { header, space, source, consumed } = await readHeader(await image.header.read(), image.header, limits);
  const type = niftiVoxelType(header.datatype, name);
  const count = voxelCount(header.forms);
  assertWithinLimit(count, 'voxels', limits, { name, what: 'voxels' });
  const { geometry, resampling, notices } = niftiGeometry(header.forms, name, { resample });
  if (resampling !== undefined) assertResampledSize(resampling, limits, name);
  const before = volumesBefore(header, phase, name) * count * type.bytes;
  if (header.isPair && image.voxels === image.header) throw voxelsMissing(image.header);
  const content = header.isPair ? openBytes(await image.voxels.read(), image.voxels, limits) : source;
  const skipped = header.voxelOffset + before - (header.isPair ? 0 : consumed);
  const stored = await readVoxels(content, image.voxels.name, skipped, count, type, header.littleEndian);
  const rescaled = rescaleVoxels(stored, rescaleOf(header, name));
  const voxels = rescaled === stored ? ownVoxels(stored) : rescaled;
  if (resampling !== undefined) return { geometry, voxels: resampleStack(voxels, resampling), header, notices };
  return { geometry, voxels, header, space, notices };
}

/** @returns the header, and the file's content from where it was `consumed` */
async function readHeader(
  bytes: Uint8Array,
  file: Pick<SourceFile, 'name' | 'gunzip'>,
  limits: ReadLimits,
): Promise<{ header: NiftiHeader; space: NiftiSpace; source: ByteSource; consumed: number }> {
  const { name } = file;
  const source = openBytes(bytes, file, limits);
  return orDamaged(name, async () => {
    const first = await source.take(348);
    if (isAnalyze(first)) throw analyzeRefused(name);
    // Only the longer header of NIfTI-2 is read to its end: a NIfTI-1 header of a pair may be the whole file.
    const isLong = isNifti(first) && first[4] === 0x6e;
    const head = isLong ? concatenate([first, await source.take(NIFTI_HEADER_BYTES - 348)]) : first;
    const header = parseNiftiHeader(head, name);
    return { header, space: readNiftiSpace(head, header), source, consumed: head.length };
  });
}

/** Volumes in front of the one asked for: axes beyond the third are time points and the like. */
function volumesBefore(header: NiftiHeader, phase: number | undefined, name: string): number {
  const volumes = volumeCount(header);
  if (phase === undefined) {
    const problem = severalVolumes(header, name);
    if (problem !== undefined) throw problem;
    return 0;
  }
  if (phase >= 1 && phase <= volumes) return phase - 1;
  throw new InputError('phase-not-found', `There is no volume ${phase} in ${name}, which holds ${volumes}.`, {
    remedy: 'Choose one of the volumes.',
    details: { option: 'phase', choices: numbersTo(volumes), file: name, volumes },
  });
}

function severalVolumes(header: NiftiHeader, name: string): InputError | undefined {
  const volumes = volumeCount(header);
  if (volumes === 1) return undefined;
  return new InputError('several-volumes', `${name} holds ${volumes} volumes (${header.sizes.join(' × ')}).`, {
    remedy: 'Choose one of the volumes.',
    details: { option: 'phase', choices: numbersTo(volumes), file: name, dimensions: header.sizes, volumes },
  });
}

function volumesOf(header: NiftiHeader): VolumeDescription[] {
  const images = header.sizes[2] ?? 1;
  return numbersTo(volumeCount(header)).map((phase) => ({ phase, label: `volume ${phase}`, images }));
}

function volumeCount({ sizes }: NiftiHeader): number {
  return sizes.slice(3).reduce((product, n) => product * n, 1);
}

/** At most as many as a message and a menu have a use for: a header may claim billions. */
function numbersTo(volumes: number): number[] {
  return Array.from({ length: Math.min(volumes, MAX_CHOICES) }, (_, n) => n + 1);
}

const MAX_CHOICES = 10_000;

function voxelsMissing({ name }: SourceFile): InputError {
  return new InputError('no-pixel-data', `${name} is a header without its voxels: the .img file is missing.`, {
    remedy: 'Pass both files of the pair.',
    details: { file: name },
  });
}

/** @returns the stored values; where they need neither turning nor moving, a view of the file */
async function readVoxels(
  source: ByteSource,
  name: string,
  skipped: number,
  count: number,
  type: NiftiVoxelType,
  littleEndian: boolean,
): Promise<VoxelArray> {
  const bytes = await orDamaged(name, async () => {
    await source.skip(skipped);
    return source.take(count * type.bytes);
  });
  const isAligned = bytes.byteOffset % type.bytes === 0;
  const { buffer, byteOffset } = isAligned && littleEndian ? bytes : new Uint8Array(bytes);
  if (!littleEndian) swapBytes(type.swapped(buffer));
  return type.read(buffer, byteOffset, count);
}

/** The voxels as they are where nothing else is in their memory; a view of a file would keep all of it. */
function ownVoxels(voxels: VoxelArray): VoxelArray {
  return voxels.byteLength === voxels.buffer.byteLength ? voxels : voxels.slice();
}

/** scl_slope of 0 or NaN means: no scaling. */
function rescaleOf({ slope, intercept }: NiftiHeader, name: string): Rescale {
  if (slope === 0 || !Number.isFinite(slope)) return { slope: 1, intercept: 0 };
  if (!Number.isFinite(intercept)) {
    throw new InputError('invalid-attribute', `${name} has no usable scl_inter: ${intercept}.`, {
      remedy: 'Write the file again with a finite scaling.',
      details: { file: name },
    });
  }
  return { slope, intercept };
}

async function orDamaged<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw damagedFile(name, error instanceof Error ? error.message : 'it cannot be unpacked', error);
  }
}

/** The files of one NIfTI image. */
interface NiftiImageFiles {
  readonly header: SourceFile;
  /** The .img of a .hdr; the header's own file otherwise, and where an .img is missing. */
  readonly voxels: SourceFile;
}

interface PairedFiles {
  readonly images: readonly NiftiImageFiles[];
  /** Each .img that has no header beside it. */
  readonly withoutHeader: readonly SourceFile[];
}

/** Puts .hdr and .img files together; every other file is an image by itself. */
function pairNiftiFiles(files: readonly SourceFile[]): PairedFiles {
  const voxelsOf = new Map(files.filter(({ name }) => isNiftiVoxelName(name)).map((file) => [stemOf(file.name), file]));
  const images = files
    .filter(({ name }) => !isNiftiVoxelName(name))
    .map((header) => ({ header, voxels: voxelsOf.get(stemOf(header.name)) ?? header }));
  const used = new Set(images.map(({ voxels }) => voxels));
  return { images, withoutHeader: [...voxelsOf.values()].filter((file) => !used.has(file)) };
}

function headerMissing({ name }: SourceFile): InputError {
  return new InputError('no-pixel-data', `${name} has no header (.hdr) beside it.`, {
    remedy: 'Pass both files of the pair.',
    details: { file: name },
  });
}

/** Whether a header is of Analyze 7.5: NIfTI-1's length, 348, in either byte order, without its magic word at 344. */
function isAnalyze(head: Uint8Array): boolean {
  if (head.length < 348) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const hasLength = view.getInt32(0, true) === 348 || view.getInt32(0, false) === 348;
  return hasLength && !isNifti(head);
}

function analyzeRefused(name: string): InputError {
  return new InputError('unsupported-image', `${name} is of Analyze 7.5, which does not say which side is left.`, {
    remedy: 'Convert the original images to NIfTI, or this file with the software that wrote it, and check the sides.',
    details: { file: name },
  });
}

/** Whether a file is the .img of a header among others, by their names. */
function isVoxelFileOf(name: string, names: readonly string[]): boolean {
  return isNiftiVoxelName(name) && names.some((other) => isNiftiHeaderName(other) && stemOf(other) === stemOf(name));
}

/** A file that is no part of a pair has a stem that none of a pair has. */
function stemOf(name: string): string {
  return isNiftiHeaderName(name) || isNiftiVoxelName(name) ? withoutNiftiExtension(name) : `${name}/`;
}
