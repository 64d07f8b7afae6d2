import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { datasetOfAttributes, type NaturalisedAttributes } from './dicom-attributes.ts';
import { dicomInstanceOf, type DicomInstance } from './dicom-instance.ts';
import { createModalityVoxels, type Allocate, type ModalityVoxels } from './modality-values.ts';
import { storedArray, type StoredValues } from './pixel-data.ts';
import type { SourceFile } from './reader.ts';
import { stackSlices } from './slice-stack.ts';
import { sourceSeriesOf } from './source-series.ts';

/** The header of one image that a viewer has loaded; opaque. */
export interface ImageHeader {
  readonly instance: DicomInstance;
}

/** Images of a viewer as the slices of one volume, by the same rules as files on a disk. */
export interface ImageStack {
  readonly geometry: VolumeGeometry;
  /** The slice k of each image, in the order that the images were given in. */
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

/** Stacks the images of one series; their pixels are then written one by one.
 * @param allocate the memory for the voxels; by default the page's own
 * @throws InputError as the DICOM reader does for the same images in files */
export function stackImages(headers: readonly ImageHeader[], allocate?: Allocate): ImageStack {
  const stack = stackSlices(headers.map(({ instance }) => instance));
  const { source, notices } = sourceSeriesOf(stack);
  const { geometry, slices } = stack;
  const pixelCount = geometry.dimensions[0] * geometry.dimensions[1];
  let voxels: ModalityVoxels | undefined;
  const allocated = (): ModalityVoxels =>
    (voxels ??= createModalityVoxels(
      slices.map(({ header }) => header),
      pixelCount,
      allocate,
    ));
  const [first] = slices;
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
      return { ...description, voxels: allocated().voxels };
    },
  };
}

const IDENTITY = { slope: 1, intercept: 0 } as const;

/** A name for messages; there is no file to read. */
function namedOnly(name: string): SourceFile {
  const nothing = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(0));
  return { name, byteLength: 0, readHead: nothing, read: nothing };
}
