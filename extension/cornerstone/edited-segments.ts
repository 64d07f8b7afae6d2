import type { LabelmapSlices } from './labelmap-slices.ts';
import { blankSnapshot, type SliceSnapshot } from './slice-snapshot.ts';

/** What a model, or a stored segmentation, gave; and which segments somebody has changed since. */
export interface EditedSegments {
  /** The segments that are no longer what they were given as. */
  current(): ReadonlySet<number>;
  /** Slice k was given these labels. */
  given(k: number, labels: SliceSnapshot): void;
  /** Compares slice k with what was given. */
  compare(k: number): void;
  /** A state to come back to: of before a run, when that is undone. */
  save(): () => void;
  /** Segments that a run leaves as they are, locked ones, stay edited if they are. */
  keep(segments: Iterable<number>): void;
}

export function trackEditedSegments(slices: LabelmapSlices): EditedSegments {
  let givenSlices = new Map<number, SliceSnapshot>();
  let kept: ReadonlySet<number> = new Set();
  const editedBySlice = new Map<number, ReadonlySet<number>>();
  const current = (): Set<number> =>
    new Set([...kept, ...[...editedBySlice.values()].flatMap((edited) => [...edited])]);

  return {
    current,
    given(k, labels) {
      givenSlices.set(k, labels);
    },
    compare(k) {
      const labels = slices.labels(k);
      const edited = differingLabels(labels, givenSlices.get(k) ?? blankSnapshot(labels.length));
      if (edited.size > 0) editedBySlice.set(k, edited);
      else editedBySlice.delete(k);
    },
    save() {
      const saved = { givenSlices: new Map(givenSlices), kept };
      return () => {
        givenSlices = new Map(saved.givenSlices);
        kept = saved.kept;
      };
    },
    keep(segments) {
      const edited = current();
      kept = new Set([...segments].filter((segment) => edited.has(segment)));
    },
  };
}

function differingLabels(labels: Uint8Array, given: SliceSnapshot): Set<number> {
  const differing = new Set<number>();
  if (given.matches(labels)) return differing;
  const expected = new Uint8Array(labels.length);
  given.copyTo(expected);
  for (let at = 0; at < labels.length; at++) {
    const [is, was] = [labels[at] ?? 0, expected[at] ?? 0];
    if (is === was) continue;
    differing.add(is);
    differing.add(was);
  }
  differing.delete(0);
  return differing;
}
