import type { Provenance, SegmentationResult } from '../labelmap/segmentation-result.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { classCount } from '../models/output-shape.ts';
import { voxelCount, type Axis, type VolumeGeometry } from '../volume/geometry.ts';
import { placeSlice } from '../volume/reorient.ts';
import type { Notice, VoxelArray } from '../volume/volume.ts';
import { createVoxelTarget, type VoxelTarget } from './classify.ts';
import type { FinishedVolume } from './finish-volume.ts';
import { createSegments } from './result.ts';
import type { DecodedSlice, SliceSegmentation } from './segment-slices.ts';

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
