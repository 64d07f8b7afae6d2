import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSerialQueue } from '../../src/inference/backend.ts';

describe('a serial queue', () => {
  test('never runs two tasks at once and keeps their order, whatever each takes and whichever fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ ticks: fc.nat(3), fails: fc.boolean() })), async (tasks) => {
        const queue = createSerialQueue();
        const started: number[] = [];
        let running = 0;
        const results = await Promise.allSettled(
          tasks.map(({ ticks, fails }, n) =>
            queue.add(async () => {
              expect(++running).toBe(1);
              started.push(n);
              for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
              running--;
              if (fails) throw new Error(`task ${n}`);
              return n;
            }),
          ),
        );
        expect(started).toEqual(tasks.map((_, n) => n));
        expect(results).toEqual(
          tasks.map(({ fails }, n) =>
            fails ? { status: 'rejected', reason: new Error(`task ${n}`) } : { status: 'fulfilled', value: n },
          ),
        );
      }),
    );
  });

  test('a task that throws before it returns a promise rejects and holds up none', async () => {
    const queue = createSerialQueue();
    const thrown = queue.add(() => {
      throw new Error('at once');
    });
    const next = queue.add(() => Promise.resolve('next'));
    await expect(thrown).rejects.toThrow('at once');
    expect(await next).toBe('next');
  });

  test('a task with an aborted signal is never called', async () => {
    const { task, calls } = counted();
    await expect(createSerialQueue().add(task, AbortSignal.abort('no more'))).rejects.toBe('no more');
    expect(calls()).toBe(0);
  });

  test('an abort while waiting rejects at once, though the task before never ends, and the task is never called', async () => {
    const queue = createSerialQueue();
    const controller = new AbortController();
    void queue.add(() => new Promise(() => undefined));
    const { task, calls } = counted();
    const waiting = queue.add(task, controller.signal);
    controller.abort('no more');
    await expect(waiting).rejects.toBe('no more');
    expect(calls()).toBe(0);
  });

  test('a task behind an aborted one still waits for the one before it', async () => {
    const queue = createSerialQueue();
    const controller = new AbortController();
    const order: string[] = [];
    let finish = (): void => undefined;
    const first = queue.add(async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      order.push('first');
    });
    const aborted = queue.add(() => Promise.resolve(order.push('aborted')), controller.signal);
    const last = queue.add(() => Promise.resolve(order.push('last')));
    controller.abort('no more');
    await expect(aborted).rejects.toBe('no more');
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    finish();
    await Promise.all([first, last]);
    expect(order).toEqual(['first', 'last']);
  });

  test('an abort after the start leaves the task its result', async () => {
    const controller = new AbortController();
    const result = await createSerialQueue().add(() => {
      controller.abort('too late');
      return Promise.resolve('done');
    }, controller.signal);
    expect(result).toBe('done');
  });

  test('leaves no listener on a signal that outlives its tasks', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    const queue = createSerialQueue();
    for (let n = 0; n < 20; n++) await queue.add(() => Promise.resolve(), signal);
    expect(listeners).toBe(0);
  });
});

function counted(): { task: () => Promise<void>; calls: () => number } {
  let calls = 0;
  return {
    task: () => {
      calls++;
      return Promise.resolve();
    },
    calls: () => calls,
  };
}
