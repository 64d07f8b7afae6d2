/** Whether the longest suites run whole: SLICEWISE_FULL=1, which `.ci/full` sets. Without it they run a part of their
 * inputs that still asks every question once; the rest is not defined, so that nothing skipped looks passed. */
export const isFull = process.env['SLICEWISE_FULL'] === '1';

/** All inputs in a full run, else those that were picked for every run. */
export function inFull<T>(picked: readonly T[], others: readonly T[]): readonly T[] {
  return isFull ? [...picked, ...others] : picked;
}
