import { InputError, isSegmentationError, problemOf } from '../errors.ts';
import { resampleStack } from '../volume/resample.ts';
import type { Notice, Volume, VoxelArray } from '../volume/volume.ts';
import { inflateDicom, isDicom, unsupportedTransferSyntax } from '../dicom/read-dicom.ts';
import { type DicomInstance, readDicomInstance } from './dicom-instance.ts';
import { assertOnePatient, groupBySeries, hasIdentity, noImages, sourceSeriesOf } from './source-series.ts';
import { commonPath } from '../io/file-names.ts';
import {
  type FindOptions,
  type FoundSeries,
  mergedNotices,
  type ReadResult,
  type ReadSeriesOptions,
  type SeriesDescription,
  type SourceFile,
  unreadableFile,
  type VolumeReader,
} from '../io/reader.ts';
import { createModalityVoxels, type ModalityVoxels } from '../dicom/modality-values.ts';
import { cropTile } from './mosaic.ts';
import { type PixelDecoder, pixelDecoders } from '../codecs/pixel-decoders.ts';
import { encapsulatedFrames, nativeFrameBytes, type StoredValues } from '../dicom/pixel-data.ts';
import {
  assertResampledSize,
  assertWithinLimit,
  damagedFile,
  type ReadLimits,
  withDefaultLimits,
} from '../io/read-limits.ts';
import { chooseVolume, volumesOf } from './series-volumes.ts';
import { type SliceStack, type StackedSlice, stackSlices, stackVolume } from './slice-stack.ts';
import type { PixelDataLocation } from '../dicom/dicom-dataset.ts';
import type { SliceHeader } from './slice-header.ts';
import { swapBytes } from '../io/bytes.ts';
import { EXPLICIT_BIG_ENDIAN } from '../dicom/transfer-syntaxes.ts';

/** Makes a reader of DICOM image series: one file a slice, or files of many frames, sorted along the slice normal.
 * @param decoders by transfer syntax; the first that names a syntax decodes it */
export function createDicomReader(decoders: readonly PixelDecoder[] = pixelDecoders): VolumeReader {
  return {
    id: 'DICOM',
    hasSeries: true,
    accepts: isDicom,
    find: (files, options) => find(files, options ?? {}, decoders),
  };
}

export const dicomReader = createDicomReader();

async function find(
  files: readonly SourceFile[],
  { limits: some, signal }: FindOptions,
  decoders: readonly PixelDecoder[],
): Promise<FoundSeries[]> {
  const limits = withDefaultLimits(some);
  const instances: DicomInstance[] = [];
  const unreadable: FoundSeries[] = [];
  for (const file of files) {
    signal?.throwIfAborted();
    try {
      instances.push(await readDicomInstance(file, limits));
    } catch (error) {
      if (!isSegmentationError(error)) throw error;
      unreadable.push(unreadableFile('DICOM', file, error));
    }
  }
  const series = groupBySeries(instances).map((group): FoundSeries => ({
    description: describeSeries(group, decoders),
    files: group.map(({ file }) => file),
    read: (options) => readSeries(group, options ?? {}, { decoders, limits }),
  }));
  return [...series, ...unreadable];
}

/** A file without an image in a series of images is an error: its slice would be missing. */
async function readSeries(
  group: readonly DicomInstance[],
  { phase, resample, signal }: ReadSeriesOptions,
  { decoders, limits }: Pick<ReadContext, 'decoders' | 'limits'>,
): Promise<ReadResult> {
  signal?.throwIfAborted();
  if (!group.some(({ isImage }) => isImage)) throw noImages(group.map(({ file }) => file.name));
  assertOnePatient(group);
  const stack = stackSlices(group, { phase, resample });
  for (const instance of group) findDecoder(instance, decoders);
  const frameNotices = new Map<DicomInstance, Notice[]>();
  const voxels = await readVoxels(stack, { decoders, limits, signal, frameNotices });
  const { source, notices } = sourceSeriesOf(stack);
  const { instance: first, header } = firstOf(stack);
  const volume: Volume = {
    geometry: stack.geometry,
    voxels,
    ...(first.modality === undefined ? {} : { modality: first.modality }),
    ...(first.bodyPartExamined === undefined ? {} : { bodyPartExamined: first.bodyPartExamined }),
    ...(header.rescaleType === undefined ? {} : { rescaleType: header.rescaleType }),
    ...(source === undefined ? {} : { source }),
  };
  return { volume, warnings: [...stack.notices, ...notices, ...noticesOfFiles(group, frameNotices)] };
}

interface ReadContext {
  readonly decoders: readonly PixelDecoder[];
  readonly limits: ReadLimits;
  readonly signal: AbortSignal | undefined;
  /** What was noticed while frames were found. */
  readonly frameNotices: Map<DicomInstance, Notice[]>;
}

