import { InputError, isSegmentationError } from '../../src/errors.ts';
import { expect } from 'vitest';
import { startCpuClock } from './cpu-clock.ts';

interface MutationBounds {
  /** For one input. */
  readonly ms: number;
  /** More than before the first input, at any time. */
  readonly bytes: number;
}

/** What an input that nobody checked may cost (issue text: a result or a typed error within 2 s and 1 GB). */
const BOUNDS: MutationBounds = { ms: 2000, bytes: 2 ** 30 };

/** Feeds a reader with inputs that were damaged in every way, and expects a result or a typed error of each.
 * @param inputs count of them; `mutate` makes the n-th
 * @returns how many were read, and how many were refused with each code */
export async function survive<T>(
  inputs: number,
  mutate: (random: () => number) => T,
  read: (input: T) => unknown,
): Promise<{ readonly results: number; readonly refused: Readonly<Record<string, number>> }> {
  const refused: Record<string, number> = {};
  let results = 0;
  const before = process.memoryUsage().rss;
  for (let seed = 0; seed < inputs; seed++) {
    const input = mutate(randomOf(seed));
    const cpuMs = startCpuClock();
    try {
      await read(input);
      results++;
    } catch (error) {
      if (!(error instanceof InputError)) {
        const name = isSegmentationError(error) ? error.code : String(error);
        throw new Error(`mutation ${seed} ended in ${name}, no InputError`, { cause: error });
      }
      expect(error.remedy.length, `mutation ${seed}, ${error.message}`).toBeGreaterThan(5);
      refused[error.code] = (refused[error.code] ?? 0) + 1;
    }
    expect(cpuMs(), `milliseconds of CPU for mutation ${seed}`).toBeLessThan(BOUNDS.ms);
    expect(process.memoryUsage().rss - before, `bytes after mutation ${seed}`).toBeLessThan(BOUNDS.bytes);
  }
  return { results, refused };
}

/** A copy of a binary file with one to eight changes: bits, bytes, lengths and counts of the extreme kind, pieces cut,
 * repeated, moved, and the file ended early. Where `from` to `to` are given, most of them are there. */
export function mutateBytes(file: Uint8Array, random: () => number, [from, to] = [0, file.length]): Uint8Array {
  let bytes = new Uint8Array(file); // slice() of a Buffer is a view
  const pick = (count: number): number => Math.floor(random() * count);
  const place = (): number => (random() < 0.8 ? from + pick(Math.min(to, bytes.length) - from) : pick(bytes.length));
  for (let changes = 1 + pick(8); changes > 0; changes--) {
    const at = place();
    const length = pick(64);
    switch (pick(9)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
        break;
      case 1:
        bytes[at] = pick(256);
        break;
      case 2:
        bytes.fill(pick(256), at, at + length);
        break;
      case 3:
        setNumber(bytes, at, pick(2) === 0 ? 2 : 4, EXTREMES[pick(EXTREMES.length)] ?? 0);
        break;
      case 4:
        setNumber(bytes, at & ~1, 2, pick(0x10000));
        break;
      case 5:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + length));
        break;
      case 6:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - length)));
        break;
      case 7:
        bytes.copyWithin(at, place(), place());
        break;
      default:
        if (random() < 0.2) bytes = bytes.slice(0, at);
    }
  }
  return bytes;
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

const EXTREMES = [0, 1, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

function setNumber(bytes: Uint8Array, at: number, byteLength: 2 | 4, value: number): void {
  for (let byte = 0; byte < byteLength && at + byte < bytes.length; byte++)
    bytes[at + byte] = (value >>> (8 * byte)) & 0xff;
}

/** mulberry32: the same numbers for a seed everywhere. */
function randomOf(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
