import type { ModelManifest } from '../models/manifest.ts';
import { classCount } from '../models/output-shape.ts';

/** What a model's scores mean. */
export interface Scoring {
  readonly classes: number;
  readonly kind: 'logits' | 'probabilities';
  /** Logits are divided by it before the softmax; without effect on probabilities. */
  readonly temperature: number;
}

/** Where results go: arrays on the grid of a volume, or of one slice. */
export interface VoxelTarget {
  readonly labels: Uint8Array | Uint16Array;
  /** round(255 · entropy / ln classes) */
  readonly uncertainty: Uint8Array;
  /** [classes × voxels], round(255 · probability); absent unless asked for. */
  readonly probabilities?: Uint8Array;
}

export function scoringOf(manifest: ModelManifest): Scoring {
  return { classes: classCount(manifest), kind: manifest.output.kind, temperature: manifest.output.temperature };
}

/** All background and certain. */
export function createVoxelTarget(count: number, classes: number, keepProbabilities: boolean): VoxelTarget {
  return {
    labels: classes <= 256 ? new Uint8Array(count) : new Uint16Array(count),
    uncertainty: new Uint8Array(count),
    ...(keepProbabilities ? { probabilities: new Uint8Array(classes * count) } : {}),
  };
}

/** Writes one voxel: the first class with the highest score, the entropy of its probabilities, and those if wanted.
 * @param scores `classes` numbers from index `from` on
 * @param at the voxel's place in the target's arrays */
export function classifyVoxel(
  scores: Float32Array,
  from: number,
  scoring: Scoring,
  target: VoxelTarget,
  at: number,
): void {
  const { classes, kind, temperature } = scoring;
  let best = 0;
  let top = scores[from] ?? 0;
  for (let c = 1; c < classes; c++) {
    const score = scores[from + c] ?? 0;
    if (score > top) {
      top = score;
      best = c;
    }
  }
  target.labels[at] = best;

  // With weights w and their sum W, the entropy of w / W is ln W − Σ w ln w / W.
  let sum = 0;
  let weighted = 0;
  if (kind === 'logits') {
    for (let c = 0; c < classes; c++) {
      const fall = (top - (scores[from + c] ?? 0)) / temperature;
      const weight = expOfMinus(fall);
      sum += weight;
      weighted -= weight * fall;
    }
  } else {
    for (let c = 0; c < classes; c++) {
      const weight = scores[from + c] ?? 0;
      sum += weight;
      if (weight > 0) weighted += weight * Math.log(weight);
    }
  }
  target.uncertainty[at] = (Math.log(sum) - weighted / sum) * (255 / Math.log(classes)) + 0.5;

  const { probabilities, labels } = target;
  if (!probabilities) return;
  for (let c = 0; c < classes; c++) {
    const score = scores[from + c] ?? 0;
    const weight = kind === 'logits' ? expOfMinus((top - score) / temperature) : score;
    probabilities[c * labels.length + at] = (255 * weight) / sum + 0.5;
  }
}

/** exp(−x) for x ≥ 0 to 8e-6 of its value, and 0 from 16 on: a softmax in 256 steps needs no more, and Math.exp takes
 * most of the time of a slice. */
export function expOfMinus(x: number): number {
  if (x >= EXP_RANGE) return 0;
  const place = x * EXP_STEPS;
  const below = place | 0;
  const value = EXP_TABLE[below] ?? 0;
  return value + ((EXP_TABLE[below + 1] ?? 0) - value) * (place - below);
}

const EXP_RANGE = 16;
const EXP_STEPS = 128;
const EXP_TABLE = Float64Array.from({ length: EXP_RANGE * EXP_STEPS + 1 }, (_, n) => Math.exp(-n / EXP_STEPS));

/** Writes one voxel of which it is known that its probability is at least {@link certainProbability}. */
export function classifyCertainVoxel(label: number, { labels, probabilities }: VoxelTarget, at: number): void {
  labels[at] = label; // uncertainty and the other probabilities are 0 already
  if (probabilities) probabilities[label * labels.length + at] = 255;
}

/** The probability of the best class from which on the entropy rounds to 0 of 255, however the rest is shared out.
 * It does so most of all when shared equally; 0.49 leaves room for float32. */
export function certainProbability(classes: number): number {
  const highest = (0.49 / 255) * Math.log(classes);
  let [low, high] = [0, 0.49 / 255];
  for (let step = 0; step < 50; step++) {
    const rest = (low + high) / 2;
    const entropy = -(1 - rest) * Math.log(1 - rest) - rest * Math.log(rest / (classes - 1));
    if (entropy < highest) low = rest;
    else high = rest;
  }
  return 1 - low;
}
