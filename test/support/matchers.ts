import { expect } from 'vitest';

/** expect.stringMatching, but not typed `any`. */
export function textMatching(pattern: RegExp | string): string {
  return expect.stringMatching(pattern) as string;
}

/** expect.stringContaining, but not typed `any`. */
export function textContaining(text: string): string {
  return expect.stringContaining(text) as string;
}

/** An error with these properties, for toThrow. */
export function errorWith(properties: { readonly code: string; readonly message?: string }): Error {
  return expect.objectContaining(properties) as Error;
}

/** The same numbers in the same order. toEqual takes microseconds for each of them, and a property pays that a hundred
 * times. */
export function expectSameValues(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let at = 0; at < expected.length; at++) {
    if (actual[at] !== expected[at]) expect({ at, value: actual[at] }).toEqual({ at, value: expected[at] });
  }
}
