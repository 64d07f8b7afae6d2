import type { CornerstoneHost } from './host.ts';
import { trackEditedSegments } from './edited-segments.ts';
import { keepDrawn } from './keep-drawn.ts';
import { openLabelmapSlices, type LabelmapPlace } from './labelmap-slices.ts';
import { createPacer, timed } from './main-thread.ts';
import { beginReplacement, type Replacement } from './replacement.ts';
import { takeSnapshot } from './slice-snapshot.ts';
import { watchSlices } from './slice-watch.ts';

/** A segmentation of the page that models write into and clinicians edit. Keep one for as long as the segmentation. */
export interface LabelmapTarget {
  readonly segmentationId: string;
  readonly sliceCount: number;
  /** The labels of slice k as they are now: not to be changed, nor kept. */
  readSlice(k: number): Uint8Array;
  /** All labels as they are now, i fastest, and the count of voxels that several segments claim: one of them has it. */
  readLabels(): Promise<{ readonly labels: Uint8Array; readonly overlappingVoxels: number }>;
  /** Begins to replace the labels, as one step of the page's undo. */
  replace(options?: { readonly onUndo?: (isUndone: boolean) => void }): Replacement;
  /** Takes the labels as they are for given, not edited: those of a segmentation that was stored. */
  acceptLabels(): Promise<void>;
  /** Segments that somebody has changed since a model or acceptLabels gave them. */
  editedSegments(): ReadonlySet<number>;
  /** Calls the listener with slices whose labels have changed, by whatever hand, some 30 to 200 ms after; at first with
   * all that have labels. */
  onChange(listener: (slices: readonly number[]) => void): () => void;
  /** Waits until every change so far has been noticed. */
  settled(): Promise<void>;
  /** Shows what was written so far at once, not at the next turn. */
  flush(): void;
  dispose(): void;
}

/** The page redraws a changed segmentation at most this often while slices arrive… */
const REDRAW_MS = 100;
/** …and spends at most this share of its time on it… */
const REDRAW_SHARE = 0.25;
/** …but shows what there is at least this often. */
const MAX_WAIT_MS = 2000;

/** @throws InputError `geometry-mismatch` if the segmentation is not on the slices of the series */
export function createLabelmapTarget(host: CornerstoneHost, place: LabelmapPlace): LabelmapTarget {
  const { segmentationId } = place;
  const slices = openLabelmapSlices(host, place);
  const edits = trackEditedSegments(slices);
  const listeners = new Set<(slices: readonly number[]) => void>();
  const watch = watchSlices(host, segmentationId, slices, (changed) => {
    for (const k of changed) edits.compare(k);
    for (const listener of listeners) listener(changed);
  });
  const redraw = createRedraw((changed) => {
    slices.announce(changed);
  });
  const stopDrawing = keepDrawn(host, segmentationId);
  const changed = (k: number): void => {
    redraw.add(k);
    watch.report(k);
  };

  return {
    segmentationId,
    sliceCount: slices.count,
    readSlice: (k) => slices.labels(k),
    async readLabels() {
      const pacer = createPacer();
      const labels = new Uint8Array(slices.count * slices.labels(0).length);
      let overlappingVoxels = 0;
      for (let k = 0; k < slices.count; k++) {
        const slice = slices.labels(k);
        labels.set(slice, k * slice.length);
        overlappingVoxels += slices.overlap(k);
        await pacer.pause();
      }
      return { labels, overlappingVoxels };
    },
    replace({ onUndo } = {}) {
      const returnToBefore = edits.save();
      let returnToAfter = returnToBefore;
      edits.keep(host.tools.segmentation.segmentLocking.getLockedSegmentIndices(segmentationId));
      return beginReplacement(host, segmentationId, slices, {
        changed,
        written(k, intended) {
          edits.given(k, intended);
        },
        undone(isUndone) {
          if (isUndone) returnToAfter = edits.save();
          (isUndone ? returnToBefore : returnToAfter)();
          redraw.flush();
          onUndo?.(isUndone);
        },
      });
    },
    async acceptLabels() {
      await watch.settled();
      const pacer = createPacer();
      for (let k = 0; k < slices.count; k++) {
        edits.given(k, takeSnapshot(slices.labels(k)));
        edits.compare(k);
        await pacer.pause();
      }
      edits.keep([]);
    },
    editedSegments: () => edits.current(),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    settled: () => watch.settled(),
    flush() {
      redraw.flush();
    },
    dispose() {
      watch.dispose();
      stopDrawing();
      if (slices.exists) redraw.flush();
      redraw.stop();
      listeners.clear();
    },
  };
}

/** Gathers slices that changed, and shows them together. */
function createRedraw(show: (slices: readonly number[]) => void): {
  add(k: number): void;
  flush(): void;
  stop(): void;
} {
  const pending = new Set<number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let nextMs = 0;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending.size === 0) return;
    const slices = [...pending];
    pending.clear();
    const start = performance.now();
    timed('show-slices', () => {
      show(slices);
    });
    nextMs = start + REDRAW_MS;
    // The page draws in its next frames, and without a graphics card one can take longer than a slice does.
    afterFrames(2, () => {
      const drawnMs = performance.now() - start;
      nextMs = start + Math.min(Math.max(REDRAW_MS, drawnMs / REDRAW_SHARE), MAX_WAIT_MS);
    });
  };
  const flushWhenDue = (): void => {
    const waitMs = nextMs - performance.now();
    if (waitMs > 0) timer = setTimeout(flushWhenDue, waitMs);
    else flush();
  };
  return {
    add(k) {
      pending.add(k);
      timer ??= setTimeout(flushWhenDue, Math.max(0, nextMs - performance.now()));
    },
    flush,
    stop() {
      clearTimeout(timer);
    },
  };
}

/** A page that is hidden has no frames. */
function afterFrames(count: number, then: () => void): void {
  requestAnimationFrame(() => {
    if (count > 1) afterFrames(count - 1, then);
    else then();
  });
}
