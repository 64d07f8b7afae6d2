import type { Notice } from '../volume/volume.ts';
import type { SlicesRun } from './measure.ts';
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

/** Mean uncertainty of the voxels of each label, from 0 to 1 (entropy / ln classes); empty segments have none. */
export function meanUncertainty({
  labelmap: { voxels },
  uncertainty,
}: Pick<SegmentationResult, 'labelmap' | 'uncertainty'>): Map<number, number> {
  const sums = new Map<number, { count: number; sum: number }>();
  let current = { count: 0, sum: 0 };
  for (let at = 0, label = 0; at < voxels.length; at++) {
    const here = voxels[at] ?? 0;
    if (here === 0) continue;
    if (here !== label) {
      label = here;
      current = sums.get(label) ?? { count: 0, sum: 0 };
      sums.set(label, current);
    }
    current.count++;
    current.sum += uncertainty.voxels[at] ?? 0;
  }
  return new Map([...sums].map(([label, { count, sum }]) => [label, sum / count / 255]));
}

/** A new DICOM UID from a random UUID: 2.25 and the UUID as one integer, no registered root needed (PS3.5 B.2). */
export function createUid(): string {
  return `2.25.${BigInt(`0x${crypto.randomUUID().replaceAll('-', '')}`).toString()}`;
}
