import type { ModelManifest, Notice } from '../../src/index.ts';
import type { DeviceReport } from '../../src/browser/device-report.ts';
import type { DownloadFormat, Possibility, SaveStage, SaveState } from './store/save-outcome.ts';
import type { EditTool, Series, ViewerSegment } from './viewer.ts';

/** Everything the panel shows. It lives outside the panel: a run goes on while the panel is closed. */
export interface PanelState {
  /** Undefined until the list has been read. */
  readonly models: readonly ModelEntry[] | undefined;
  readonly selectedModelId: string | undefined;
  /** In the active viewport. */
  readonly series: Series | undefined;
  readonly scope: Scope;
  readonly run: RunState | undefined;
  readonly editTool: EditTool | undefined;
  readonly save: SaveProgress | undefined;
  /** Of the series in view. */
  readonly segmentations: readonly SegmentationEntry[];
  readonly notices: readonly ShownNotice[];
  /** What a screen reader says next. */
  readonly announcement: string;
}

export interface ModelEntry {
  readonly folderUrl: string;
  readonly manifest: ModelManifest;
  /** Measured when the model is opened. */
  readonly device?: DeviceReport;
}

/** Which slices a run covers, in the viewer's order; a range includes both ends. */
export type Scope =
  | { readonly kind: 'series' }
  | { readonly kind: 'slice' }
  | { readonly kind: 'range'; readonly first: number; readonly last: number };

export interface RunState {
  readonly seriesId: string;
  readonly modelId: string;
  readonly phase: 'opening' | 'reading' | 'running' | 'cancelling';
  /** Of the model's file, while it is fetched. */
  readonly loaded?: { readonly loadedBytes: number; readonly totalBytes: number };
  /** Slices; total is 0 until it is known. */
  readonly done: number;
  readonly total: number;
  readonly slicesPerSecond?: number;
  readonly secondsLeft?: number;
}

/** What is being stored or downloaded. */
export interface SaveProgress {
  readonly segmentationId: string;
  readonly to: 'pacs' | DownloadFormat;
  readonly stage: SaveStage;
}

export interface SegmentationEntry {
  readonly segmentationId: string;
  readonly label: string;
  readonly isActive: boolean;
  readonly segments: readonly SegmentRow[];
  /** Slices in the viewer's order, the least certain first; empty where no model ran in this session. */
  readonly leastCertain: readonly UncertainSlice[];
  readonly isUncertaintyShown: boolean;
  /** Whether the PACS has it as it is here. */
  readonly saveState: SaveState;
  readonly canSave: Possibility;
}

export interface SegmentRow extends ViewerSegment {
  readonly figures?: ShownFigures;
}

export interface ShownFigures {
  readonly volumeMl: number;
  /** Why the volume is a lower bound, to be read after it: "cut at the superior edge"; empty for what is whole. */
  readonly lacks: string;
  /** Of the image's modality values inside; undefined for an empty segment. */
  readonly mean?: number;
  readonly standardDeviation?: number;
  /** HU; undefined where values have none. */
  readonly unit?: string;
}

export interface UncertainSlice {
  readonly slice: number;
  /** 0…1, the Dice that the slice may lack by what its voxels say. */
  readonly uncertainty: number;
}

export interface ShownNotice {
  readonly id: number;
  readonly severity: 'info' | 'warning' | 'error';
  readonly message: string;
  /** What the user can do. */
  readonly remedy?: string;
  readonly code: Notice['code'];
}

export const emptyState: PanelState = {
  models: undefined,
  selectedModelId: undefined,
  series: undefined,
  scope: { kind: 'series' },
  run: undefined,
  editTool: undefined,
  save: undefined,
  segmentations: [],
  notices: [],
  announcement: '',
};
