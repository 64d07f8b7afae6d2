import {
  cielabToColour,
  createSegments,
  stackedAxis,
  type LabelmapOrigin,
  type ModelManifest,
  type SegmentationResult,
} from '../../src/index.ts';
import type { SegmentationClient, WorkerSession } from '../../src/browser/client.ts';
import { readImageVolume, runModel } from '../cornerstone/index.ts';
import type { Labelmaps } from './labelmaps.ts';
import type { Notices } from './notices.ts';
import type { Cell } from './observable.ts';
import type { ModelEntry, PanelState, RunState, Scope } from './state.ts';
import type { SegStore } from './store/seg-store.ts';
import { texts } from './texts.ts';
import type { NewSegmentation, Series, Viewer } from './viewer.ts';

/** What a run gave, and where its slices are in the viewer. */
export interface FinishedJob {
  readonly segmentationId: string;
  readonly result: SegmentationResult;
  /** The slice k of the volume for each slice in the viewer's order. */
  readonly sliceOfImage: readonly number[];
  /** The slices k that were run. */
  readonly slices: readonly number[];
}

export interface RunJobOptions {
  readonly state: Cell<PanelState>;
  readonly viewer: Viewer;
  readonly labelmaps: Labelmaps;
  readonly notices: Notices;
  readonly client: SegmentationClient;
  /** Learns what made the labels, so that a stored object says so. */
  readonly store: SegStore;
  readonly softwareVersion: string;
  readonly onFinished: (run: FinishedJob) => void;
}

/** Runs models, one at a time. */
export interface RunJobs {
  /** Runs the selected model on the series in view, over the chosen slices.
   * @param force in spite of a known mismatch; the user was asked */
  readonly run: (options?: { readonly force?: boolean }) => Promise<void>;
  /** Finished slices stay. */
  readonly cancel: () => void;
  /** Opens a model, which measures it on this device, and runs nothing. */
  readonly measure: (modelId: string) => Promise<void>;
}

