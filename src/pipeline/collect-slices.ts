import type { Provenance, SegmentationResult } from '../labelmap/segmentation-result.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { classCount } from '../models/output-shape.ts';
import { voxelCount, type VolumeGeometry } from '../volume/geometry.ts';
import { placeSlice } from '../volume/reorient.ts';
import type { Notice } from '../volume/volume.ts';
import { createVoxelTarget, type VoxelTarget } from './classify.ts';
import type { FinishedVolume } from './finish-volume.ts';
import { createSegments } from './result.ts';
import type { DecodedSlice, SliceSegmentation } from './segment-slices.ts';

export interface SliceCollectorOptions {
  readonly geometry: VolumeGeometry;
  readonly manifest: ModelManifest;
  readonly keepProbabilities: boolean;
  readonly softwareVersion: string;
}

/** Puts slices together to a result. */
export interface SliceCollector {
  /** The volume so far: what was not added is background. */
  readonly target: VoxelTarget;
  readonly elapsedMs: number;
  add(slice: DecodedSlice, plan: Pick<SliceSegmentation, 'sliceAxis'>): void;
  /** After the last slice. */
  finish(
    plan: Pick<SliceSegmentation, 'sliceCount' | 'viewsPerSlice'>,
    finished: FinishedVolume,
    warnings: readonly Notice[],
  ): SegmentationResult;
}

export function createSliceCollector(options: SliceCollectorOptions): SliceCollector {
  const { geometry, manifest, keepProbabilities, softwareVersion } = options;
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
      placeSlice(labels, target.labels, geometry, sliceAxis, index);
      placeSlice(uncertainty, target.uncertainty, geometry, sliceAxis, index);
      for (let c = 0; probabilities && target.probabilities && c < classCount(manifest); c++) {
        const ofClass = probabilities.subarray(c * labels.length, (c + 1) * labels.length);
        placeSlice(ofClass, target.probabilities.subarray(c * count, (c + 1) * count), geometry, sliceAxis, index);
      }
      backends.set(index, backendId);
      inferenceMs += durationMs;
    },
    finish({ sliceCount, viewsPerSlice }, { labels, uncertainty, perSlice, notices }, warnings) {
      const provenance: Provenance = {
        modelId: manifest.id,
        modelVersion: manifest.version,
        modelTitle: manifest.title,
        modelSha256: manifest.file.sha256,
        softwareVersion,
        backendPerSlice: Array.from({ length: sliceCount }, (_, index) => backends.get(index) ?? ''),
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
