import { readImageHeader, stackImages, type ImageHeader, type Notice, type Volume } from '../../src/index.ts';
import type { CornerstoneHost } from './host.ts';
import { imageAttributes } from './image-attributes.ts';
import { loadImageValues } from './image-values.ts';
import { createPacer, timed } from './main-thread.ts';

export interface ReadVolumeResult {
  /** Its voxels are one buffer of its own, which may be transferred to a worker. */
  readonly volume: Volume;
  /** The slice k of each of the images, in the order they were given in. */
  readonly sliceOfImage: readonly number[];
  readonly warnings: readonly Notice[];
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
  const pacer = createPacer();
  const headers: ImageHeader[] = [];
  for (const [n, imageId] of imageIds.entries()) {
    await pacer.pause(signal);
    headers.push(timed('read-header', () => readImageHeader(imageAttributes(host, imageId), `Image ${n + 1}`)));
  }
  const stack = timed('stack-images', () => stackImages(headers));

  let [next, done] = [0, 0];
  const readOn = async (): Promise<void> => {
    for (let n = next++; n < imageIds.length; n = next++) {
      const { pixels, scale } = await loadImageValues(host, imageIds[n] ?? '');
      await pacer.pause(signal);
      timed('read-slice', () => {
        stack.write(n, pixels, scale);
      });
      onProgress?.({ done: ++done, total: imageIds.length });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_IMAGES }, readOn));
  return { volume: stack.volume, sliceOfImage: stack.sliceOfImage, warnings: stack.warnings };
}