export function createRunJobs(options: RunJobOptions): RunJobs {
  const { state, viewer, labelmaps, notices, client, store, softwareVersion } = options;
  let abort: AbortController | undefined;
  let open: { readonly modelId: string; readonly session: WorkerSession } | undefined;

  /** One job at a time, from its first phase to its last; its errors are told. */
  async function asJob(modelId: string, series: Series, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (state.get().run) return;
    abort = new AbortController();
    const { signal } = abort;
    let run: RunState = { seriesId: series.id, modelId, phase: 'opening', done: 0, total: 0 };
    state.update({ run });
    try {
      await work(signal);
    } catch (error) {
      run = state.get().run ?? run;
      if (signal.aborted) notices.show('info', { code: 'cancelled', message: texts.cancelled(run) });
      else if (isAbort(error)) notices.show('info', { code: 'undone', message: texts.undone });
      else notices.showError(error);
    } finally {
      abort = undefined;
      state.update({ run: undefined });
    }
  }

  function updateRun(change: Partial<RunState>): void {
    const { run } = state.get();
    if (run && run.phase !== 'cancelling') state.update({ run: { ...run, ...change } });
  }

  function announce(announcement: string): void {
    state.update({ announcement });
  }

  async function openSession({ manifest, folderUrl }: ModelEntry, signal: AbortSignal): Promise<WorkerSession> {
    if (open?.modelId === manifest.id) return open.session;
    // One model at a time: two would not fit side by side on many devices.
    await open?.session.dispose();
    open = undefined;
    const session = await client.openModel(folderUrl, {
      signal,
      onProgress: (loaded) => {
        updateRun({ loaded });
      },
    });
    open = { modelId: manifest.id, session };
    const { models } = state.get();
    state.update({
      models: models?.map((model) => (model.folderUrl === folderUrl ? { ...model, device: session.device } : model)),
    });
    return session;
  }

  async function openSegmentation({ manifest }: ModelEntry, series: Series): Promise<string> {
    const segmentation = segmentationOf(manifest, series);
    const { segmentationId } = segmentation;
    if (!viewer.hasSegmentation(segmentationId)) await viewer.createSegmentation(series, segmentation);
    await viewer.showSegmentation(series, segmentation);
    return segmentationId;
  }

  return {
    async run({ force = false } = {}) {
      const { models, selectedModelId, series, scope } = state.get();
      const model = models?.find(({ manifest }) => manifest.id === selectedModelId);
      if (!model || !series) return;
      const inView = viewer.sliceInView(series);

      await asJob(model.manifest.id, series, async (signal) => {
        const session = await openSession(model, signal);
        updateRun({ phase: 'reading' });
        const { volume, sliceOfImage, warnings } = await readImageVolume(viewer.cornerstone, series.imageIds, {
          signal,
        });
        for (const warning of warnings) notices.show('warning', warning);
        const segmentationId = await openSegmentation(model, series);
        const { target } = labelmaps.open(segmentationId, series, { geometry: volume.geometry, sliceOfImage });
        const isAlongImages = stackedAxis(volume.geometry, model.manifest.input.sliceAxis) === 2;
        if (!isAlongImages && scope.kind !== 'series') {
          notices.show('info', { code: 'whole-series', message: texts.wholeSeries(model.manifest.title) });
        }
        const slices = slicesIn(isAlongImages ? scope : WHOLE, series, inView).map((n) => sliceOfImage[n] ?? n);
        updateRun({ phase: 'running', total: slices.length });
        // Already now: labels of a run that is cancelled are the model's too.
        const segments = createSegments(model.manifest);
        store.describe(segmentationId, { segments, provenance: originOf(model.manifest, softwareVersion) });
        const result = await runModel({
          client,
          session,
          volume,
          target,
          slices,
          firstSlice: sliceOfImage[inView] ?? inView,
          softwareVersion,
          force,
          signal,
          onProgress: ({ done, total, elapsedMs }) => {
            updateRun({ done, total, ...rate(done, total, elapsedMs) });
            // Every slice would be too much to listen to.
            if (Math.floor((4 * done) / total) > Math.floor((4 * (done - 1)) / total))
              announce(texts.slices(done, total));
          },
        });
        store.describe(segmentationId, { segments, provenance: result.provenance });
        announce(texts.finished(model.manifest.title));
        for (const warning of result.warnings) notices.show('warning', warning);
        options.onFinished({ segmentationId, result, sliceOfImage, slices });
      });
    },

    cancel() {
      updateRun({ phase: 'cancelling' });
      abort?.abort();
    },

    async measure(modelId) {
      const { models, series } = state.get();
      const model = models?.find(({ manifest }) => manifest.id === modelId);
      if (!model || !series) return;
      await asJob(modelId, series, async (signal) => {
        await openSession(model, signal);
      });
    },
  };
}

const WHOLE: Scope = { kind: 'series' };

/** Slices in the viewer's order. */
function slicesIn(scope: Scope, { imageIds }: Series, inView: number): number[] {
  if (scope.kind === 'slice') return [inView];
  const [first, last] = scope.kind === 'range' ? [scope.first, scope.last] : [0, imageIds.length - 1];
  return [...imageIds.keys()].slice(first, last + 1);
}

function rate(done: number, total: number, elapsedMs: number): Partial<RunState> {
  if (done === 0 || elapsedMs === 0) return {};
  const slicesPerSecond = (done / elapsedMs) * 1000;
  return { slicesPerSecond, secondsLeft: (total - done) / slicesPerSecond };
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

function originOf({ id, version, title, file }: ModelManifest, softwareVersion: string): LabelmapOrigin {
  return { softwareVersion, modelId: id, modelVersion: version, modelTitle: title, modelSha256: file.sha256 };
}

/** One segmentation for a model and a series: running again writes into the same. */
function segmentationOf({ id, title, segments }: ModelManifest, series: Series): NewSegmentation {
  return {
    segmentationId: `slicewise:${id}:${series.id}`,
    label: title,
    segments: segments.map(({ segmentNumber, segmentLabel, recommendedDisplayCIELab }) => ({
      segmentNumber,
      label: segmentLabel,
      colour: [...cielabToColour(recommendedDisplayCIELab), 255],
    })),
  };
}
