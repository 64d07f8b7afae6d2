import {
  type ImageHeader,
  type ImageStack,
  type Notice,
  readImageHeader,
  stackImages,
  type StackImagesOptions,
  type Volume,
  type VolumeGeometry,
} from '../../src/index.ts';
import { allocateVoxels } from '../../src/browser/client.ts';
import type { CornerstoneHost } from './host.ts';
import { imageAttributes } from './image-attributes.ts';
import { loadImageValues } from './image-values.ts';
import { createPacer, timed } from './main-thread.ts';

/** Where the images of a series are, and what the series says of itself. */
export interface SeriesGrid {
  readonly geometry: VolumeGeometry;
  /** The slice k of each of the images, in the order they were given in; -1 for an image that is not in the volume. Of an
   * interpolated volume the place among its images: `labelmapOnSourceSlices` puts its labels back on them. */
  readonly sliceOfImage: readonly number[];
  /** The volume but for its voxels; its `source` is what a DICOM-SEG refers to. */
  readonly description: Omit<Volume, 'voxels'>;
  readonly warnings: readonly Notice[];
}

export interface ReadImageVolumeResult extends SeriesGrid {
  /** Its voxels are in memory that the worker can use without a copy, where the page allows it. */
  readonly volume: Volume;
}

export interface ReadGridOptions extends Pick<StackImagesOptions, 'phase' | 'resample'> {
  readonly signal?: AbortSignal;
}

export interface ReadImageVolumeOptions extends ReadGridOptions {
  /** Called as images become part of the volume. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Images requested at a time; the page's own requests come before the rest. */
const PARALLEL_IMAGES = 8;

/** Reads the images of one series as a volume of modality values, in the same voxel type, order and geometry as the
 * DICOM reader gives for the series' files. Long work is split, so that the page stays responsive.
 * @param imageIds in any order
 * @throws InputError as the DICOM reader does; whatever the page's image loader throws; the signal's reason */
export async function readImageVolume(
  host: CornerstoneHost,
  imageIds: readonly string[],
  { onProgress, ...options }: ReadImageVolumeOptions = {},
): Promise<ReadImageVolumeResult> {
  const { signal } = options;
  const stack = await readStack(host, imageIds, options);
  const wanted = imageIds.flatMap((imageId, n) => ((stack.sliceOfImage[n] ?? -1) < 0 ? [] : [{ imageId, n }]));
  const pacer = createPacer();
  let [next, done] = [0, 0];
  const readOn = async (): Promise<void> => {
    try {
      for (let image = wanted[next++]; image !== undefined; image = wanted[next++]) {
        const { imageId, n } = image;
        const { pixels, scale } = await loadImageValues(host, imageId);
        await pacer.pause(signal);
        timed('read-slice', () => {
          stack.write(n, pixels, scale);
        });
        onProgress?.({ done: ++done, total: wanted.length });
      }
    } catch (error) {
      next = wanted.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_IMAGES }, readOn));
  return { ...gridOf(stack), volume: stack.volume };
}

/** Reads where the images of one series are, without their pixels.
 * @throws InputError as {@link readImageVolume} */
export async function readGrid(
  host: CornerstoneHost,
  imageIds: readonly string[],
  options: ReadGridOptions = {},
): Promise<SeriesGrid> {
  return gridOf(await readStack(host, imageIds, options));
}

async function readStack(
  host: CornerstoneHost,
  imageIds: readonly string[],
  { signal, phase, resample }: ReadGridOptions,
): Promise<ImageStack> {
  const pacer = createPacer();
  const headers: ImageHeader[] = [];
  for (const [n, imageId] of imageIds.entries()) {
    await pacer.pause(signal);
    headers.push(timed('read-header', () => readImageHeader(imageAttributes(host, imageId), `Image ${n + 1}`)));
  }
  return timed('stack-images', () =>
    stackImages(headers, {
      ...(phase !== undefined && { phase }),
      ...(resample !== undefined && { resample }),
      allocate: allocateVoxels,
    }),
  );
}

function gridOf({ geometry, sliceOfImage, description, warnings }: ImageStack): SeriesGrid {
  return { geometry, sliceOfImage, description, warnings };
}
