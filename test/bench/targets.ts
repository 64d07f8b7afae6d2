import type { RunFigures } from './contenders.ts';

/** Medians of the repetitions of one series by both programs. */
export interface SeriesFigures {
  readonly slices: number;
  readonly voxels: number;
  readonly ours: RunFigures;
  readonly peer?: RunFigures;
}

export interface Verdict {
  /** A `must` fails the bench, a `target` is only reported. */
  readonly kind: 'must' | 'target';
  readonly claim: string;
  readonly found: string;
  readonly holds: boolean;
}

/** Both programs' figures against what Slicewise promises.
 * @param figures by increasing number of slices, of one slice size */
export function judge(figures: readonly SeriesFigures[]): Verdict[] {
  return [...figures.flatMap(judgeSeries), ...judgeGrowth(figures)];
}

export function medianOf(runs: readonly RunFigures[]): RunFigures {
  const of = (figure: keyof RunFigures): number => median(runs.map((run) => run[figure]));
  return {
    inferenceMs: of('inferenceMs'),
    outsideMs: of('outsideMs'),
    wallMs: of('wallMs'),
    peakBytes: of('peakBytes'),
    labelledVoxels: of('labelledVoxels'),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return (low + high) / 2;
}

function judgeSeries({ slices, voxels, ours, peer }: SeriesFigures): Verdict[] {
  const timeLimit = 600 + 5 * slices;
  const memoryLimit = 4 * voxels + 400e6;
  const own: Verdict[] = [
    {
      kind: 'must',
      claim: `${slices} slices: time outside session.run at most ${seconds(timeLimit)}`,
      found: seconds(ours.outsideMs),
      holds: ours.outsideMs <= timeLimit,
    },
    {
      kind: 'must',
      claim: `${slices} slices: peak memory at most ${megabytes(memoryLimit)}`,
      found: megabytes(ours.peakBytes),
      holds: ours.peakBytes <= memoryLimit,
    },
  ];
  if (peer === undefined) return own;
  const time = ours.outsideMs / peer.outsideMs;
  const memory = ours.peakBytes / peer.peakBytes;
  const compare = (kind: Verdict['kind'], what: string, ratio: number, limit: number): Verdict => ({
    kind,
    claim: `${slices} slices: ${what} at most ${limit.toFixed(2)} of the Python stack's`,
    found: ratio.toFixed(2),
    holds: kind === 'must' ? ratio < limit : ratio <= limit,
  });
  return [
    ...own,
    compare('must', 'time outside', time, 1),
    compare('must', 'peak memory', memory, 1),
    compare('target', 'time outside', time, 1 / 3),
    compare('target', 'peak memory', memory, 0.5),
  ];
}

/** Between the two steps of slice count, the cost of one more slice may not grow by more than half: garbage collection
 * comes in steps, a quadratic cost would double it. 1 ms and 1 MB a slice are noise. */
function judgeGrowth(figures: readonly SeriesFigures[]): Verdict[] {
  const [small, middle, large] = figures;
  if (small === undefined || middle === undefined || large === undefined) return [];
  const grows = (
    what: string,
    of: (run: RunFigures) => number,
    noise: number,
    show: (n: number) => string,
  ): Verdict => {
    const slope = (a: SeriesFigures, b: SeriesFigures): number => (of(b.ours) - of(a.ours)) / (b.slices - a.slices);
    const [first, second] = [slope(small, middle), slope(middle, large)];
    return {
      kind: 'must',
      claim: `${what} grows linearly from ${small.slices} to ${large.slices} slices`,
      found: `${show(first)} a slice, then ${show(second)}`,
      holds: second <= 1.5 * Math.max(first, 0) + noise,
    };
  };
  return [
    grows(
      'time outside',
      (run) => run.outsideMs,
      1,
      (ms) => `${ms.toFixed(1)} ms`,
    ),
    grows(
      'peak memory',
      (run) => run.peakBytes,
      1e6,
      (bytes) => `${(bytes / 1e6).toFixed(2)} MB`,
    ),
  ];
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
