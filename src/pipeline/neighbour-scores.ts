import type { Tensor } from '../inference/backend.ts';
import type { SliceRun } from './slice-runs.ts';

/** A run of the model and what it answered. */
interface ScoredRun {
  readonly task: SliceRun;
  readonly scores: Tensor;
}

/** Gives each slice's scores a share of its neighbours' (decision 22). */
export interface NeighbourMixer {
  /** The slices to run the model on, in this order: those that were asked for, each with its neighbours. */
  readonly toRun: readonly number[];
  /** Takes one run after the other and gives those of the slices that are complete with it, in the order that was asked
   * for. The data of one hold until the next is asked for. */
  add(run: ScoredRun): Iterable<ScoredRun>;
}

/** A score becomes (1 − 2 w) of its own and w of that in the slice before and in the one after; beyond the first and the
 * last slice, its own. Windows lie alike on every slice and interpolation is linear, so that mixing windows is mixing
 * voxels. Held are the runs that a slice still waits for: of a few slices, where the order goes from neighbour to
 * neighbour.
 * @param slices of the grid view, each once
 * @param weight w, 0 to 1/3 */
export function createNeighbourMixer(slices: readonly number[], sliceCount: number, weight: number): NeighbourMixer {
  if (weight === 0) return { toRun: slices, add: (run) => [run] };
  const partsOf = (slice: number): number[] => [slice, Math.max(slice - 1, 0), Math.min(slice + 1, sliceCount - 1)];
  const waiting = slices.values();
  let next = waiting.next().value;
  /** By slice: its runs so far, and how many times it is a part of one that waits. */
  const runs = new Map<number, ScoredRun[]>();
  const uses = new Map<number, number>();
  for (const part of slices.flatMap(partsOf)) uses.set(part, (uses.get(part) ?? 0) + 1);
  const isWhole = (slice: number): boolean => runs.get(slice)?.at(-1)?.task.endsSlice === true;
  let mixed = new Float32Array();

  return {
    toRun: [...uses.keys()],
    *add(run) {
      const { slice } = run.task;
      runs.set(slice, [...(runs.get(slice) ?? []), run]);
      while (next !== undefined && partsOf(next).every(isWhole)) {
        const parts = partsOf(next).map((part) => runs.get(part) ?? []);
        for (const [n, { task, scores }] of (parts[0] ?? []).entries()) {
          mixed = mix(
            parts.map((part) => part[n]?.scores.data ?? scores.data),
            weight,
            mixed,
          );
          yield { task, scores: { shape: scores.shape, data: mixed } };
        }
        for (const part of partsOf(next)) {
          const left = (uses.get(part) ?? 0) - 1;
          uses.set(part, left);
          if (left === 0) runs.delete(part);
        }
        next = waiting.next().value;
      }
    },
  };
}

function mix(
  parts: readonly Float32Array[],
  weight: number,
  spare: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  const [own = spare, before = own, after = own] = parts;
  const mixed = spare.length === own.length ? spare : new Float32Array(own.length);
  for (let at = 0; at < mixed.length; at++) {
    const value = own[at] ?? 0;
    mixed[at] = value + weight * ((before[at] ?? 0) + (after[at] ?? 0) - 2 * value);
  }
  return mixed;
}
