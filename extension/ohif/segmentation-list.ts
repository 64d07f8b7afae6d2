import type { Cell } from './observable.ts';
import type { FinishedRun } from './run-job.ts';
import type { PanelState, SegmentationEntry, UncertainSlice } from './state.ts';
import type { Viewer } from './viewer.ts';

/** Keeps the state's series and segmentations as the viewer has them, whoever changes them: we, its own panels, tools. */
export interface SegmentationList {
  refresh(): void;
  /** Remembers what only a run knows of its segmentation. */
  addRun(run: FinishedRun): void;
  select(segmentationId: string): void;
  selectNextSegment(): void;
  goToSegment(segmentationId: string, segmentNumber: number): void;
  showUncertainty(segmentationId: string, isShown: boolean): Promise<void>;
  clear(): void;
}

/** Listed at most; more is not a list of where to look first. */
const UNCERTAIN_SLICES = 5;

export function createSegmentationList(state: Cell<PanelState>, viewer: Viewer): SegmentationList {
  const runs = new Map<string, FinishedRun>();
  let isScheduled = false;

  function refresh(): void {
    isScheduled = false;
    const series = viewer.seriesInView();
    const shown = series ? viewer.segmentationsOf(series) : [];
    state.update({
      series: sameSeries(state.get().series, series),
      segmentations: shown.map((segmentation): SegmentationEntry => {
        const run = runs.get(segmentation.segmentationId);
        return {
          ...segmentation,
          segments: segmentation.segments,
          leastCertain: run ? leastCertainSlices(run) : [],
          isUncertaintyShown: false,
        };
      }),
    });
  }

  // The viewer tells of one change several times in a row.
  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setTimeout(refresh, 0);
  }
  viewer.onViewChange(schedule);
  viewer.onSegmentationChange(schedule);

  const active = (): SegmentationEntry | undefined => state.get().segmentations.find(({ isActive }) => isActive);

  const list: SegmentationList = {
    refresh,
    addRun(run) {
      runs.set(run.segmentationId, run);
      refresh();
    },
    select(segmentationId) {
      viewer.changeSegment(segmentationId, 1, { isActive: true });
    },
    selectNextSegment() {
      const { segmentationId, segments = [] } = active() ?? {};
      const at = segments.findIndex(({ isActive }) => isActive);
      const next = segments[(at + 1) % segments.length];
      if (segmentationId !== undefined && next) list.goToSegment(segmentationId, next.segmentNumber);
    },
    goToSegment(segmentationId, segmentNumber) {
      viewer.changeSegment(segmentationId, segmentNumber, { isActive: true });
    },
    async showUncertainty() {
      await Promise.resolve();
    },
    clear() {
      runs.clear();
      refresh();
    },
  };
  return list;
}

/** The same object while it is the same series, so that nothing is drawn anew. */
function sameSeries(before: PanelState['series'], now: PanelState['series']): PanelState['series'] {
  return before?.id === now?.id && before?.imageIds.length === now?.imageIds.length ? before : now;
}

function leastCertainSlices({ result, sliceOfImage, slices }: FinishedRun): UncertainSlice[] {
  const wasRun = new Set(slices);
  return sliceOfImage
    .flatMap((k, slice) => (wasRun.has(k) ? [{ slice, uncertainty: result.uncertainty.perSlice[k] ?? 0 }] : []))
    .sort((a, b) => b.uncertainty - a.uncertainty)
    .slice(0, UNCERTAIN_SLICES);
}
