import { InternalError, isSegmentationError } from '../../src/errors.ts';
import { HttpError } from '../../server/http-error.ts';

/** Numbers from 0 to below 1, the same for one seed everywhere. */
export type Random = () => number;

/** What is fed with inputs that nobody checked. */
export interface FuzzTarget {
  readonly name: string;
  /** Of a run over all targets, so many parts are its own: what is quick gets more. */
  readonly share: number;
  /** Loads code and seeds, once a process. */
  readonly open: () => Promise<OpenTarget>;
}

export interface OpenTarget {
  /** The n-th input, made of the chance that its number gives.
   * @returns what {@link run} takes, and its bytes or text for a file that shows a finding */
  readonly make: (random: Random) => FuzzInput;
  /** Reads an input. A typed error is an answer; anything else that is thrown is a finding. */
  readonly run: (input: FuzzInput) => unknown;
}

export interface FuzzInput {
  readonly bytes: Uint8Array;
  /** Of the seed that it was made from. */
  readonly name: string;
}

/** What the product may throw at an input: an error with a code and a remedy, or an answer of the server. */
export function typedCode(error: unknown): string | undefined {
  if (error instanceof HttpError) return String(error.status);
  if (isSegmentationError(error) && !(error instanceof InternalError)) return error.code;
  return undefined;
}

/** mulberry32 over a seed and a number: any input can be made again by itself. */
export function randomOf(seed: number, index: number): Random {
  let state = (Math.imul(seed, 0x85ebca6b) ^ Math.imul(index + 1, 0x9e3779b9)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[Math.floor(random() * from.length)];
  if (found === undefined) throw new RangeError('nothing to pick from');
  return found;
}
