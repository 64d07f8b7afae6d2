import type { CornerstoneHost } from './host.ts';
import type { LabelmapSlices } from './labelmap-slices.ts';
import { takeSnapshot, type SliceSnapshot } from './slice-snapshot.ts';

/** One run of a model into a segmentation: whatever it writes is one step of the page's undo and redo. */
export interface Replacement {
  /** Writes slice k. Voxels that somebody has changed since this replacement wrote them, and those of locked segments,
   * stay as they are. */
  write(k: number, labels: Uint8Array | Uint16Array): void;
  /** What was meant for each slice written: the labelmap differs from it where somebody has changed it. */
  readonly written: ReadonlyMap<number, SliceSnapshot>;
}

/** @param changed called with each slice written, taken back or put again
 * @param undone called when the step is taken back (true) or put again (false) */
export function beginReplacement(
  { core, tools }: CornerstoneHost,
  segmentationId: string,
  slices: LabelmapSlices,
  { changed, undone }: { changed: (k: number) => void; undone: (isUndone: boolean) => void },
): Replacement {
  const before = new Map<number, SliceSnapshot>();
  const written = new Map<number, SliceSnapshot>();
  let after: Map<number, SliceSnapshot> | undefined;
  const locked = new Set<number>(tools.segmentation.segmentLocking.getLockedSegmentIndices(segmentationId));

  const restore = (snapshots: ReadonlyMap<number, SliceSnapshot>): void => {
    for (const [k, snapshot] of snapshots) {
      snapshot.copyTo(slices.labels(k));
      changed(k);
    }
  };
  const remember = (): void => {
    core.utilities.HistoryMemo.DefaultHistoryMemo.push({
      id: core.utilities.uuidv4(),
      operationType: 'labelmap',
      restoreMemo(isUndo) {
        if (isUndo !== false) {
          after = new Map(Array.from(before.keys(), (k) => [k, takeSnapshot(slices.labels(k))]));
          restore(before);
        } else {
          restore(after ?? new Map());
        }
        undone(isUndo !== false);
      },
    });
  };

  return {
    written,
    write(k, labels) {
      const current = slices.labels(k);
      if (before.size === 0) remember();
      const previous = written.get(k);
      if (previous === undefined) before.set(k, takeSnapshot(current));
      const intended = withLockedKept(current, labels, locked);
      written.set(k, takeSnapshot(intended));
      if (previous === undefined) current.set(intended);
      else replaceUntouched(current, previous, intended);
      changed(k);
    },
  };
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

function replaceUntouched(current: Uint8Array, previous: SliceSnapshot, intended: Uint8Array): void {
  const expected = new Uint8Array(current.length);
  previous.copyTo(expected);
  for (let at = 0; at < current.length; at++) {
    if (current[at] === expected[at]) current[at] = intended[at] ?? 0;
  }
}
