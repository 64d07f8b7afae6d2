import type { InferenceSession } from '../inference/backend.ts';
import type { SegmentationResult } from '../labelmap/segmentation-result.ts';
import { flipSliceIndex, sourceSlice, viewGrid } from '../volume/reorient.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { acceptModel } from './check-model.ts';
import { scoringOf } from './classify.ts';
import { assertFiniteVoxels } from './intensity.ts';
import { postProcess } from './post-process.ts';
import { createInputPreparer, placeViews } from './preprocess.ts';
import { createSegments, createTarget, emptyNotice, meanUncertainty } from './result.ts';
import { runAhead } from './run-ahead.ts';
import { assertSliceOrder, firstToLast } from './slice-order.ts';
import { createSliceDecoder, listRuns } from './slice-runs.ts';
import { PLAIN_VIEW, testTimeViews } from './test-time-augmentation.ts';

export interface SegmentVolumeOptions {
  readonly session: InferenceSession;
  /** Name and version of the calling software, for the provenance. */
  readonly softwareVersion: string;
  /** The order in which slices are segmented, by their index along the volume's axis that the model slices (k, unless
   * the manifest names a patient axis). Default: first to last; see outwardFrom. */
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
  readonly total: number;
  readonly elapsedMs: number;
}

/** Segments a volume slice by slice: START HERE.
 *
 * Preparing and decoding happen while the model is running; memory beyond the result stays at a few slices.
 * @throws ModelError `model-mismatch` unless forced; InputError `invalid-voxels` (NaN, infinity), `invalid-arguments`
 * (order); InternalError `inference-failed`; the signal's reason, after the run in flight */
export async function segmentVolume(volume: Volume, options: SegmentVolumeOptions): Promise<SegmentationResult> {
  const { session, signal, tta = false, force = false, keepProbabilities = false } = options;
  const { manifest } = session.model;
  const { geometry } = volume;
  const clock = startClock();

  signal?.throwIfAborted();
  const warnings = acceptModel(manifest, volume, force);
  assertFiniteVoxels(volume);

  const grid = viewGrid(geometry, manifest.input.sliceAxis, manifest.input.orientation);
  const order = options.order ?? firstToLast(grid.slices);
  assertSliceOrder(order, grid.slices);
  const views = placeViews(tta ? testTimeViews(manifest.tta) : [PLAIN_VIEW], grid, manifest);
  if (tta && views.length === 1) warnings.push(NO_VIEWS);

  const prepare = createInputPreparer(volume, grid, manifest);
  const target = createTarget(geometry, manifest, keepProbabilities);
  const decode = createSliceDecoder(views, grid, scoringOf(manifest), target);

  const runs = listRuns(
    order.map((index) => flipSliceIndex(grid, index)),
    views,
  );
  const backendPerSlice = new Array<string>(grid.slices).fill(session.backendId);
  let [inferenceMs, sliceMs, done] = [0, 0, 0];
  for await (const { task, scores, backendId, durationMs } of runAhead(session, runs, prepare, signal)) {
    decode(task, scores);
    inferenceMs += durationMs;
    sliceMs += durationMs;
    if (!task.endsSlice) continue;

    const index = flipSliceIndex(grid, task.slice);
    backendPerSlice[index] = backendId;
    options.onSlice?.({
      index,
      labels: sourceSlice(target.labels, geometry, grid.sliceAxis, index),
      uncertainty: sourceSlice(target.uncertainty, geometry, grid.sliceAxis, index),
      backendId,
      durationMs: sliceMs,
    });
    options.onProgress?.({ done: ++done, total: grid.slices, elapsedMs: clock.elapsedMs() });
    sliceMs = 0;
  }

  warnings.push(...postProcess(target.labels, geometry, manifest), ...emptyNotice(target, geometry, manifest));
  return {
    labelmap: { geometry, voxels: target.labels, segments: createSegments(manifest) },
    uncertainty: { voxels: target.uncertainty, perSlice: meanUncertainty(target, geometry) },
    ...(target.probabilities && { probabilities: target.probabilities }),
    provenance: {
      modelId: manifest.id,
      modelVersion: manifest.version,
      modelTitle: manifest.title,
      modelSha256: manifest.file.sha256,
      softwareVersion: options.softwareVersion,
      backendPerSlice,
      startedAt: clock.startedAt,
      durationMs: clock.elapsedMs(),
      inferenceMs,
      viewsPerSlice: views.length,
    },
    warnings,
  };
}

const NO_VIEWS: Notice = {
  code: 'no-test-time-views',
  message: 'The model allows no test-time augmentation: each slice was run once.',
};

function startClock(): { startedAt: string; elapsedMs(): number } {
  const start = performance.now();
  return { startedAt: new Date().toISOString(), elapsedMs: () => performance.now() - start };
}
