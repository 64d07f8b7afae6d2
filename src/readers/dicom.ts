import { InputError } from '../errors.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { isDicom, unsupportedTransferSyntax } from './dicom-dataset.ts';
import { readDicomInstance, type DicomInstance } from './dicom-instance.ts';
import { chooseSeries, imageSeries, noImages, seriesWithoutImage } from './dicom-series.ts';
import { createModalityVoxels } from './modality-values.ts';
import { pixelDecoders, type PixelDecoder } from './pixel-decoders.ts';
import { frameBytes, type StoredValues } from './pixel-data.ts';
import type { ReadOptions, ReadResult, SeriesDescription, SourceFile, VolumeReader } from './reader.ts';
import { stackSlices, type SliceStack, type StackedSlice } from './slice-stack.ts';
import { sourceSeriesOf } from './source-series.ts';

/** Makes a reader of DICOM image series: one file a slice, sorted along the slice normal.
 * @param decoders by transfer syntax; the first that names a syntax decodes it */
export function createDicomReader(decoders: readonly PixelDecoder[] = pixelDecoders): VolumeReader {
  return {
    id: 'DICOM',
    accepts: isDicom,
    describe: (files) => describe(files, decoders),
    read: (files, options) => read(files, options ?? {}, decoders),
  };
}

export const dicomReader = createDicomReader();

async function read(
  files: readonly SourceFile[],
  { seriesInstanceUID, signal }: ReadOptions,
  decoders: readonly PixelDecoder[],
): Promise<ReadResult> {
  const instances: DicomInstance[] = [];
  for (const file of files) {
    signal?.throwIfAborted();
    instances.push(await readDicomInstance(file));
  }
  const series = chooseSeries(imageSeries(instances), seriesInstanceUID);
  const stack = stackSlices(series);
  for (const instance of series) findDecoder(instance, decoders);
  const voxels = await readVoxels(stack, decoders, signal);
  const { source, notices } = sourceSeriesOf(stack);
  const first = firstOf(stack);
  const volume: Volume = {
    geometry: stack.geometry,
    voxels,
    ...(first.modality === undefined ? {} : { modality: first.modality }),
    ...(first.bodyPartExamined === undefined ? {} : { bodyPartExamined: first.bodyPartExamined }),
    ...(first.rescaleType === undefined ? {} : { rescaleType: first.rescaleType }),
    ...(source === undefined ? {} : { source }),
  };
  const ignoredFiles = instances.filter(({ isImage }) => !isImage).length;
  return { volume, warnings: [...stack.notices, ...notices, ...imagelessNotice(ignoredFiles)], ignoredFiles };
}

async function readVoxels(stack: SliceStack, decoders: readonly PixelDecoder[], signal: AbortSignal | undefined) {
  const [columns, rows] = stack.geometry.dimensions;
  const target = createModalityVoxels(
    stack.slices.map(({ header }) => header),
    columns * rows,
  );
  for (const [k, slice] of stack.slices.entries()) {
    signal?.throwIfAborted();
    target.write(k, await decodeSlice(slice, decoders), slice.header.format, slice.header.rescale);
  }
  return target.voxels;
}

/** The file's bytes live no longer than this call: at most one file is in memory beside the volume. */
async function decodeSlice(slice: StackedSlice, decoders: readonly PixelDecoder[]): Promise<StoredValues> {
  const { instance, header } = slice;
  const { file } = instance;
  const bytes = frameBytes(await file.read(), header.pixelData, file.name);
  return findDecoder(instance, decoders).decode({ bytes, format: header.format, fileName: file.name });
}

function findDecoder({ transferSyntaxUID, file }: DicomInstance, decoders: readonly PixelDecoder[]): PixelDecoder {
  const decoder = decoders.find(({ transferSyntaxUIDs }) => transferSyntaxUIDs.includes(transferSyntaxUID));
  if (decoder === undefined) throw unsupportedTransferSyntax(transferSyntaxUID, file.name);
  return decoder;
}

function firstOf({ slices: [first] }: SliceStack): DicomInstance {
  if (first === undefined) throw new RangeError('A stack has at least one slice.');
  return first.instance;
}

function imagelessNotice(count: number): Notice[] {
  if (count === 0) return [];
  const message = `${count} DICOM file${count === 1 ? '' : 's'} without an image (reports, segmentations …) left out.`;
  return [{ code: 'objects-without-image', message }];
}

async function describe(files: readonly SourceFile[], decoders: readonly PixelDecoder[]): Promise<SeriesDescription[]> {
  const instances: DicomInstance[] = [];
  const unreadable: SeriesDescription[] = [];
  for (const file of files) {
    try {
      instances.push(await readDicomInstance(file));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      unreadable.push({ format: 'DICOM', fileName: file.name, fileCount: 1, problem: problemOf(error), warnings: [] });
    }
  }
  const series = [...imageSeries(instances).values()].map((group) => describeSeries(group, decoders));
  const others = [...seriesWithoutImage(instances).values()].map(describeSeriesWithoutImage);
  return [...series, ...others, ...unreadable];
}

function describeSeries(group: readonly DicomInstance[], decoders: readonly PixelDecoder[]): SeriesDescription {
  const description = headOf(group);
  let stack: SliceStack;
  try {
    stack = stackSlices(group);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...description, problem: problemOf(error), warnings: [] };
  }
  const warnings = [...stack.notices, ...sourceSeriesOf(stack).notices];
  const { geometry } = stack;
  try {
    for (const instance of group) findDecoder(instance, decoders);
    return { ...description, geometry, warnings };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...description, geometry, problem: problemOf(error), warnings };
  }
}

function describeSeriesWithoutImage(group: readonly DicomInstance[]): SeriesDescription {
  return { ...headOf(group), problem: problemOf(noImages()), warnings: [] };
}

function headOf(group: readonly DicomInstance[]): Omit<SeriesDescription, 'warnings'> {
  const [any] = group;
  return {
    format: 'DICOM',
    ...(any?.seriesInstanceUID ? { seriesInstanceUID: any.seriesInstanceUID } : {}),
    ...(any?.modality === undefined ? {} : { modality: any.modality }),
    ...(any?.bodyPartExamined === undefined ? {} : { bodyPartExamined: any.bodyPartExamined }),
    ...(any?.seriesDescription === undefined ? {} : { seriesDescription: any.seriesDescription }),
    transferSyntaxUIDs: [...new Set(group.map(({ transferSyntaxUID }) => transferSyntaxUID))].toSorted(),
    fileCount: group.length,
  };
}

function problemOf({ code, message, remedy }: InputError): NonNullable<SeriesDescription['problem']> {
  return { code, message, remedy };
}
