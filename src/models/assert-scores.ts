import { ModelError } from '../errors.ts';
import type { ModelManifest } from './manifest.ts';

/** How far probabilities may be from 0…1, and their sum from 1: float16 weights and a mean of three slices stay below. */
const PROBABILITY_TOLERANCE = 1e-3;

/** Checks that scores are of the kind that the manifest says: finite; probabilities in 0…1 whose sum is 1 in every place;
 * logits that are not probabilities. One-hot scores pass for either.
 * @param scores [classes × places], places fastest
 * @throws ModelError `inference-failed` where they are not finite (another backend may compute them), else
 * `model-file-mismatch` */
export function assertScores(
  scores: Float32Array,
  { output, segments }: Pick<ModelManifest, 'output' | 'segments'>,
): void {
  const classes = segments.length + 1;
  const places = scores.length / classes;
  const { lowest, highest, isOneHot } = rangeOf(scores);
  if (!Number.isFinite(lowest) || !Number.isFinite(highest)) throw notFinite(scores);
  const isInRange = lowest >= -PROBABILITY_TOLERANCE && highest <= 1 + PROBABILITY_TOLERANCE;
  if (output.kind === 'logits' && (!isInRange || isOneHot)) return;
  const sums = isInRange || output.kind === 'probabilities' ? sumRange(scores, places) : undefined;
  const isOne =
    sums !== undefined &&
    sums.lowest >= 1 - PROBABILITY_TOLERANCE &&
    sums.highest <= 1 + PROBABILITY_TOLERANCE &&
    isInRange;
  if (output.kind === 'logits' ? !isOne : isOne) return;
  const found =
    `values from ${lowest.toPrecision(4)} to ${highest.toPrecision(4)}, whose sums in one place go from ` +
    `${(sums?.lowest ?? 0).toPrecision(4)} to ${(sums?.highest ?? 0).toPrecision(4)}`;
  throw output.kind === 'logits'
    ? wrongKind(
        `The output is said to be logits, but holds probabilities: ${found}.`,
        'Set output.kind to "probabilities" in manifest.json, or export the graph without its softmax.',
      )
    : wrongKind(
        `The output is said to be probabilities, but holds ${found}: they should be in 0…1 and sum up to 1.`,
        isInRange
          ? 'End the graph with a softmax over the classes: a sigmoid for each class gives no one class to a voxel.'
          : 'Set output.kind to "logits" in manifest.json, or put a softmax over the classes at the end of the graph.',
      );
}

function rangeOf(scores: Float32Array): { lowest: number; highest: number; isOneHot: boolean } {
  let [lowest, highest, between] = [Infinity, -Infinity, 0];
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at] ?? 0;
    if (score - score !== 0) return { lowest: NaN, highest: NaN, isOneHot: false };
    if (score < lowest) lowest = score;
    if (score > highest) highest = score;
    if (score !== 0 && score !== 1) between++;
  }
  return { lowest, highest, isOneHot: between === 0 };
}

function sumRange(scores: Float32Array, places: number): { lowest: number; highest: number } {
  let [lowest, highest] = [Infinity, -Infinity];
  for (let place = 0; place < places; place++) {
    let sum = 0;
    for (let at = place; at < scores.length; at += places) sum += scores[at] ?? 0;
    if (sum < lowest) lowest = sum;
    if (sum > highest) highest = sum;
  }
  return { lowest, highest };
}

function notFinite(scores: Float32Array): ModelError {
  const count = scores.reduce((sum, score) => sum + (score - score === 0 ? 0 : 1), 0);
  return new ModelError(
    'inference-failed',
    `${count} of the ${scores.length} scores that the model gave are not finite numbers.`,
    {
      remedy: 'Check the weights for NaN and infinite values, and export the model again.',
      details: { count, length: scores.length },
    },
  );
}

function wrongKind(message: string, remedy: string): ModelError {
  return new ModelError('model-file-mismatch', message, { remedy });
}
