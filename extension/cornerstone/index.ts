// The bridge between Slicewise and a page with Cornerstone3D: OHIF's, or one's own.
export type { CornerstoneHost } from './host.ts';
export {
  readGrid,
  readImageVolume,
  type ReadImageVolumeOptions,
  type ReadImageVolumeResult,
  type SeriesGrid,
} from './read-image-volume.ts';
export { provideOneFrameOfReference } from './frame-of-reference.ts';
export { openLabelmapSlices, type LabelmapPlace, type LabelmapSlices } from './labelmap-slices.ts';
export { createLabelmapTarget, type LabelmapTarget } from './labelmap-target.ts';
export { runModel, type RunModelOptions, type VolumeSegmenter } from './run-model.ts';
export {
  createSegmentStatistics,
  type SegmentFigures,
  type SegmentStatistics,
  type SegmentStatisticsOptions,
} from './segment-statistics.ts';
