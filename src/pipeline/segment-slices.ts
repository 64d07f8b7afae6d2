import type { InferenceSession } from '../inference/backend.ts';
import type { Axis } from '../volume/geometry.ts';
import { flipSliceIndex, viewGrid } from '../volume/reorient.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { scoringOf, type VoxelTarget } from './classify.ts';
import { assertFiniteVoxels, createInputPreparer, placeViews } from './preprocess.ts';
import { createNeighbourMixer } from './neighbour-scores.ts';
import { prefetchRuns } from './prefetch.ts';
import {
  assertSliceOrder,
  createSliceDecoder,
  firstToLast,
  listRuns,
  PLAIN_VIEW,
  testTimeViews,
} from './slice-runs.ts';
import { ModelError } from '../errors.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { bodyRegions, unlikeTraining } from './unlike-training.ts';

export interface SegmentSlicesOptions {
  readonly session: InferenceSession;
  readonly order?: readonly number[];
  readonly tta?: boolean;
  readonly force?: boolean;
  readonly keepProbabilities?: boolean;
  readonly signal?: AbortSignal;
}

/** What is known of a run before its first slice. */
export interface SliceSegmentation {
  /** The index axis of the volume that the model slices. */
  readonly sliceAxis: Axis;
  /** Of the volume along that axis. */
  readonly sliceCount: number;
  /** The slices that will be labelled, all or some. */
  readonly order: readonly number[];
  readonly viewsPerSlice: number;
  /** Runs of the model from one slice to the next, at most: windows of all views, and of neighbours that it needs. */
  readonly runsPerSlice: number;
  readonly warnings: readonly Notice[];
  /** @throws what the session's run throws; the signal's reason, after the runs in flight */
  slices(): AsyncGenerator<DecodedSlice, void, undefined>;
}

/** One slice in the volume's own voxel order, the faster axis first. Its arrays hold until the next slice is asked for,
 * and may be transferred away. */
export interface DecodedSlice extends VoxelTarget {
  /** Along the axis that the model slices, as in `order`. */
  readonly index: number;
  readonly backendId: string;
  /** Of session.run, as far as it did not overlap with the run before. */
  readonly durationMs: number;
}

/** Checks that a model can be run on a volume, and then runs it slice by slice.
 *
 * Preparing and decoding happen while the model is running; memory stays at a few slices.
 * @throws ModelError `model-mismatch` unless forced; InputError `invalid-voxels` (NaN, infinity), `invalid-arguments`
 * (order) */
export function segmentSlices(volume: Volume, options: SegmentSlicesOptions): SliceSegmentation {
  const { session, signal, tta = false, force = false, keepProbabilities = false } = options;
  const { manifest } = session.model;
  const warnings = acceptModel(manifest, volume, force);
  assertFiniteVoxels(volume);

  const grid = viewGrid(volume.geometry, manifest.input.sliceAxis, manifest.input.orientation);
  const order = options.order ?? firstToLast(grid.slices);
  assertSliceOrder(order, grid.slices);
  const { neighbourWeight = 0 } = manifest.output;
  const views = placeViews(tta ? testTimeViews(manifest.tta) : [PLAIN_VIEW], grid, manifest);
  if (tta && views.length === 1) warnings.push(NO_VIEWS);

  return {
    sliceAxis: grid.sliceAxis,
    sliceCount: grid.slices,
    order,
    viewsPerSlice: views.length,
    runsPerSlice: views.reduce((sum, { windows }) => sum + windows.length, 0) * (neighbourWeight > 0 ? 3 : 1),
    warnings,
    async *slices() {
      const prepare = createInputPreparer(volume, grid, manifest, session.runsUnderWay);
      const decode = createSliceDecoder(views, grid, scoringOf(manifest), keepProbabilities);
      const slices = order.map((index) => flipSliceIndex(grid, index));
      const mixer = createNeighbourMixer(slices, grid.slices, neighbourWeight);
      let sliceMs = 0;
      for await (const run of prefetchRuns(session, listRuns(mixer.toRun, views), prepare, signal)) {
        sliceMs += run.durationMs;
        for (const { task, scores } of mixer.add(run)) {
          const decoded = decode(task, scores);
          if (decoded === undefined) continue;
          yield { index: flipSliceIndex(grid, task.slice), ...decoded, backendId: run.backendId, durationMs: sliceMs };
          sliceMs = 0;
        }
      }
    },
  };
}

const NO_VIEWS: Notice = {
  code: 'no-test-time-views',
  message: 'The model allows no test-time augmentation: each slice was run once.',
};

/** What speaks against a model for a volume. */
export interface ModelCheck {
  /** Known contradictions, each a sentence. */
  readonly mismatches: readonly string[];
  /** What the volume does not say. */
  readonly unknowns: readonly Notice[];
}

/** Compares what a model is for with what a volume says of itself: modality, body part. */
export function checkModel(
  { input }: ModelManifest,
  { modality, bodyPartExamined }: Pick<Volume, 'modality' | 'bodyPartExamined'>,
): ModelCheck {
  const mismatches: string[] = [];
  const unknowns: Notice[] = [];

  const expected = input.modality.join(' or ');
  if (!modality) {
    const message = `The image does not say its modality; the model is for ${expected}.`;
    unknowns.push({ code: 'unknown-modality', message });
  } else if (!input.modality.includes(modality)) {
    mismatches.push(`the image's modality is ${modality}, the model's ${expected}`);
  }

  const region = input.bodyPart.join(' or ');
  const covered = bodyRegions(input.bodyPart);
  const shown = bodyRegions(bodyPartExamined ? [bodyPartExamined] : []);
  if (covered.size === 0 || shown.size === 0) {
    const said = bodyPartExamined
      ? `calls its body part "${bodyPartExamined}"`
      : 'does not say what body part it shows';
    const message = `The image ${said}; the model is for ${region}.`;
    unknowns.push({ code: 'unknown-body-part', message });
  } else if (![...covered].some((region) => shown.has(region))) {
    mismatches.push(`the image shows ${String(bodyPartExamined)}, the model is for ${region}`);
  }
  return { mismatches, unknowns };
}

/** What to warn of where a model may be run on a volume.
 * @param force run it in spite of contradictions: they become warnings
 * @throws ModelError `model-mismatch` */
export function acceptModel(manifest: ModelManifest, volume: Volume, force: boolean): Notice[] {
  const { mismatches, unknowns } = checkModel(manifest, volume);
  const doubts = [...unknowns, ...unlikeTraining(manifest, volume)];
  if (mismatches.length === 0) return doubts;
  const message = `The model ${manifest.id} is not for this image: ${mismatches.join('; ')}.`;
  if (force) return [{ code: 'model-mismatch', message }, ...doubts];
  throw new ModelError('model-mismatch', message, {
    remedy: 'Choose a model for this image; if the image describes itself wrongly, go on in spite of that.',
    details: { option: 'force', mismatches },
  });
}
