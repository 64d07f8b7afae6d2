import type { Types } from '@cornerstonejs/core';
import type { CornerstoneHost } from './host.ts';

/** One image's pixels as the page holds them: not to be changed. */
export interface ImageValues {
  readonly pixels: ArrayLike<number>;
  /** Whether the page has turned stored into modality values already. */
  readonly scale: 'stored' | 'modality';
  /** Modality value = pixel · slope + intercept. */
  readonly slope: number;
  readonly intercept: number;
}

/** An image's values, from the page's cache or loaded into it. */
export async function loadImageValues(host: CornerstoneHost, imageId: string): Promise<ImageValues> {
  const { cache, imageLoader } = host.core;
  return valuesOf(host, cache.getImage(imageId) ?? (await imageLoader.loadAndCacheImage(imageId)));
}

function valuesOf({ core }: CornerstoneHost, image: Types.IImage): ImageValues {
  const pixels = image.voxelManager?.getScalarData() ?? image.getPixelData();
  if (image.preScale?.scaled !== true) {
    const lut = core.metaData.get('modalityLutModule', image.imageId) as RescaleModule | undefined;
    return {
      pixels,
      scale: 'stored',
      slope: numberOr(1, lut?.rescaleSlope),
      intercept: numberOr(0, lut?.rescaleIntercept),
    };
  }
  // PET images are scaled on to standard uptake values, of which the series' other numbers know nothing.
  const uptake = numberOr(1, image.preScale.scalingParameters?.suvbw);
  if (uptake === 1) return { pixels, scale: 'modality', slope: 1, intercept: 0 };
  return {
    pixels: Float32Array.from(pixels, (value) => value / uptake),
    scale: 'modality',
    slope: 1,
    intercept: 0,
  };
}

interface RescaleModule {
  readonly rescaleSlope?: unknown;
  readonly rescaleIntercept?: unknown;
}

function numberOr(otherwise: number, value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value !== 0 ? value : otherwise;
}
