import type { ModelManifest } from '../models/manifest.ts';
import { classCount } from '../models/output-shape.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import { stackedAxis } from '../volume/reorient.ts';
import type { Notice } from '../volume/volume.ts';
import type { VoxelTarget } from './classify.ts';
import { postProcess } from './post-process.ts';
import { emptyNotice } from './result.ts';
import type { SliceSegmentation } from './segment-slices.ts';
import { sliceUncertainty } from './slice-uncertainty.ts';

/** A volume's labels and what is only known when all slices are there. */
export interface FinishedVolume extends Pick<VoxelTarget, 'labels' | 'uncertainty'> {
  /** As in SegmentationResult.uncertainty. */
  readonly perSlice: Float32Array;
  readonly notices: readonly Notice[];
}

/** Cleans the labels in place by the manifest's rules, and sums up.
 *
 * The rules judge whole organs (the largest component, a least volume), so that labels of some slices only stay as the
 * model gave them; a notice says so where the manifest has rules. */
export function finishVolume(
  target: VoxelTarget,
  geometry: VolumeGeometry,
  manifest: ModelManifest,
  { order, sliceCount }: Pick<SliceSegmentation, 'order' | 'sliceCount'>,
): FinishedVolume {
  const isWhole = order.length === sliceCount;
  const cleaning = isWhole
    ? postProcess(target.labels, geometry, manifest)
    : partialNotice(manifest, order, sliceCount);
  const notices = [...cleaning, ...emptyNotice(target, geometry, manifest)];
  return {
    labels: target.labels,
    uncertainty: target.uncertainty,
    perSlice: ofSlicesRun(sliceUncertainty(target, geometry, classCount(manifest)), geometry, manifest, order),
    notices,
  };
}

/** A slice that was not run has no certainty: NaN. Where the model slices along another axis than k, each slice along k is
 * run in part, or none is. */
function ofSlicesRun(
  perSlice: Float32Array,
  geometry: VolumeGeometry,
  { input }: ModelManifest,
  order: readonly number[],
): Float32Array {
  const wasRun = new Set(order);
  const isAlongK = stackedAxis(geometry, input.sliceAxis) === 2;
  return perSlice.map((value, k) => ((isAlongK ? wasRun.has(k) : wasRun.size > 0) ? value : NaN));
}

function partialNotice({ postProcess }: ModelManifest, { length }: readonly number[], count: number): Notice[] {
  if (postProcess.length === 0) return [];
  const message = `Only ${length} of ${count} slices were run: the model's cleaning of stray pieces needs all of them and was left out.`;
  return [{ code: 'partial-run', message }];
}
