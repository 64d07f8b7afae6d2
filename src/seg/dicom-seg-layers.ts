import type { Labelmap } from '../labelmap/labelmap.ts';

type Labels = Labelmap['voxels'];

/** Paints one frame of one segment: writes the label where the frame has the segment and the target has nothing.
 * @returns false if the rule is to stop and it did */
export type PaintFrame = (target: Labels, label: number, overlap: Overlap) => boolean;

/** What to do where another segment is already, and what was met. */
export interface Overlap {
  readonly rule: 'stop' | 'keep' | 'overwrite';
  /** Voxels found taken, by the label that was there; counted up to the first with 'stop'. */
  readonly met: Map<number, number>;
}

/** The frames of one segment, each with the voxels of the slice that it lies on. */
export interface SegmentFrames {
  readonly segmentNumber: number;
  readonly frames: readonly { readonly sliceIndex: number; readonly paint: PaintFrame }[];
}

export interface PaintedLayer {
  readonly voxels: Labels;
  readonly segmentNumbers: readonly number[];
}

/** Paints segments into as few label arrays as hold them apart: each into the first one where it meets no other. */
export function paintApart(
  segments: readonly SegmentFrames[],
  sliceSize: number,
  createVoxels: () => Labels,
): PaintedLayer[] {
  const layers: { voxels: Labels; segmentNumbers: number[] }[] = [];
  for (const segment of segments) {
    let layer = layers.find(({ voxels }) => paintOrUndo(voxels, segment, sliceSize));
    if (layer === undefined) {
      layer = { voxels: createVoxels(), segmentNumbers: [] };
      layers.push(layer);
      paintOrUndo(layer.voxels, segment, sliceSize);
    }
    layer.segmentNumbers.push(segment.segmentNumber);
  }
  return layers;
}

/** Paints segments into one label array.
 * @returns for every pair that meets, the voxels that both claim; with the rule 'stop' the first such voxel only */
export function paintTogether(
  segments: readonly SegmentFrames[],
  voxels: Labels,
  sliceSize: number,
  rule: Overlap['rule'],
): { readonly labels: readonly [there: number, coming: number]; readonly voxelCount: number }[] {
  const pairs = [];
  for (const { segmentNumber, frames } of segments) {
    const met = new Map<number, number>();
    const isDone = frames.every(({ sliceIndex, paint }) =>
      paint(sliceOf(voxels, sliceIndex, sliceSize), segmentNumber, { rule, met }),
    );
    for (const [there, voxelCount] of met) pairs.push({ labels: [there, segmentNumber] as const, voxelCount });
    if (!isDone) break;
  }
  return pairs;
}

function paintOrUndo(voxels: Labels, { segmentNumber, frames }: SegmentFrames, sliceSize: number): boolean {
  const overlap = { rule: 'stop', met: new Map<number, number>() } as const;
  const stop = frames.findIndex(
    ({ sliceIndex, paint }) => !paint(sliceOf(voxels, sliceIndex, sliceSize), segmentNumber, overlap),
  );
  if (stop < 0) return true;
  for (const { sliceIndex } of frames.slice(0, stop + 1)) {
    const slice = sliceOf(voxels, sliceIndex, sliceSize);
    for (let at = 0; at < slice.length; at++) if (slice[at] === segmentNumber) slice[at] = 0;
  }
  return false;
}

function sliceOf(voxels: Labels, k: number, sliceSize: number): Labels {
  return voxels.subarray(k * sliceSize, (k + 1) * sliceSize);
}
