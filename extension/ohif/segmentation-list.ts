import { readGrid } from '../cornerstone/index.ts';
import type { Labelmaps, OpenLabelmap } from './labelmaps.ts';
import type { Notices } from './notices.ts';
import type { Cell } from './observable.ts';
import type { FinishedJob } from './run-job.ts';
import type { SegStore } from './store/seg-store.ts';
import type { PanelState, ShownFigures, SegmentationEntry, UncertainSlice } from './state.ts';
import { texts } from './texts.ts';
import { isUncertainty, showUncertainty, uncertaintyIdOf } from './uncertainty-overlay.ts';
import type { Series, Viewer, ViewerSegmentation } from './viewer.ts';

/** Keeps the state's series and segmentations as the viewer has them, whoever changes them: we, the viewer's own panels,
 * its tools. */
export interface SegmentationList {
  /** Brings the state up to date, at the page's next turn. */
  readonly refresh: () => void;
  /** Remembers what only a run knows of its segmentation. */
  readonly addRun: (run: FinishedJob) => void;
  readonly select: (segmentationId: string) => void;
  readonly selectNextSegment: () => void;
  readonly goToSegment: (segmentationId: string, segmentNumber: number) => void;
  readonly showUncertainty: (segmentationId: string, isShown: boolean) => Promise<void>;
}

export interface SegmentationListOptions {
  readonly state: Cell<PanelState>;
  readonly viewer: Viewer;
  readonly labelmaps: Labelmaps;
  readonly notices: Notices;
  readonly store: SegStore;
}

/** Listed at most; more is not a list of where to look first. */
const UNCERTAIN_SLICES = 5;

export function createSegmentationList({
  state,
  viewer,
  labelmaps,
  notices,
  store,
}: SegmentationListOptions): SegmentationList {
  const runs = new Map<string, FinishedJob>();
  const opening = new Set<string>();
  let isScheduled = false;

  // The viewer tells of one change several times in a row.
  function refresh(): void {
    if (isScheduled) return;
    isScheduled = true;
    setTimeout(() => {
      isScheduled = false;
      update();
    }, 0);
  }
  viewer.onViewChange(refresh);
  viewer.onSegmentationChange(refresh);
  store.onChange(refresh);

  function update(): void {
    labelmaps.sweep();
    for (const id of runs.keys()) if (!viewer.hasSegmentation(id)) runs.delete(id);
    const series = viewer.seriesInView();
    const shown = series ? viewer.segmentationsOf(series) : [];
    const editable = shown.filter(({ segmentationId }) => !isUncertainty(segmentationId));
    if (series) for (const { segmentationId } of editable) openOnce(segmentationId, series);
    state.update({
      series: sameSeries(state.get().series, series),
      segmentations: editable.map((segmentation) => entryOf(segmentation, shown)),
    });
  }

  /** A segmentation that was not made by a run here: opened from the PACS, or drawn. */
  function openOnce(segmentationId: string, series: Series): void {
    if (labelmaps.of(segmentationId) || opening.has(segmentationId)) return;
    opening.add(segmentationId);
    readGrid(viewer.cornerstone, series.imageIds)
      .then((grid) => labelmaps.open(segmentationId, series, grid).target.acceptLabels())
      .catch(notices.showError)
      .finally(() => opening.delete(segmentationId));
  }

  function entryOf(segmentation: ViewerSegmentation, shown: readonly ViewerSegmentation[]): SegmentationEntry {
    const { segmentationId, segments } = segmentation;
    const labelmap = labelmaps.of(segmentationId);
    const run = runs.get(segmentationId);
    const overlayId = uncertaintyIdOf(segmentationId);
    return {
      ...segmentation,
      segments: segments.map((segment) => {
        const figures = labelmap && figuresOf(labelmap, segment.segmentNumber, run);
        return figures ? { ...segment, figures } : segment;
      }),
      leastCertain: run ? leastCertainSlices(run) : [],
      isUncertaintyShown: shown.some((other) => other.segmentationId === overlayId),
      saveState: store.state(segmentationId),
      canSave: store.canSave(),
    };
  }

  function goToSegment(segmentationId: string, segmentNumber: number): void {
    viewer.activate(segmentationId, segmentNumber);
    const labelmap = labelmaps.of(segmentationId);
    const figures = labelmap?.statistics.figures(segmentNumber);
    if (labelmap && figures)
      viewer.showPoint(labelmap.series, labelmap.sliceOfImage.indexOf(figures.centreSlice), figures.centre);
  }

  return {
    refresh,
    addRun(run) {
      runs.set(run.segmentationId, run);
      // What it showed was the run before.
      viewer.removeSegmentation(uncertaintyIdOf(run.segmentationId));
      refresh();
    },
    select: viewer.activate,
    goToSegment,
    selectNextSegment() {
      const { segmentationId, segments = [] } = activeIn(state.get().segmentations) ?? {};
      const at = segments.findIndex(({ isActive }) => isActive);
      const next = segments[(at + 1) % segments.length];
      if (segmentationId !== undefined && next) goToSegment(segmentationId, next.segmentNumber);
    },
    async showUncertainty(segmentationId, isShown) {
      const run = runs.get(segmentationId);
      const series = labelmaps.of(segmentationId)?.series;
      if (!isShown) viewer.removeSegmentation(uncertaintyIdOf(segmentationId));
      else if (run && series) await showUncertainty(viewer, series, run);
    },
  };
}

/** The segmentation that the panel shows and acts on. */
export function activeIn(segmentations: readonly SegmentationEntry[]): SegmentationEntry | undefined {
  return segmentations.find(({ isActive }) => isActive) ?? segmentations[0];
}

/** The same object while it is the same series, so that nothing is drawn anew. */
function sameSeries(before: Series | undefined, now: Series | undefined): Series | undefined {
  return before?.id === now?.id && before?.imageIds.length === now?.imageIds.length ? before : now;
}

function figuresOf(
  { statistics, series }: OpenLabelmap,
  segmentNumber: number,
  run: FinishedJob | undefined,
): ShownFigures {
  const sliceCount = series.imageIds.length;
  const wasRun = new Set(run?.slices ?? series.imageIds.keys());
  const figures = statistics.figures(segmentNumber, (k) => wasRun.has(k));
  if (figures === undefined) return { volumeMl: 0, lacks: '' };
  const { volumeMl, mean, standardDeviation, touchesBorder } = figures;
  const lacks = texts.lacks(touchesBorder, { run: wasRun.size, all: sliceCount });
  return { volumeMl, lacks, mean, standardDeviation, ...(series.modality === 'CT' && { unit: 'HU' }) };
}

function leastCertainSlices({ result, sliceOfImage, slices }: FinishedJob): UncertainSlice[] {
  const wasRun = new Set(slices);
  return sliceOfImage
    .flatMap((k, slice) => (wasRun.has(k) ? [{ slice, uncertainty: result.uncertainty.perSlice[k] ?? 0 }] : []))
    .sort((a, b) => b.uncertainty - a.uncertainty)
    .slice(0, UNCERTAIN_SLICES);
}
