import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blankSnapshot, takeSnapshot } from '../../../extension/cornerstone/slice-snapshot.ts';

/** Labels in runs, long and short, at any alignment in memory. */
const anyLabels = fc
  .record({
    runs: fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 300 })), { minLength: 1 }),
    offset: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ runs, offset }) => {
    const labels = runs.flatMap(([label, length]) => new Array<number>(length).fill(label));
    const memory = new Uint8Array(labels.length + offset);
    memory.set(labels, offset);
    return memory.subarray(offset);
  });

test('a snapshot gives the labels back, and is never larger than they are', () => {
  fc.assert(
    fc.property(anyLabels, (labels) => {
      const snapshot = takeSnapshot(labels);
      const copy = new Uint8Array(labels.length);
      snapshot.copyTo(copy);
      expect(copy).toEqual(Uint8Array.from(labels));
      expect(snapshot.byteLength).toBeLessThanOrEqual(labels.length);
    }),
  );
});

test('a snapshot matches its labels, and no others', () => {
  fc.assert(
    fc.property(anyLabels, fc.nat(), fc.integer({ min: 1, max: 255 }), (labels, position, difference) => {
      const snapshot = takeSnapshot(labels);
      expect(snapshot.matches(labels)).toBe(true);
      const changed = Uint8Array.from(labels);
      const at = position % labels.length;
      changed[at] = ((changed[at] ?? 0) + difference) % 256;
      expect(snapshot.matches(changed)).toBe(false);
    }),
  );
});

test('noise is kept as it is', () => {
  const noise = Uint8Array.from({ length: 999 }, (_, at) => (at * 37) % 251);
  const snapshot = takeSnapshot(noise);
  expect(snapshot.byteLength).toBe(999);
  expect(snapshot.matches(noise)).toBe(true);
});

test('a blank snapshot matches a slice without labels', () => {
  expect(blankSnapshot(9).matches(new Uint8Array(9))).toBe(true);
  expect(blankSnapshot(9).matches(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0))).toBe(false);
});
