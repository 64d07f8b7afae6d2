import type { Types } from '@cornerstonejs/core';
import type { CornerstoneHost } from './host.ts';

/** One image's pixels as the page holds them: not to be changed. */
export interface ImageValues {
  readonly pixels: ArrayLike<number>;
  /** Whether the page has turned stored into modality values already. */
  readonly scale: 'stored' | 'modality';
}

/** An image's values, from the page's cache or loaded into it. */
export async function loadImageValues({ core }: CornerstoneHost, imageId: string): Promise<ImageValues> {
  return valuesOf(core.cache.getImage(imageId) ?? (await core.imageLoader.loadAndCacheImage(imageId)));
}

function valuesOf(image: Types.IImage): ImageValues {
  const pixels = image.voxelManager?.getScalarData() ?? image.getPixelData();
  return { pixels, scale: image.preScale?.scaled === true ? 'modality' : 'stored' };
}
