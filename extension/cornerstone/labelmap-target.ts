import type { CornerstoneHost } from './host.ts';
import { openLabelmapSlices, type LabelmapPlace } from './labelmap-slices.ts';
import { beginReplacement, type Replacement } from './replacement.ts';

/** A segmentation of the page that a model's labels are written into. */
export interface LabelmapTarget {
  readonly segmentationId: string;
  readonly sliceCount: number;
  /** The labels of slice k as they are now, the page's own memory: not to be changed. */
  readSlice(k: number): Uint8Array;
  /** Begins to replace the labels, as one step of the page's undo. */
  replace(options?: { readonly onUndo?: (isUndone: boolean) => void }): Replacement;
  /** Shows what was written so far at once, not at the next turn. */
  flush(): void;
  dispose(): void;
}

/** The page redraws a changed segmentation at most this often while slices arrive… */
const REDRAW_MS = 100;
/** …and spends at most this share of its time on it. */
const REDRAW_SHARE = 0.25;

/** @throws InputError `geometry-mismatch` if the segmentation is not on the series */
export function createLabelmapTarget(host: CornerstoneHost, place: LabelmapPlace): LabelmapTarget {
  const slices = openLabelmapSlices(host, place);
  const pending = new Set<number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let nextRedraw = 0;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending.size === 0) return;
    const changed = [...pending];
    pending.clear();
    const start = performance.now();
    slices.announce(changed);
    const end = performance.now();
    nextRedraw = Math.max(start + REDRAW_MS, end + (end - start) / REDRAW_SHARE);
  };
  const changed = (k: number): void => {
    pending.add(k);
    timer ??= setTimeout(flush, Math.max(0, nextRedraw - performance.now()));
  };

  return {
    segmentationId: place.segmentationId,
    sliceCount: slices.count,
    readSlice: (k) => slices.labels(k),
    replace: ({ onUndo } = {}) =>
      beginReplacement(host, place.segmentationId, slices, {
        changed,
        undone(isUndone) {
          flush();
          onUndo?.(isUndone);
        },
      }),
    flush,
    dispose() {
      clearTimeout(timer);
    },
  };
}
