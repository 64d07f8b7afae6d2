import {
  outwardFrom,
  sliceView,
  stackedAxis,
  type ModelManifest,
  type SegmentationResult,
  type SegmentVolumeOptions,
  type Volume,
} from '../../src/index.ts';
import type { LabelmapTarget } from './labelmap-target.ts';
import { createPacer, timed } from './main-thread.ts';

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
  readonly volume: Volume;
  readonly target: LabelmapTarget;
  /** The slice to begin with: the one that is looked at. */
  readonly firstSlice: number;
  /** Only these slices. Default: all. A model that cuts the volume along another axis runs over all of it. */
  readonly slices?: readonly number[];
}

/** Runs a model into a segmentation of the page, from the slice that is looked at outward, as one step of undo.
 * What is done when the run is cancelled, fails or is undone stays, and can be undone.
 * @throws as segmentVolume; the signal's reason */
export async function runModel<Session extends { readonly model: { readonly manifest: ModelManifest } }>(
  options: RunModelOptions<Session>,
): Promise<SegmentationResult> {
  const { client, session, volume, target, firstSlice, slices, signal, softwareVersion } = options;
  const { tta, force, onProgress } = options;
  const start = performance.now();
  const undone = new AbortController();
  const replacement = target.replace({
    onUndo(isUndone) {
      if (isUndone) undone.abort(new DOMException('The run was undone.', 'AbortError'));
    },
  });
  const write = (k: number, labels: Uint8Array | Uint16Array): void => {
    if (undone.signal.aborted) return;
    timed('write-slice', () => {
      replacement.write(k, labels);
    });
  };

  // Slices across the page's own cannot be shown one by one.
  const isAlongImages = stackedAxis(volume.geometry, session.model.manifest.input.sliceAxis) === 2;
  const all = outwardFrom(firstSlice, target.sliceCount);
  const order = isAlongImages && slices !== undefined ? all.filter((k) => slices.includes(k)) : all;
  const result = await client.segmentVolume(volume, {
    session,
    softwareVersion,
    signal: signal === undefined ? undone.signal : AbortSignal.any([signal, undone.signal]),
    ...(tta !== undefined && { tta }),
    ...(force !== undefined && { force }),
    ...(onProgress !== undefined && { onProgress }),
    ...(isAlongImages && {
      order,
      onSlice: ({ index, labels }) => {
        write(index, labels);
      },
    }),
  });
  // Post-processing in 3D may have changed any slice after it was shown.
  const pacer = createPacer();
  for (const k of order) {
    write(k, sliceView(result.labelmap.voxels, result.labelmap.geometry, k));
    await pacer.pause(signal);
  }
  undone.signal.throwIfAborted();
  target.flush();
  const { inferenceMs } = result.provenance;
  performance.measure('slicewise:run', {
    start,
    end: performance.now(),
    detail: { inferenceMs, slices: order.length },
  });
  return result;
}
