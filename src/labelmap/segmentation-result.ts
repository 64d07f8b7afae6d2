import type { Notice } from '../volume/volume.ts';
import type { SlicesRun } from './borders.ts';
import type { Labelmap } from './labelmap.ts';

/** Which model, backend and software made a labelmap, and how long it took. */
export interface Provenance {
  readonly modelId: string;
  readonly modelVersion: string;
  readonly modelTitle: string;
  /** SHA-256 of the ONNX file, lower-case hexadecimal. */
  readonly modelSha256: string;
  /** SHA-256 of the manifest's canonical JSON (RFC 8785): spacing, intensities and classes decide a result as weights do. */
  readonly manifestSha256: string;
  readonly softwareVersion: string;
  /** Id of the backend of each slice along the axis that the model slices; '' for one that was not run. */
  readonly backendPerSlice: readonly string[];
  /** Of a run of some slices only: which, by their index in the volume. */
  readonly slicesRun?: SlicesRun;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** Spent inside session.run. */
  readonly inferenceMs: number;
  /** Views averaged for each slice; 1 without test-time augmentation. */
  readonly viewsPerSlice: number;
  /** Where the last slices were run, and what was not used; in browsers. */
  readonly device?: DeviceRecord;
}

/** The choice of a backend, and why not another. */
export interface DeviceRecord {
  readonly backendId: string;
  /** The graphics card, as far as the browser names it. */
  readonly adapter?: string;
  /** Of the processor. */
  readonly threads: number;
  readonly refused: readonly { readonly backendId: string; readonly reason: string }[];
}

export interface SegmentationResult {
  readonly labelmap: Labelmap;
  readonly uncertainty: {
    /** round(255 · entropy / ln classes) for each voxel, on the labelmap's grid. */
    readonly voxels: Uint8Array;
    /** One figure 0…1 a slice: what that uncertainty lets expect to be missing from a Dice of 1;
     * NaN for a slice that was not run. */
    readonly perSlice: Float32Array;
  };
  /** Per class, i fastest, then j, k, class: round(255 · probability). Only on request. */
  readonly probabilities?: Uint8Array;
  readonly provenance: Provenance;
  readonly warnings: readonly Notice[];
}
