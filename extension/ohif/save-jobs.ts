import type { Notices } from './notices.ts';
import type { Cell } from './observable.ts';
import type { PanelState, SaveProgress } from './state.ts';
import type { SegStore } from './store/seg-store.ts';
import type { DownloadFormat, SaveOutcome } from './store/save-outcome.ts';
import { texts } from './texts.ts';

export interface SaveJobsOptions {
  readonly state: Cell<PanelState>;
  readonly notices: Notices;
  readonly store: SegStore;
}

/** Stores and downloads segmentations, one at a time, and tells what came of it. */
export interface SaveJobs {
  readonly save: (segmentationId: string) => Promise<void>;
  readonly download: (segmentationId: string, format: DownloadFormat) => Promise<void>;
}

export function createSaveJobs({ state, notices, store }: SaveJobsOptions): SaveJobs {
  async function asJob(
    { segmentationId, to }: Omit<SaveProgress, 'stage'>,
    work: (onProgress: (stage: SaveProgress['stage']) => void) => Promise<void>,
  ): Promise<void> {
    if (state.get().save) return;
    const onProgress = (stage: SaveProgress['stage']): void => {
      state.update({ save: { segmentationId, to, stage } });
    };
    onProgress('preparing');
    try {
      await work(onProgress);
    } catch (error) {
      notices.showError(error);
    } finally {
      state.update({ save: undefined });
    }
  }

  return {
    save: (segmentationId) =>
      asJob({ segmentationId, to: 'pacs' }, async (onProgress) => {
        tell(notices, await store.save(segmentationId, { onProgress }));
      }),
    download: (segmentationId, format) =>
      asJob({ segmentationId, to: format }, (onProgress) => store.download(segmentationId, format, { onProgress })),
  };
}

function tell(notices: Notices, outcome: SaveOutcome): void {
  switch (outcome.status) {
    case 'saved':
      for (const warning of outcome.warnings) notices.show('warning', warning);
      if (outcome.editedMeanwhile) {
        notices.show('warning', { code: 'edited-meanwhile', message: texts.editedMeanwhile });
      }
      notices.show('info', { code: 'saved', message: texts.saved });
      return;
    case 'failed':
      if (outcome.mayBeStored) notices.show('warning', { code: 'may-be-stored', message: texts.mayBeStored });
      notices.showError(outcome.error);
      return;
    case 'cancelled':
      notices.show('info', { code: 'save-cancelled', message: texts.saveCancelled });
  }
}
