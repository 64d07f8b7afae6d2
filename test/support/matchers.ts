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
