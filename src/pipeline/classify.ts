import type { ModelManifest } from '../models/manifest.ts';
import { classCount } from '../models/manifest-facts.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';

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

/** For each slice k what its voxels' uncertainty lets expect to be missing from a Dice of 1, all segments as one: 0
 * where nothing is found or doubted, near 1 where what may be there was not found at all.
 *
 * Ranks slices by their errors: of the validation slices that show a structure, the worst fifth by Dice were among the
 * three tenths that rank highest for 79 % (hippocampus-mr) and 80 % (cardiac-mr); by mean entropy for 24 % and 56 %,
 * for small structures at an organ's ends are missed with little doubt a voxel, but much for their size. */
export function sliceUncertainty(
  { labels, uncertainty }: VoxelTarget,
  { dimensions, spacing }: VolumeGeometry,
  classes: number,
): Float32Array {
  const size = dimensions[0] * dimensions[1];
  const errorOf = errorProbabilities(classes);
  const known = KNOWN_MM2 / (spacing[0] * spacing[1]);
  return Float32Array.from({ length: dimensions[2] }, (_, k) => {
    let [found, wrong, missed] = [0, 0, 0];
    for (let at = k * size; at < (k + 1) * size; at++) {
      const error = errorOf[uncertainty[at] ?? 0] ?? 0;
      if (labels[at] === 0) {
        missed += error;
      } else {
        found++;
        wrong += error;
      }
    }
    const right = found - wrong;
    return 1 - (2 * right + known) / (found + right + missed + known);
  });
}

/** Below this share of the highest entropy a voxel is taken for sure: many hardly uncertain ones would outweigh a
 * small structure. */
const SURE = 0.2;

/** As if so much had surely been found: else a few doubtful voxels made an empty slice the most uncertain. */
const KNOWN_MM2 = 20;

function errorProbabilities(classes: number): Float64Array {
  return Float64Array.from({ length: 256 }, (_, value) => {
    if (value < SURE * 255) return 0;
    const entropy = (value / 255) * Math.log(classes);
    let [low, high] = [0, 0.5];
    for (let step = 0; step < 40; step++) {
      const middle = (low + high) / 2;
      const reached = -middle * Math.log(middle) - (1 - middle) * Math.log(1 - middle);
      if (reached < entropy) low = middle;
      else high = middle;
    }
    return high;
  });
}
