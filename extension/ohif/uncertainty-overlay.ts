import { sliceView, type SegmentationResult } from '../../src/index.ts';
import { openLabelmapSlices } from '../cornerstone/labelmap-slices.ts';
import type { Rgba } from './host.ts';
import type { FinishedJob } from './run-job.ts';
import { texts } from './texts.ts';
import type { NewSegmentation, Series, Viewer } from './viewer.ts';

/** One step of the scale that uncertainty is shown in. */
interface Level {
  /** Of the normalised entropy, 0…1; the level goes up to the next one's. */
  readonly from: number;
  readonly colour: Rgba;
}

/** Steps of the "inferno" map: they rise in brightness, so that they are told apart without colour vision and on paper.
 * Below the first the whole background of a calibrated model would be painted. */
export const uncertaintyLevels: readonly [Level, ...Level[]] = [
  { from: 0.3, colour: [101, 21, 110, 255] },
  { from: 0.4, colour: [159, 42, 99, 255] },
  { from: 0.5, colour: [212, 72, 66, 255] },
  { from: 0.6, colour: [245, 125, 21, 255] },
  { from: 0.7, colour: [250, 193, 39, 255] },
  { from: 0.8, colour: [252, 255, 164, 255] },
];

const PREFIX = 'slicewise-uncertainty:';

/** Whether a segmentation of the viewer is such an overlay: nothing to edit or store. */
export function isUncertainty(segmentationId: string): boolean {
  return segmentationId.startsWith(PREFIX);
}

export function uncertaintyIdOf(segmentationId: string): string {
  return `${PREFIX}${segmentationId}`;
}

/** Shows how uncertain a run was over the image: a labelmap of its own whose segments are the steps of a scale, so that
 * the viewer draws it in stacks and volumes alike. The segmentation stays the active one. */
export async function showUncertainty(viewer: Viewer, series: Series, run: FinishedJob): Promise<void> {
  const overlay: NewSegmentation = {
    segmentationId: uncertaintyIdOf(run.segmentationId),
    label: texts.uncertaintyOf(run.result.provenance.modelTitle),
    isBackdrop: true,
    segments: uncertaintyLevels.map(({ from, colour }, at) => ({
      segmentNumber: at + 1,
      label: texts.uncertaintyFrom(from),
      colour,
    })),
  };
  const { segmentationId } = overlay;
  await viewer.createSegmentation(series, overlay);
  const slices = openLabelmapSlices(viewer.cornerstone, {
    segmentationId,
    imageIds: series.imageIds,
    sliceOfImage: run.sliceOfImage,
  });
  for (const k of run.slices) writeLevels(run.result, k, slices.labels(k));
  await viewer.showSegmentation(series, overlay);
  viewer.activate(run.segmentationId);
}

function writeLevels({ uncertainty, labelmap }: SegmentationResult, k: number, labels: Uint8Array): void {
  const values = sliceView(uncertainty.voxels, labelmap.geometry, k);
  for (let at = 0; at < labels.length; at++) labels[at] = LEVEL_OF[values[at] ?? 0] ?? 0;
}

/** The level of each 8-bit uncertainty; 0 below the first. */
const LEVEL_OF = Uint8Array.from(
  { length: 256 },
  (_, value) => uncertaintyLevels.filter(({ from }) => value >= from * 255).length,
);
