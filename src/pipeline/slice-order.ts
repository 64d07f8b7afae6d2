import { InputError } from '../errors.ts';

/** Slice k first, then its neighbours outward: k, k + 1, k − 1, k + 2 …; what a viewer wants that shows slice k. */
export function outwardFrom(k: number, count: number): number[] {
  return firstToLast(count).sort((a, b) => Math.abs(a - k) - Math.abs(b - k) || b - a);
}

export function firstToLast(count: number): number[] {
  return Array.from({ length: count }, (_, slice) => slice);
}

/** @throws InputError `invalid-arguments` unless it names slices, at least one, and each once */
export function assertSliceOrder(order: readonly number[], count: number): void {
  const named = new Set(order);
  if (
    order.length > 0 &&
    named.size === order.length &&
    order.every((k) => Number.isInteger(k) && k >= 0 && k < count)
  ) {
    return;
  }
  throw new InputError('invalid-arguments', `The slice order does not name slices of 0 to ${count - 1}, each once.`, {
    remedy: `Pass some or all of the slices 0 to ${count - 1} in any order, or no order at all.`,
    details: { order },
  });
}
