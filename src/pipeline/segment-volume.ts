import type { InferenceSession } from '../inference/backend.ts';
import type { SegmentationResult } from '../labelmap/segmentation-result.ts';
import { manifestSha256 } from '../models/canonical-json.ts';
import { sourceSlice } from '../volume/reorient.ts';
import type { Volume } from '../volume/volume.ts';
import { createSliceCollector } from './collect-slices.ts';
import { finishVolume } from './finish-volume.ts';
import { segmentSlices } from './segment-slices.ts';

export interface SegmentVolumeOptions {
  readonly session: InferenceSession;
  /** Name and version of the calling software, for the provenance. */
  readonly softwareVersion: string;
  /** The order in which slices are segmented, by their index along the volume's axis that the model slices (k, unless
   * the manifest names a patient axis). Slices that it leaves out stay background, and are run only where a neighbour
   * needs their scores (manifest.output.neighbourWeight). Default: all, first to last; see outwardFrom. */
  readonly order?: readonly number[];
  /** Average over the flips, rotations and scales that the manifest allows: better and as many times slower. */
  readonly tta?: boolean;
  /** Run a model in spite of a known mismatch with the volume; it becomes a warning. */
  readonly force?: boolean;
  readonly keepProbabilities?: boolean;
  readonly signal?: AbortSignal;
  /** Called with each slice as soon as it is decoded, before the 3D post-processing. */
  readonly onSlice?: (slice: SegmentedSlice) => void;
  readonly onProgress?: (progress: SegmentationProgress) => void;
}

/** One slice in the volume's own voxel order, the faster axis first. */
export interface SegmentedSlice {
  /** Along the axis that the model slices, as in `order`. */
  readonly index: number;
  /** A view into the labelmap to be, where slices are along k; else a copy. Not to be written to. */
  readonly labels: Uint8Array | Uint16Array;
  readonly uncertainty: Uint8Array;
  readonly backendId: string;
  /** Inside session.run. */
  readonly durationMs: number;
}

/** Slices, not runs. */
export interface SegmentationProgress {
  readonly done: number;
  /** Of the slices that `order` names. */
  readonly total: number;
  readonly elapsedMs: number;
}

/** Segments a volume slice by slice: START HERE.
 *
 * Preparing and decoding happen while the model is running; memory beyond the result stays at a few slices. On an abort
 * the slices that were handed over are the caller's to keep: they are what the model said, without post-processing.
 * @throws ModelError `model-mismatch` unless forced; InputError `invalid-voxels` (NaN, infinity), `invalid-arguments`
 * (order); what the session's run throws; the signal's reason, after the runs in flight */
export async function segmentVolume(volume: Volume, options: SegmentVolumeOptions): Promise<SegmentationResult> {
  const { session, signal, softwareVersion, keepProbabilities = false } = options;
  const { manifest } = session.model;
  const { geometry } = volume;
  signal?.throwIfAborted();

  const run = segmentSlices(volume, options);
  const collector = createSliceCollector({
    geometry,
    manifest,
    keepProbabilities,
    softwareVersion,
    manifestSha256: await manifestSha256(manifest),
  });
  const { target } = collector;
  let done = 0;
  for await (const slice of run.slices()) {
    collector.add(slice, run);
    const { index, backendId, durationMs } = slice;
    const labels = sourceSlice(target.labels, geometry, run.sliceAxis, index);
    const uncertainty = sourceSlice(target.uncertainty, geometry, run.sliceAxis, index);
    options.onSlice?.({ index, labels, uncertainty, backendId, durationMs });
    options.onProgress?.({ done: ++done, total: run.order.length, elapsedMs: collector.elapsedMs });
  }
  return collector.finish(run, finishVolume(target, geometry, manifest, run), run.warnings);
}
