import type { InferenceSession } from '../inference/backend.ts';
import type { Provenance, SegmentationResult } from '../labelmap/segmentation-result.ts';
import { manifestSha256 } from '../models/load-model.ts';
import { placeSlice, sourceSlice } from '../volume/reorient.ts';
import type { Notice, Volume, VoxelArray } from '../volume/volume.ts';
import { type FinishedVolume, postprocessVolume } from './postprocess.ts';
import { type DecodedSlice, segmentSlices, type SliceSegmentation } from './segment-slices.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { classCount } from '../models/manifest-facts.ts';
import { type Axis, type VolumeGeometry, voxelCount } from '../volume/geometry.ts';
import { createVoxelTarget, type VoxelTarget } from './classify.ts';
import { createSegments } from './result.ts';

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
  return collector.finish(run, postprocessVolume(target, geometry, manifest, run), run.warnings);
}

export interface SliceCollectorOptions {
  readonly geometry: VolumeGeometry;
  readonly manifest: ModelManifest;
  readonly keepProbabilities: boolean;
  readonly softwareVersion: string;
  /** Of the manifest's canonical JSON. */
  readonly manifestSha256: string;
}

/** Puts slices together to a result. */
export interface SliceCollector {
  /** The volume so far: what was not added is background. */
  readonly target: VoxelTarget;
  readonly elapsedMs: number;
  add(slice: DecodedSlice, plan: Pick<SliceSegmentation, 'sliceAxis'>): void;
  /** After the last slice. */
  finish(
    plan: Pick<SliceSegmentation, 'sliceAxis' | 'sliceCount' | 'viewsPerSlice'>,
    finished: FinishedVolume,
    warnings: readonly Notice[],
  ): SegmentationResult;
}

export function createSliceCollector(options: SliceCollectorOptions): SliceCollector {
  const { geometry, manifest, keepProbabilities, softwareVersion, manifestSha256 } = options;
  const start = performance.now();
  const startedAt = new Date().toISOString();
  const count = voxelCount(geometry);
  const target = createVoxelTarget(count, classCount(manifest), keepProbabilities);
  const backends = new Map<number, string>();
  let inferenceMs = 0;
  return {
    target,
    get elapsedMs() {
      return performance.now() - start;
    },
    add({ index, labels, uncertainty, probabilities, backendId, durationMs }, { sliceAxis }) {
      placeMarked(labels, target.labels, geometry, sliceAxis, index);
      placeMarked(uncertainty, target.uncertainty, geometry, sliceAxis, index);
      for (let c = 0; probabilities && target.probabilities && c < classCount(manifest); c++) {
        const ofClass = probabilities.subarray(c * labels.length, (c + 1) * labels.length);
        placeSlice(ofClass, target.probabilities.subarray(c * count, (c + 1) * count), geometry, sliceAxis, index);
      }
      backends.set(index, backendId);
      inferenceMs += durationMs;
    },
    finish({ sliceAxis, sliceCount, viewsPerSlice }, { labels, uncertainty, perSlice, notices }, warnings) {
      const provenance: Provenance = {
        modelId: manifest.id,
        modelVersion: manifest.version,
        modelTitle: manifest.title,
        modelSha256: manifest.file.sha256,
        manifestSha256,
        softwareVersion,
        backendPerSlice: Array.from({ length: sliceCount }, (_, index) => backends.get(index) ?? ''),
        ...(backends.size < sliceCount && {
          slicesRun: { axis: sliceAxis, slices: [...backends.keys()].sort((a, b) => a - b) },
        }),
        startedAt,
        durationMs: performance.now() - start,
        inferenceMs,
        viewsPerSlice,
      };
      return {
        labelmap: { geometry, voxels: labels, segments: createSegments(manifest) },
        uncertainty: { voxels: uncertainty, perSlice },
        ...(target.probabilities && { probabilities: target.probabilities }),
        provenance,
        warnings: [...warnings, ...notices],
      };
    },
  };
}

/** Where a system gives out memory, in voxels of a byte. */
const PAGE = 4096;

/** Puts a slice into a volume of zeros without writing zeros where there is nothing else: most of a labelmap and of its
 * uncertainty is never written to then, and takes no memory. */
function placeMarked(
  slice: VoxelArray,
  voxels: VoxelArray,
  geometry: VolumeGeometry,
  sliceAxis: Axis,
  index: number,
): void {
  if (sliceAxis !== 2) {
    placeSlice(slice, voxels, geometry, sliceAxis, index);
    return;
  }
  for (let from = 0; from < slice.length; from += PAGE) {
    const part = slice.subarray(from, from + PAGE);
    if (isMarked(part)) voxels.set(part, index * slice.length + from);
  }
}

function isMarked(part: VoxelArray): boolean {
  for (let at = 0; at < part.length; at++) if (part[at] !== 0) return true;
  return false;
}
