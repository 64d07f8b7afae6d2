import type { CornerstoneHost } from './host.ts';
import type { LabelmapSlices } from './labelmap-slices.ts';
import { createPacer, timed } from './main-thread.ts';
import { blankSnapshot, takeSnapshot, type SliceSnapshot } from './slice-snapshot.ts';

/** Finds out which slices of a labelmap have really changed, by whatever tool. */
export interface SliceWatch {
  /** Tells soon of a slice that we changed, or that is to be judged anew. */
  report(k: number): void;
  /** Waits until every slice has been compared with what is known of it. */
  settled(): Promise<void>;
  dispose(): void;
}

/** An edit's own slices are compared this soon after it… */
const FIRST_LOOK_MS = 30;
/** …and all others once there has been no edit for this long: events name slices in orders that differ between
 * viewports, so that they are only a hint. */
const QUIET_MS = 80;

/** @param changed called with slices whose labels are no longer what they were; at first, with those that have labels */
export function watchSlices(
  { core, tools }: CornerstoneHost,
  segmentationId: string,
  slices: LabelmapSlices,
  changed: (slices: readonly number[]) => void,
): SliceWatch {
  const known = new Array<SliceSnapshot | undefined>(slices.count);
  const reported = new Set<number>();
  const suspects = new Set<number>();
  const unswept = new Set<number>();
  let [looking, disposed] = [false, false];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastEdit = -Infinity;
  let waiting: (() => void)[] = [];

  const isAlive = (): boolean => !disposed && slices.exists;
  const differs = (k: number): boolean =>
    timed('compare-slice', () => {
      const labels = slices.labels(k);
      if ((known[k] ?? blankSnapshot(labels.length)).matches(labels)) return reported.has(k);
      known[k] = takeSnapshot(labels);
      return true;
    });

  const next = (): number | undefined => {
    const isQuiet = performance.now() - lastEdit >= QUIET_MS;
    const [k] = [...first(reported), ...first(suspects), ...(isQuiet ? first(unswept) : [])];
    return k;
  };

  const look = async (): Promise<void> => {
    looking = true;
    let found: number[] = [];
    const tell = (): void => {
      if (found.length > 0) changed(found);
      found = [];
    };
    const pacer = createPacer({ beforeTurn: tell });
    for (let k = next(); k !== undefined && isAlive(); k = next()) {
      if (differs(k)) found.push(k);
      for (const set of [reported, suspects, unswept]) set.delete(k);
      await pacer.pause();
    }
    tell();
    looking = false;
    if (unswept.size > 0 && isAlive()) lookIn(QUIET_MS);
    else settle();
  };
  const lookIn = (delayMs: number): void => {
    if (looking || !isAlive()) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void look();
    }, delayMs);
  };
  const settle = (): void => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };

  const sweep = (): void => {
    for (let k = 0; k < slices.count; k++) unswept.add(k);
  };
  const onModified = (event: Event): void => {
    const detail: unknown = event instanceof CustomEvent ? event.detail : undefined;
    if (slices.isAnnouncing || !isOf(segmentationId, detail) || !isAlive()) return;
    lastEdit = performance.now();
    for (const k of slices.hinted(detail.modifiedSlicesToUse ?? [])) suspects.add(k);
    sweep();
    lookIn(FIRST_LOOK_MS);
  };

  const { SEGMENTATION_DATA_MODIFIED } = tools.Enums.Events;
  core.eventTarget.addEventListener(SEGMENTATION_DATA_MODIFIED, onModified);
  sweep();
  lookIn(0);

  return {
    report(k) {
      reported.add(k);
      lookIn(FIRST_LOOK_MS);
    },
    settled: () =>
      new Promise((resolve) => {
        if (!isAlive()) {
          resolve();
          return;
        }
        waiting.push(resolve);
        lastEdit = -Infinity;
        sweep();
        clearTimeout(timer);
        timer = undefined;
        lookIn(0);
      }),
    dispose() {
      disposed = true;
      clearTimeout(timer);
      core.eventTarget.removeEventListener(SEGMENTATION_DATA_MODIFIED, onModified);
      settle();
    },
  };
}

function first(slices: ReadonlySet<number>): number[] {
  const [k] = slices;
  return k === undefined ? [] : [k];
}

interface ModifiedDetail {
  readonly segmentationId: string;
  readonly modifiedSlicesToUse?: readonly number[];
}

function isOf(segmentationId: string, detail: unknown): detail is ModifiedDetail {
  return typeof detail === 'object' && detail !== null && Reflect.get(detail, 'segmentationId') === segmentationId;
}