function noticesOfFiles(
  group: readonly DicomInstance[],
  frameNotices: ReadonlyMap<DicomInstance, readonly Notice[]> = new Map(),
): Notice[] {
  return mergedNotices(group.map((instance) => [...instance.warnings, ...(frameNotices.get(instance) ?? [])]));
}

async function readVoxels(stack: SliceStack, context: ReadContext): Promise<VoxelArray> {
  const { slices, resampling } = stack;
  const { header: any, instance: first } = firstOf(stack);
  const pixelCount = any.format.rows * any.format.columns;
  const name = any.frameCount === slices.length ? first.file.name : 'The series';
  assertWithinLimit(pixelCount * slices.length, 'voxels', context.limits, { name, what: 'voxels' });
  if (resampling !== undefined) assertResampledSize(resampling, context.limits, name);
  let target: ModalityVoxels | undefined;
  for await (const { k, header, values } of decodeFrames(framesByFile(slices), context)) {
    // Not before the first frame is decoded: what the headers promise may not be there.
    target ??= createModalityVoxels(
      slices.map((slice) => slice.header),
      pixelCount,
    );
    target.write(k, values, header.format, header.rescale);
  }
  if (target === undefined) throw new RangeError('A stack has at least one slice.');
  return resampling === undefined ? target.voxels : resampleStack(target.voxels, resampling);
}

interface FrameOfFile extends StackedSlice {
  /** Its slice. */
  readonly k: number;
}

/** File after file, so that none is read twice. */
function framesByFile(slices: readonly StackedSlice[]): FrameOfFile[] {
  const files = new Map<DicomInstance, FrameOfFile[]>();
  slices.forEach(({ instance, header }, k) => {
    const frames = files.get(instance);
    if (frames === undefined) files.set(instance, [{ instance, header, k }]);
    else frames.push({ instance, header, k });
  });
  return [...files.values()].flat();
}

type DecodedFrame = FrameOfFile & { readonly values: StoredValues };

/** In order, and so are their errors; as many under way as their decoder takes. Beside the volume are in memory the files
 * of these frames. */
async function* decodeFrames(frames: readonly FrameOfFile[], context: ReadContext): AsyncGenerator<DecodedFrame> {
  const decode = createFrameDecoder(context);
  const underWay: Promise<DecodedFrame>[] = [];
  for (const [n, frame] of frames.entries()) {
    const decoder = findDecoder(frame.instance, context.decoders);
    const decoded = decode(frame, decoder, frames.length - n);
    decoded.catch(() => undefined); // it may fail before its turn
    underWay.push(decoded);
    const { framesUnderWay = 1 } = decoder;
    for (const oldest of underWay.splice(0, underWay.length - framesUnderWay + 1)) yield await oldest;
  }
  for (const decoded of underWay) yield await decoded;
}

/** For frames file after file: it keeps the one that it read last. */
function createFrameDecoder({ limits, signal, frameNotices }: ReadContext) {
  let last: { readonly instance: DicomInstance; readonly frameBytes: ReturnType<typeof openFile> } | undefined;
  return async (frame: FrameOfFile, decoder: PixelDecoder, framesLeft: number): Promise<DecodedFrame> => {
    signal?.throwIfAborted();
    const { instance, header } = frame;
    if (last?.instance !== instance) last = { instance, frameBytes: openFile(frame, limits, frameNotices) };
    const encoded = (await last.frameBytes)(header.frameIndex);
    const format = header.tile?.format ?? header.format;
    const fileName = instance.file.name;
    const byteLength = (format.rows * format.columns * format.bitsAllocated) / 8;
    assertWithinLimit(byteLength / encoded.length, 'compressionRatio', limits, {
      name: fileName,
      what: 'bytes from one compressed byte',
    });
    const values = await decoder.decode({ bytes: encoded, format, fileName }, { framesLeft, signal });
    return { ...frame, values: cropTile(values, header) };
  };
}

async function openFile(
  { instance, header }: FrameOfFile,
  limits: ReadLimits,
  frameNotices: Map<DicomInstance, Notice[]>,
) {
  const { file, transferSyntaxUID } = instance;
  const bytes = await inflateDicom(await file.read(), file.name, limits);
  const notices: Notice[] = [];
  frameNotices.set(instance, notices);
  const stored = { ...header, format: header.tile?.format ?? header.format };
  return openFrames(bytes, transferSyntaxUID, stored, file.name, (notice) => notices.push(notice));
}

function findDecoder({ transferSyntaxUID, file }: DicomInstance, decoders: readonly PixelDecoder[]): PixelDecoder {
  const decoder = decoders.find(({ transferSyntaxUIDs }) => transferSyntaxUIDs.includes(transferSyntaxUID));
  if (decoder === undefined) throw unsupportedTransferSyntax(transferSyntaxUID, file.name);
  return decoder;
}

function firstOf({ slices: [first] }: SliceStack): StackedSlice {
  if (first === undefined) throw new RangeError('A stack has at least one slice.');
  return first;
}

