import packageJson from '../../package.json' with { type: 'json' };
import type { Notice } from '../../src/index.ts';
import type { SegmentationClient } from '../../src/browser/client.ts';
import { proposeModel } from './fitting-model.ts';
import { createLabelmaps, type Labelmaps } from './labelmaps.ts';
import { listModels } from './model-list.ts';
import { createNotices } from './notices.ts';
import { createCell, type Observable } from './observable.ts';
import { createRunJobs } from './run-job.ts';
import { createSaveJobs } from './save-jobs.ts';
import { activeIn, createSegmentationList } from './segmentation-list.ts';
import { emptyState, type PanelState, type Scope } from './state.ts';
import type { SegStore } from './store/seg-store.ts';
import type { DownloadFormat } from './store/save-outcome.ts';
import type { EditTool, SegmentChange, Viewer } from './viewer.ts';

/** Our part of the page: its state and what can be done with it, from the start of the page to its end. Nothing here
 * depends on the panel being shown. */
export interface Slicewise {
  readonly state: Observable<PanelState>;
  readonly actions: Actions;
  /** The viewer has left the study, and dropped its segmentations. */
  readonly leave: () => void;
}

export interface Actions {
  /** Reads the list of models, once. */
  readonly loadModels: () => void;
  readonly selectModel: (id: string) => void;
  readonly setScope: (scope: Scope) => void;
  readonly run: (options?: { readonly force?: boolean }) => Promise<void>;
  readonly cancel: () => void;
  readonly measure: (modelId: string) => Promise<void>;
  readonly selectSegmentation: (segmentationId: string) => void;
  /** Makes it the active one and shows its centre. */
  readonly goToSegment: (segmentationId: string, segmentNumber: number) => void;
  readonly selectNextSegment: () => void;
  readonly changeSegment: (segmentationId: string, segmentNumber: number, change: SegmentChange) => void;
  /** Chosen again, a tool is put away. */
  readonly chooseEditTool: (tool: EditTool) => void;
  readonly goToSlice: (slice: number) => void;
  readonly showUncertainty: (segmentationId: string, isShown: boolean) => Promise<void>;
  /** @param segmentationId default: the active one */
  readonly save: (segmentationId?: string) => Promise<void>;
  readonly download: (segmentationId: string, format: DownloadFormat) => Promise<void>;
  readonly dismissNotice: (id: number) => void;
}

export interface SlicewiseOptions {
  readonly viewer: Viewer;
  /** Of the folder of models; ends with a slash. */
  readonly modelsUrl: string;
  readonly createClient: (onNotice: (notice: Notice) => void) => SegmentationClient;
  readonly createStore: (labelmaps: Labelmaps, softwareVersion: string) => SegStore;
}

export function createSlicewise({ viewer, modelsUrl, createClient, createStore }: SlicewiseOptions): Slicewise {
  const softwareVersion = packageJson.version;
  const state = createCell<PanelState>(emptyState);
  const notices = createNotices(state);
  const client = createClient((notice) => {
    notices.show('warning', notice);
  });
  const labelmaps = createLabelmaps(viewer, () => {
    segmentations.refresh();
  });
  const store = createStore(labelmaps, softwareVersion);
  const segmentations = createSegmentationList({ state, viewer, labelmaps, notices, store });
  const jobs = createRunJobs({
    state,
    viewer,
    labelmaps,
    notices,
    client,
    store,
    softwareVersion,
    onFinished: segmentations.addRun,
  });
  const saves = createSaveJobs({ state, notices, store });

  viewer.onToolChange(() => {
    state.update({ editTool: viewer.editTool() });
  });

  // Once for each series: what is chosen after that is the user's choice.
  let proposedFor: string | undefined;
  state.subscribe(() => {
    const { models, series, selectedModelId } = state.get();
    const key = `${String(models?.length)} ${series?.id ?? ''}`;
    if (models === undefined || key === proposedFor) return;
    proposedFor = key;
    state.update({ selectedModelId: proposeModel(models, series, selectedModelId)?.manifest.id });
  });

  let modelsRead: Promise<void> | undefined;
  async function readModels(): Promise<void> {
    try {
      const models = await listModels(modelsUrl);
      state.update({ models });
    } catch (error) {
      modelsRead = undefined;
      state.update({ models: [] });
      notices.showError(error);
    }
  }

  return {
    state,
    actions: {
      loadModels() {
        segmentations.refresh();
        modelsRead ??= readModels();
      },
      selectModel(selectedModelId) {
        state.update({ selectedModelId });
      },
      setScope(scope) {
        state.update({ scope });
      },
      run: jobs.run,
      cancel: jobs.cancel,
      measure: jobs.measure,
      selectSegmentation: segmentations.select,
      goToSegment: segmentations.goToSegment,
      selectNextSegment: segmentations.selectNextSegment,
      changeSegment: viewer.changeSegment,
      chooseEditTool(tool) {
        viewer.chooseEditTool(tool === viewer.editTool() ? undefined : tool);
      },
      goToSlice(slice) {
        const { series } = state.get();
        if (series) viewer.showSlice(series, slice);
      },
      showUncertainty: segmentations.showUncertainty,
      async save(segmentationId = activeIn(state.get().segmentations)?.segmentationId) {
        if (segmentationId !== undefined) await saves.save(segmentationId);
      },
      download: saves.download,
      dismissNotice: notices.dismiss,
    },
    leave() {
      jobs.cancel();
      segmentations.refresh();
    },
  };
}
