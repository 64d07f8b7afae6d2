import { describe, expect, test } from 'vitest';
import { createCell } from '../../../extension/ohif/observable.ts';

describe('createCell', () => {
  test('tells its listeners of a change, until they leave', () => {
    const cell = createCell({ count: 0, name: 'a' });
    const seen: number[] = [];
    const leave = cell.subscribe(() => seen.push(cell.get().count));
    cell.update({ count: 1 });
    leave();
    cell.update({ count: 2 });
    expect(seen).toEqual([1]);
    expect(cell.get()).toEqual({ count: 2, name: 'a' });
  });

  test('is silent, and keeps its object, when nothing is another value', () => {
    const cell = createCell({ count: 0 });
    const before = cell.get();
    cell.subscribe(() => {
      throw new Error('told of no change');
    });
    cell.update({ count: 0 });
    expect(cell.get()).toBe(before);
  });

  test('a listener that leaves while it is told does not keep others from hearing', () => {
    const cell = createCell({ count: 0 });
    const heard: string[] = [];
    const leave = cell.subscribe(() => {
      heard.push('first');
      leave();
    });
    cell.subscribe(() => heard.push('second'));
    cell.update({ count: 1 });
    expect(heard).toEqual(['first', 'second']);
  });
});