function describeSeries(group: readonly DicomInstance[], decoders: readonly PixelDecoder[]): SeriesDescription {
  let description = headOf(group);
  if (description.contents === 'other') return { ...description, problem: problemOf(noImages()) };
  try {
    assertOnePatient(group);
    for (const instance of group) findDecoder(instance, decoders);
    const { volumes, notices } = volumesOf(group);
    if (volumes.length > 1) {
      description = {
        ...description,
        volumes: volumes.map(({ phase, label, slices }) => ({ phase, label, images: slices.length })),
        warnings: notices,
      };
    }
    const stack = stackVolume(chooseVolume(volumes, undefined));
    const warnings = [...notices, ...stack.notices, ...sourceSeriesOf(stack).notices, ...noticesOfFiles(group)];
    return { ...description, geometry: stack.geometry, warnings };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...description, problem: problemOf(error) };
  }
}

function headOf(group: readonly DicomInstance[]): SeriesDescription {
  const first = group.find(({ isImage }) => isImage) ?? group[0];
  return {
    format: 'DICOM',
    path: commonPath(group.map(({ file }) => file.name)),
    contents: group.some(({ isImage }) => isImage) ? 'image' : 'other',
    ...(first?.studyInstanceUID ? { studyInstanceUID: first.studyInstanceUID } : {}),
    ...(first?.seriesInstanceUID ? { seriesInstanceUID: first.seriesInstanceUID } : {}),
    ...(first?.seriesNumber === undefined ? {} : { seriesNumber: first.seriesNumber }),
    ...(first?.modality === undefined ? {} : { modality: first.modality }),
    ...(first?.bodyPartExamined === undefined ? {} : { bodyPartExamined: first.bodyPartExamined }),
    ...(first?.seriesDescription === undefined ? {} : { seriesDescription: first.seriesDescription }),
    transferSyntaxUIDs: [...new Set(group.map(({ transferSyntaxUID }) => transferSyntaxUID))].toSorted(),
    fileCount: group.length,
    hasIdentity: hasIdentity(group),
    warnings: [],
  };
}

/** Finds the frames of a file's pixel data.
 * @param file inflated, if it was deflated
 * @param header of any of its frames
 * @param onNotice called for what is read otherwise than the file has it
 * @returns a frame's bytes by its place from 0: a view of native pixels, or one compressed frame, its fragments joined
 * @throws InputError `damaged-file` */
export function openFrames(
  file: Uint8Array,
  transferSyntaxUID: string,
  header: Pick<SliceHeader, 'pixelData' | 'frameCount' | 'format'> | undefined,
  name: string,
  onNotice: (notice: Notice) => void = () => undefined,
): (frameIndex: number) => Uint8Array {
  if (header === undefined) throw new RangeError('There is no frame to open.');
  const { pixelData, frameCount, format } = header;
  const at = <T>(frames: readonly T[], n: number): T => {
    const frame = frames[n];
    if (frame === undefined) throw new RangeError(`There is no frame ${n}.`);
    return frame;
  };
  if (pixelData.byteLength === undefined) {
    const { frames, notices } = encapsulatedFrames(file, pixelData.dataOffset, frameCount, name);
    notices.forEach(onNotice);
    return (frameIndex) => at(frames, frameIndex);
  }
  const frameLength = nativeFrameBytes(format);
  const bytes = nativePixels(file, transferSyntaxUID, { pixelData, bitsAllocated: format.bitsAllocated }, name);
  return (frameIndex) => bytes.subarray(frameIndex * frameLength, (frameIndex + 1) * frameLength);
}

/** The pixel data of all frames that are not encapsulated; pixels of a byte or less are in their order, wider ones in the
 * file's byte order.
 * @throws InputError `damaged-file` */
export function nativePixels(
  file: Uint8Array,
  transferSyntaxUID: string,
  { pixelData, bitsAllocated }: { readonly pixelData: PixelDataLocation; readonly bitsAllocated: number },
  name: string,
): Uint8Array {
  const { dataOffset, byteLength, vr } = pixelData;
  if (byteLength === undefined) throw damagedFile(name, 'its pixel data have no length');
  if (dataOffset + byteLength > file.length) {
    throw damagedFile(name, `its last ${dataOffset + byteLength - file.length} bytes of pixel data are missing`);
  }
  const isSwapped = transferSyntaxUID === EXPLICIT_BIG_ENDIAN && bitsAllocated <= 8 && (vr ?? 'OW') === 'OW';
  const pixels = file.subarray(dataOffset, dataOffset + byteLength);
  return isSwapped ? bytesOfSwappedWords(pixels) : pixels;
}

/** Bytes in words of the other order (PS3.5 annex D). */
function bytesOfSwappedWords(pixels: Uint8Array): Uint8Array {
  const bytes = pixels.slice(0, pixels.length & ~1);
  swapBytes(new Uint16Array(bytes.buffer));
  return bytes;
}
