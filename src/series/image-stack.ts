import { InputError } from '../errors.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import { resampleStack } from '../volume/resample.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { datasetOfAttributes, type NaturalisedAttributes } from '../dicom/write-dicom.ts';
import { type DicomInstance, dicomInstanceOf } from './dicom-instance.ts';
import { assertOnePatient, sourceSeriesOf } from './source-series.ts';
import { type Allocate, createModalityVoxels, type ModalityVoxels } from '../dicom/modality-values.ts';
import { storedArray, type StoredValues } from '../dicom/pixel-data.ts';
import { assertResampledSize, withDefaultLimits } from '../io/read-limits.ts';
import type { ReadOptions, SourceFile } from '../io/reader.ts';
import { stackSlices } from './slice-stack.ts';

/** The header of one image that a viewer has loaded; opaque. */
export interface ImageHeader {
  readonly instance: DicomInstance;
}

/** Images of a viewer as the slices of one volume, by the same rules as files on a disk. */
export interface ImageStack {
  /** Of the volume; where it is interpolated, not that of the images. */
  readonly geometry: VolumeGeometry;
  /** The slice k of each image, in the order that the images were given in; -1 for an image of another volume of the
   * series, or of none. Of an interpolated volume the place among its images, which `labelmapOnSourceSlices` puts labels
   * back on. */
  readonly sliceOfImage: readonly number[];
  readonly warnings: readonly Notice[];
  /** The volume but for its voxels. */
  readonly description: Omit<Volume, 'voxels'>;
  /** Collects the voxels of the images, in any order.
   * @param n the image, by its place among those given
   * @param pixels of the image, row by row; not changed
   * @param scale `stored` as the file has them, or what undoes a viewer's own scaling of modality values */
  write(n: number, pixels: ArrayLike<number>, scale: 'stored' | 'modality'): void;
  /** The volume of the images written so far. */
  readonly volume: Volume;
}

/** Reads an image's header from its attributes.
 * @param name for messages */
export function readImageHeader(attributes: NaturalisedAttributes, name: string): ImageHeader {
  return { instance: dicomInstanceOf(datasetOfAttributes(attributes), namedOnly(name)) };
}

export interface StackImagesOptions extends Pick<ReadOptions, 'phase' | 'resample' | 'limits'> {
  /** The memory for the voxels as they are stored; by default the page's own. */
  readonly allocate?: Allocate;
}

/** Stacks the images of one series; their pixels are then written one by one.
 * @throws InputError as the DICOM reader does for the same images in files */
export function stackImages(headers: readonly ImageHeader[], options: StackImagesOptions = {}): ImageStack {
  const { phase, resample, limits, allocate } = options;
  const instances = headers.map(({ instance }) => instance);
  assertOnePatient(instances);
  const stack = stackSlices(instances, { phase, resample });
  const { source, notices } = sourceSeriesOf(stack);
  const { geometry, slices, resampling } = stack;
  if (resampling !== undefined) assertResampledSize(resampling, withDefaultLimits(limits), 'The series');
  const [{ header: { format: size } } = unreachable()] = slices;
  const pixelCount = size.rows * size.columns;
  let voxels: ModalityVoxels | undefined;
  const allocated = (): ModalityVoxels =>
    (voxels ??= createModalityVoxels(
      slices.map(({ header }) => header),
      pixelCount,
      allocate,
    ));
  const [first] = slices;
  if (slices.some(({ header }) => header.tile !== undefined)) throw mosaicInViewer();
  const sliceOf = new Map(slices.map(({ instance }, k) => [instance, k]));
  const sliceOfImage = headers.map(({ instance }) => sliceOf.get(instance) ?? -1);
  const description: Omit<Volume, 'voxels'> = {
    geometry,
    ...(first?.instance.modality !== undefined && { modality: first.instance.modality }),
    ...(first?.instance.bodyPartExamined !== undefined && { bodyPartExamined: first.instance.bodyPartExamined }),
    ...(first?.header.rescaleType !== undefined && { rescaleType: first.header.rescaleType }),
    ...(source !== undefined && { source }),
  };
  return {
    geometry,
    sliceOfImage,
    description,
    warnings: [...stack.notices, ...notices],
    write(n, pixels, scale) {
      const k = sliceOfImage[n] ?? -1;
      const header = slices[k]?.header;
      if (header === undefined || pixels.length !== pixelCount) throw new RangeError(`Image ${n} has no such slice.`);
      const { format, rescale } = header;
      if (scale === 'modality') {
        allocated().write(k, pixels as StoredValues, { ...format, bitsStored: format.bitsAllocated }, IDENTITY);
        return;
      }
      const stored = storedArray(format, pixelCount);
      stored.set(pixels);
      allocated().write(k, stored, format, rescale);
    },
    get volume() {
      const { voxels: stored } = allocated();
      return { ...description, voxels: resampling === undefined ? stored : resampleStack(stored, resampling) };
    },
  };
}

function unreachable(): never {
  throw new RangeError('A stack has at least one slice.');
}

/** Its voxels would be written image by image. */
function mosaicInViewer(): InputError {
  return new InputError('unsupported-image', 'The images are mosaics, which hold several slices in one image.', {
    remedy: 'Segment the files of the series instead, or convert them with dcm2niix.',
  });
}

const IDENTITY = { slope: 1, intercept: 0 } as const;

/** A name for messages; there is no file to read. */
function namedOnly(name: string): SourceFile {
  const nothing = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(0));
  return { name, byteLength: 0, readHead: nothing, read: nothing };
}
