import type { CornerstoneHost } from './host.ts';
import type { LabelmapSlices } from './labelmap-slices.ts';
import { takeSnapshot, type SliceSnapshot } from './slice-snapshot.ts';

/** One run of a model into a segmentation: whatever it writes is one step of the page's undo and redo. */
export interface Replacement {
  /** Writes slice k. Voxels that somebody has changed since this replacement wrote them, and those of locked segments,
   * stay as they are. */
  write(k: number, labels: Uint8Array | Uint16Array): void;
}

export interface ReplacementEvents {
  /** A slice was written, taken back or put again. */
  readonly changed: (k: number) => void;
  /** A slice was written; the labelmap differs from `intended` where somebody has changed it. */
  readonly written: (k: number, intended: SliceSnapshot) => void;
  /** The step was taken back (true) or put again (false). */
  readonly undone: (isUndone: boolean) => void;
}

export function beginReplacement(
  { core, tools }: CornerstoneHost,
  segmentationId: string,
  slices: LabelmapSlices,
  { changed, written, undone }: ReplacementEvents,
): Replacement {
  const before = new Map<number, SliceSnapshot>();
  const intentions = new Map<number, SliceSnapshot>();
  const locked = new Set<number>(tools.segmentation.segmentLocking.getLockedSegmentIndices(segmentationId));
  let after: ReadonlyMap<number, SliceSnapshot> = new Map();

  const presentSnapshot = (k: number, likely: SliceSnapshot): SliceSnapshot => {
    const labels = slices.labels(k);
    return likely.matches(labels) ? likely : takeSnapshot(labels);
  };
  const restore = (snapshots: ReadonlyMap<number, SliceSnapshot>): void => {
    for (const [k, snapshot] of snapshots) {
      slices.write(k, (labels) => {
        snapshot.copyTo(labels);
      });
      changed(k);
    }
  };
  const addToHistory = (): void => {
    core.utilities.HistoryMemo.DefaultHistoryMemo.push({
      id: core.utilities.uuidv4(),
      operationType: 'labelmap',
      restoreMemo(isUndo) {
        const isUndone = isUndo !== false;
        if (isUndone) after = new Map(Array.from(intentions, ([k, intended]) => [k, presentSnapshot(k, intended)]));
        restore(isUndone ? before : after);
        undone(isUndone);
      },
    });
  };

  return {
    write(k, labels) {
      // At the first slice, so that what is edited while the run goes on is undone before the run is.
      if (before.size === 0) addToHistory();
      const current = slices.labels(k);
      const previous = intentions.get(k);
      if (previous === undefined) before.set(k, takeSnapshot(current));
      const intended = withLockedKept(current, labels, locked);
      if (previous?.matches(intended) === true) return;
      const snapshot = takeSnapshot(intended);
      intentions.set(k, snapshot);
      if (previous !== undefined) keepChanges(intended, current, unpacked(previous, current.length));
      slices.write(k, (page) => {
        page.set(intended);
      });
      changed(k);
      written(k, snapshot);
    },
  };
}

function unpacked(snapshot: SliceSnapshot, length: number): Uint8Array {
  const labels = new Uint8Array(length);
  snapshot.copyTo(labels);
  return labels;
}

/** Locked segments neither lose voxels nor gain any. */
function withLockedKept(current: Uint8Array, labels: ArrayLike<number>, locked: ReadonlySet<number>): Uint8Array {
  const intended = Uint8Array.from(labels);
  if (locked.size === 0) return intended;
  for (let at = 0; at < intended.length; at++) {
    const present = current[at] ?? 0;
    if (locked.has(present)) intended[at] = present;
    else if (locked.has(intended[at] ?? 0)) intended[at] = 0;
  }
  return intended;
}

/** Leaves the present label in `labels` wherever it is not what was written before. */
function keepChanges(labels: Uint8Array, current: Uint8Array, writtenBefore: Uint8Array): void {
  for (let at = 0; at < labels.length; at++) {
    if (current[at] !== writtenBefore[at]) labels[at] = current[at] ?? 0;
  }
}
