import {
  outwardFrom,
  sliceView,
  type SegmentationResult,
  type SegmentVolumeOptions,
  type Volume,
} from '../../src/index.ts';
import type { LabelmapTarget } from './labelmap-target.ts';

/** Whatever segments a volume with a session of its own: the worker's client. */
export interface VolumeSegmenter<Session> {
  segmentVolume(
    volume: Volume,
    options: Omit<SegmentVolumeOptions, 'session'> & { readonly session: Session },
  ): Promise<SegmentationResult>;
}

export interface RunModelOptions<Session> extends Pick<
  SegmentVolumeOptions,
  'softwareVersion' | 'tta' | 'force' | 'signal' | 'onProgress'
> {
  readonly client: VolumeSegmenter<Session>;
  readonly session: Session;
  /** Its voxels may be transferred away. */
  readonly volume: Volume;
  readonly target: LabelmapTarget;
  /** The slice to begin with: the one that is looked at. */
  readonly firstSlice: number;
  /** Only these slices. Default: all. */
  readonly slices?: readonly number[];
}

/** Runs a model into a segmentation of the page, from the slice that is looked at outward, as one step of undo.
 * What is done when the run is cancelled, fails or is undone stays, and can be undone.
 * @throws as segmentVolume; the signal's reason */
export async function runModel<Session>(options: RunModelOptions<Session>): Promise<SegmentationResult> {
  const { client, session, volume, target, firstSlice, slices, signal } = options;
  const [, , count] = volume.geometry.dimensions;
  const undone = new AbortController();
  const replacement = target.replace({
    onUndo(isUndone) {
      if (isUndone) undone.abort(new DOMException('The run was undone.', 'AbortError'));
    },
  });
  const order = outwardFrom(firstSlice, count).filter((k) => slices?.includes(k) ?? true);
  const result = await client.segmentVolume(volume, {
    session,
    softwareVersion: options.softwareVersion,
    order,
    signal: signal === undefined ? undone.signal : AbortSignal.any([signal, undone.signal]),
    ...(options.tta !== undefined && { tta: options.tta }),
    ...(options.force !== undefined && { force: options.force }),
    ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
    onSlice: ({ index, labels }) => {
      if (!undone.signal.aborted) replacement.write(index, labels);
    },
  });
  // Post-processing in 3D may have changed any slice after it was shown.
  for (const k of order) replacement.write(k, sliceView(result.labelmap.voxels, result.labelmap.geometry, k));
  target.flush();
  return result;
}
