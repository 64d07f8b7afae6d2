import type { Provenance, Segment } from '../../../src/index.ts';
import type { DownloadFormat, Possibility, SaveOutcome, SaveStage, SaveState } from './save-outcome.ts';

/** Stores the viewer's segmentations as DICOM-SEGs, and hands them out as files. */
export interface SegStore {
  /** Whether the active data source can store; where it cannot, a download still can. */
  canSave(): Possibility;
  /** Stores a new instance, reads it back and compares it with what was in the viewer when the save began. A second
   * call during a save joins it. */
  save(segmentationId: string, options?: SaveOptions): Promise<SaveOutcome>;
  /** Encodes what is in the viewer, verifies the bytes and hands them to the browser as a file.
   * @throws SegmentationError where the format cannot hold it; AbortError */
  download(segmentationId: string, format: DownloadFormat, options?: SaveOptions): Promise<void>;
  /** Says what a model's run wrote into a segmentation; without it, its segments count as drawn by hand. */
  describe(segmentationId: string, result: RunDescription): void;
  state(segmentationId: string): SaveState;
  /** Calls the listener when a segmentation's state changes; returns what ends that. */
  onChange(listener: (segmentationId: string, state: SaveState) => void): () => void;
}

export interface SaveOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (stage: SaveStage) => void;
}

/** The parts of a result that its voxels do not say. */
export interface RunDescription {
  /** segmentNumber is the segment's index in the viewer. */
  readonly segments: readonly Segment[];
  readonly provenance: Provenance;
}
