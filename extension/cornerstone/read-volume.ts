import {
  readImageHeader,
  stackImages,
  type ImageHeader,
  type ImageStack,
  type Notice,
  type Volume,
  type VolumeGeometry,
} from '../../src/index.ts';
import { allocateVoxels } from '../../src/worker/client.ts';
import type { CornerstoneHost } from './host.ts';
import { imageAttributes } from './image-attributes.ts';
import { loadImageValues } from './image-values.ts';
import { createPacer, timed } from './main-thread.ts';

/** Where the images of a series are, and what the series says of itself. */
export interface SeriesGrid {
  readonly geometry: VolumeGeometry;
  /** The slice k of each of the images, in the order they were given in. */
  readonly sliceOfImage: readonly number[];
  /** The volume but for its voxels; its `source` is what a DICOM-SEG refers to. */
  readonly description: Omit<Volume, 'voxels'>;
  readonly warnings: readonly Notice[];
}

export interface ReadVolumeResult extends SeriesGrid {
  /** Its voxels are in memory that the worker can use without a copy, where the page allows it. */
  readonly volume: Volume;
}

export interface ReadVolumeOptions {
  readonly signal?: AbortSignal;
  /** Called as images become part of the volume. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Images requested at a time; the page's own requests come before the rest. */
const PARALLEL_IMAGES = 8;

/** Reads the images of one series as a volume of modality values, in the same voxel type, order and geometry as the
 * DICOM reader gives for the series' files. Long work is split, so that the page stays responsive.
 * @param imageIds in any order
 * @throws InputError as the DICOM reader does; whatever the page's image loader throws; the signal's reason */
export async function readVolume(
  host: CornerstoneHost,
  imageIds: readonly string[],
  { signal, onProgress }: ReadVolumeOptions = {},
): Promise<ReadVolumeResult> {
  const stack = await readStack(host, imageIds, signal);
  const pacer = createPacer();
  let [next, done] = [0, 0];
  const readOn = async (): Promise<void> => {
    try {
      for (let n = next++; n < imageIds.length; n = next++) {
        const { pixels, scale } = await loadImageValues(host, imageIds[n] ?? '');
        await pacer.pause(signal);
        timed('read-slice', () => {
          stack.write(n, pixels, scale);
        });
        onProgress?.({ done: ++done, total: imageIds.length });
      }
    } catch (error) {
      next = imageIds.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_IMAGES }, readOn));
  return { ...gridOf(stack), volume: stack.volume };
}

/** Reads where the images of one series are, without their pixels.
 * @throws InputError as {@link readVolume} */
export async function readGrid(
  host: CornerstoneHost,
  imageIds: readonly string[],
  { signal }: Pick<ReadVolumeOptions, 'signal'> = {},
): Promise<SeriesGrid> {
  return gridOf(await readStack(host, imageIds, signal));
}

async function readStack(
  host: CornerstoneHost,
  imageIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ImageStack> {
  const pacer = createPacer();
  const headers: ImageHeader[] = [];
  for (const [n, imageId] of imageIds.entries()) {
    await pacer.pause(signal);
    headers.push(timed('read-header', () => readImageHeader(imageAttributes(host, imageId), `Image ${n + 1}`)));
  }
  return timed('stack-images', () => stackImages(headers, allocateVoxels));
}

function gridOf({ geometry, sliceOfImage, description, warnings }: ImageStack): SeriesGrid {
  return { geometry, sliceOfImage, description, warnings };
}
