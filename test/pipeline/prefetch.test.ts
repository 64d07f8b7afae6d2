import { describe, expect, test } from 'vitest';
import type { InferenceSession, Tensor } from '../../src/inference/backend.ts';
import { prefetchRuns } from '../../src/pipeline/prefetch.ts';
import { createManifest } from './fake-session.ts';

const tensor = (n: number): Tensor => ({ shape: [1], data: Float32Array.of(n) });

/** Writes down when each run starts and ends. */
function createLoggedSession(log: string[], failAt = -1, runsUnderWay?: number): InferenceSession {
  return {
    ...(runsUnderWay !== undefined && { runsUnderWay }),
    backendId: 'logged',
    model: { manifest: createManifest() },
    async run({ data }) {
      const n = data[0] ?? NaN;
      log.push(`start ${n}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(`end ${n}`);
      if (n === failAt) throw new Error(`run ${n} failed`);
      return tensor(n * 10);
    },
    dispose: () => Promise.resolve(),
  };
}

describe('prefetchRuns', () => {
  test('while a run is in flight the next input is prepared and the last answer decoded', async () => {
    const log: string[] = [];
    const prepare = (n: number): Tensor => {
      log.push(`prepare ${n}`);
      return tensor(n);
    };
    for await (const { task, scores, backendId } of prefetchRuns(
      createLoggedSession(log),
      [0, 1, 2],
      prepare,
      undefined,
    )) {
      log.push(`decode ${task}`);
      expect(scores.data[0]).toBe(task * 10);
      expect(backendId).toBe('logged');
    }
    expect(log).toEqual([
      ...['prepare 0', 'start 0', 'prepare 1', 'end 0'],
      ...['start 1', 'decode 0', 'prepare 2', 'end 1'],
      ...['start 2', 'decode 1', 'end 2'],
      'decode 2',
    ]);
  });

  test('a session that takes two runs at once always has one waiting behind the one it does', async () => {
    const log: string[] = [];
    const prepare = (n: number): Tensor => {
      log.push(`prepare ${n}`);
      return tensor(n);
    };
    const runs = prefetchRuns(createLoggedSession(log, -1, 2), [0, 1, 2, 3], prepare, undefined);
    for await (const { task, scores } of runs) {
      log.push(`decode ${task}`);
      expect(scores.data[0]).toBe(task * 10);
    }
    expect(log.filter((entry) => !entry.startsWith('end'))).toEqual([
      ...['prepare 0', 'start 0', 'prepare 1', 'start 1', 'prepare 2'],
      ...['start 2', 'decode 0', 'prepare 3', 'start 3', 'decode 1', 'decode 2', 'decode 3'],
    ]);
  });

  test('the time of a run does not count the one before it', async () => {
    let before: Promise<unknown> = Promise.resolve();
    const oneByOne: InferenceSession = {
      ...createLoggedSession([], -1, 2),
      run(input) {
        const run = before.then(() => new Promise((resolve) => setTimeout(resolve, 20))).then(() => input);
        before = run;
        return run;
      },
    };
    const start = performance.now();
    let sum = 0;
    for await (const { durationMs } of prefetchRuns(oneByOne, [0, 1, 2, 3], tensor, undefined)) sum += durationMs;
    expect(sum).toBeLessThanOrEqual(performance.now() - start);
  });

  test('without tasks it ends at once', async () => {
    const runs = prefetchRuns(createLoggedSession([]), [], tensor, undefined);
    expect(await runs.next()).toEqual({ done: true, value: undefined });
  });

  test('a failed run rejects, and none is started after it', async () => {
    const log: string[] = [];
    const done: number[] = [];
    const all = async (): Promise<void> => {
      for await (const { task } of prefetchRuns(createLoggedSession(log, 1), [0, 1, 2, 3], tensor, undefined))
        done.push(task);
    };
    await expect(all()).rejects.toThrow('run 1 failed');
    expect(done).toEqual([0]);
    expect(log.at(-1)).toBe('end 1');
  });

  test('a failed preparation waits for the run in flight before it rejects', async () => {
    const log: string[] = [];
    const prepare = (n: number): Tensor => {
      if (n === 1) throw new Error('no input');
      return tensor(n);
    };
    await expect(prefetchRuns(createLoggedSession(log), [0, 1], prepare, undefined).next()).rejects.toThrow('no input');
    expect(log).toEqual(['start 0', 'end 0']);
  });

  test('a caller that leaves early finds no run in flight, nor an unhandled rejection of it', async () => {
    const log: string[] = [];
    for await (const { task } of prefetchRuns(createLoggedSession(log, 1), [0, 1, 2], tensor, undefined)) {
      if (task === 0) break;
    }
    expect(log).toEqual(['start 0', 'end 0', 'start 1', 'end 1']);
  });
});
