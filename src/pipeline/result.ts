import { boundingBox } from '../labelmap/components.ts';
import type { Segment } from '../labelmap/labelmap.ts';
import { createUid } from '../labelmap/segmentation-result.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Notice } from '../volume/volume.ts';
import type { VoxelTarget } from './classify.ts';

/** DICOM's limit for LO, the value representation of Tracking ID and Segment Algorithm Name. */
const LO_LENGTH = 64;

/** The model's segments with an identity of their own for this result. */
export function createSegments({ id, version, title, segments }: ModelManifest): Segment[] {
  return segments.map(({ segmentNumber, segmentLabel, segmentedPropertyTypeModifier, anatomicRegion, ...rest }) => ({
    ...rest,
    segmentNumber,
    segmentLabel,
    ...(segmentedPropertyTypeModifier && { segmentedPropertyTypeModifier }),
    ...(anatomicRegion && { anatomicRegion }),
    algorithmType: 'AUTOMATIC',
    algorithmName: `${title} ${version}`.slice(0, LO_LENGTH),
    trackingID: `${id} ${segmentNumber} ${segmentLabel}`.slice(0, LO_LENGTH),
    trackingUID: createUid(),
  }));
}

/** A notice if no voxel is labelled: an empty result is a result, and may be right. */
export function emptyNotice(
  { labels }: VoxelTarget,
  { dimensions }: VolumeGeometry,
  { segments }: ModelManifest,
): Notice[] {
  if (boundingBox(labels, dimensions)) return [];
  const names = segments.map((segment) => segment.segmentLabel).join(', ');
  return [{ code: 'empty-result', message: `The model found nothing of: ${names}.` }];
}
