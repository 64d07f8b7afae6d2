import type { Notice } from '../../src/index.ts';
import type { SegmentationClient } from '../../src/worker/client.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { listModels } from './model-list.ts';
import { createNotices } from './notices.ts';
import { createCell, type Observable } from './observable.ts';
import { createRunJobs } from './run-job.ts';
import { createSegmentationList } from './segmentation-list.ts';
import { emptyState, type PanelState, type Scope } from './state.ts';
import type { SegmentChange, Viewer } from './viewer.ts';

/** Our part of the page: its state and what can be done with it, from the start of the page to its end. Nothing here
 * depends on the panel being shown. */
export interface Slicewise {
  readonly state: Observable<PanelState>;
  readonly actions: Actions;
  /** The viewer has left the study, and dropped its segmentations. */
  leave(): void;
}

export interface Actions {
  /** Reads the list of models, once. */
  loadModels(): void;
  selectModel(id: string): void;
  setScope(scope: Scope): void;
  run(options?: { readonly force?: boolean }): Promise<void>;
  cancel(): void;
  measure(modelId: string): Promise<void>;
  selectSegmentation(segmentationId: string): void;
  /** Makes it the active one and shows its centre. */
  goToSegment(segmentationId: string, segmentNumber: number): void;
  selectNextSegment(): void;
  changeSegment(segmentationId: string, segmentNumber: number, change: SegmentChange): void;
  goToSlice(slice: number): void;
  showUncertainty(segmentationId: string, isShown: boolean): Promise<void>;
  dismissNotice(id: number): void;
}

export interface SlicewiseOptions {
  readonly viewer: Viewer;
  /** Of the folder of models; ends with a slash. */
  readonly modelsUrl: string;
  readonly createClient: (onNotice: (notice: Notice) => void) => SegmentationClient;
}

const softwareVersion = `Slicewise ${packageJson.version}`;

export function createSlicewise({ viewer, modelsUrl, createClient }: SlicewiseOptions): Slicewise {
  const state = createCell<PanelState>(emptyState);
  const notices = createNotices(state);
  const client = createClient((notice) => {
    notices.show('warning', notice);
  });
  const segmentations = createSegmentationList(state, viewer);
  const jobs = createRunJobs({ state, viewer, notices, client, softwareVersion, onFinished: segmentations.addRun });

  let modelsRead: Promise<void> | undefined;
  async function readModels(): Promise<void> {
    try {
      const models = await listModels(modelsUrl);
      state.update({ models, selectedModelId: models[0]?.manifest.id });
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
      goToSlice(slice) {
        const { series } = state.get();
        if (series) viewer.showSlice(series, slice);
      },
      showUncertainty: segmentations.showUncertainty,
      dismissNotice: notices.dismiss,
    },
    leave() {
      jobs.cancel();
      segmentations.clear();
    },
  };
}
