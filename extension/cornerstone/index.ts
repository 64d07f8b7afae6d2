// The bridge between Slicewise and a page with Cornerstone3D, OHIF's or one's own.
export type { CornerstoneHost } from './host.ts';
export { readVolume, type ReadVolumeOptions, type ReadVolumeResult } from './read-volume.ts';
export { createLabelmapTarget, type LabelmapTarget } from './labelmap-target.ts';
export { runModel, type RunModelOptions, type VolumeSegmenter } from './run-model.ts';
