import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Segment } from './segment.ts';

/** Labels on a volume's grid: 0 is background, n the segment with segmentNumber n; i fastest. */
export interface Labelmap {
  readonly geometry: VolumeGeometry;
  readonly voxels: Uint8Array | Uint16Array;
  readonly segments: readonly Segment[];
}
