import { describe, expect, test } from 'vitest';
import { createThreadQueue } from '../../src/node/ort-threads.ts';

/** Tasks that write down their start and end when told to. */
function createLoggedTasks() {
  const log: string[] = [];
  const endings: (() => void)[] = [];
  const task = (n: number) => async (): Promise<number> => {
    log.push(`start ${n}`);
    await new Promise<void>((resolve) => (endings[n] = resolve));
    log.push(`end ${n}`);
    return n;
  };
  const end = async (n: number): Promise<void> => {
    endings[n]?.();
    await settle();
  };
  return { log, task, end };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a thread queue', () => {
  test('hands a second task over while the first is under way, and the third when the first has ended', async () => {
    const { log, task, end } = createLoggedTasks();
    const queue = createThreadQueue();
    const all = Promise.all([0, 1, 2].map((n) => queue.add(task(n))));
    await settle();
    expect(log).toEqual(['start 0', 'start 1']);
    await end(0);
    expect(log).toEqual(['start 0', 'start 1', 'end 0', 'start 2']);
    await end(1);
    await end(2);
    expect(await all).toEqual([0, 1, 2]);
  });

  test('a task aborted before its turn rejects at once, whether it was handed over or not', async () => {
    const { log, task, end } = createLoggedTasks();
    const queue = createThreadQueue();
    const controller = new AbortController();
    const first = queue.add(task(0));
    const [second, third] = [1, 2].map((n) => queue.add(task(n), controller.signal));
    await settle();
    controller.abort('no more');
    await expect(second).rejects.toBe('no more');
    await expect(third).rejects.toBe('no more');
    await end(0);
    expect(await first).toBe(0);
    expect(log).toEqual(['start 0', 'start 1', 'end 0']);
  });

  test('a task that fails holds up none behind it', async () => {
    const queue = createThreadQueue();
    const failed = queue.add(() => Promise.reject(new Error('no')));
    const others = [1, 2, 3].map((n) => queue.add(() => Promise.resolve(n)));
    await expect(failed).rejects.toThrow('no');
    expect(await Promise.all(others)).toEqual([1, 2, 3]);
  });
});
