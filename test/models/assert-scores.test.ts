import { describe, expect, test } from 'vitest';
import { assertScores } from '../../src/models/assert-scores.ts';
import { loadTinyModel } from '../support/models.ts';

const { manifest } = await loadTinyModel();
const check = (kind: 'logits' | 'probabilities', scores: readonly number[]) => () => {
  assertScores(Float32Array.from(scores), {
    segments: manifest.segments.slice(0, 2),
    output: { ...manifest.output, kind },
  });
};

// Three classes in two places, places fastest.
const softmax = [0.2, 0.1, 0.3, 0.1, 0.5, 0.8];
const sigmoid = [0.9, 0.1, 0.8, 0.1, 0.5, 0.1];
const logits = [-4, 3, 2.5, 0, 1, 7];
const oneHot = [1, 0, 0, 1, 0, 0];

describe('scores of the kind that is said pass', () => {
  test.each([
    ['logits', logits],
    ['logits', sigmoid],
    ['logits', oneHot],
    ['logits', [0, 0, 0, 0, 0, 0]],
    ['probabilities', softmax],
    ['probabilities', oneHot],
    ['probabilities', softmax.map((value) => value * 1.0009)],
  ] as const)('%s %j', (kind, scores) => {
    expect(check(kind, scores)).not.toThrow();
  });
});

describe('others are refused, with their range and sums', () => {
  test.each([
    ['logits declared probabilities', 'probabilities', logits, /from -4\.000 to 7\.000.* from -0\.5000 to 10\.00/],
    ['sigmoid declared probabilities', 'probabilities', sigmoid, /sums in one place go from 0\.3000 to 2\.200/],
    ['softmax declared logits', 'logits', softmax, /from 0\.1000 to 0\.8000.* from 1\.000 to 1\.000/],
    ['probabilities with a sum of 1.002', 'probabilities', softmax.map((value) => value * 1.002), /1\.002/],
    ['a sum of 1 of values outside 0…1', 'probabilities', [-0.5, 0.2, 0.5, 0.2, 1, 0.6], /-0\.5000/],
  ] as const)('%s', (_, kind, scores, message) => {
    expect(check(kind, scores)).toThrow(message);
    expect(check(kind, scores)).toThrow(expect.objectContaining({ name: 'ModelError', code: 'model-file-mismatch' }));
  });

  test.each([NaN, Infinity, -Infinity])('%d', (value) => {
    expect(check('logits', [0, 1, value, 2, 3, 4])).toThrow(/1 of the 6 scores .* not finite/);
  });
});
