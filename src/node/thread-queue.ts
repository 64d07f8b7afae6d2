import { createSerialQueue, type SerialQueue } from '../inference/queue.ts';

/** One run under way and one behind it: a thread that has to ask for its next input idles for a millisecond a run. */
export const RUNS_UNDER_WAY = 2;

/** For a thread that takes its tasks in order: like a serial queue, but up to {@link RUNS_UNDER_WAY} tasks are called
 * before the first of them has ended. One that is aborted before its turn rejects at once, though the thread may still
 * do it. */
export function createThreadQueue(): SerialQueue {
  const lanes = Array.from({ length: RUNS_UNDER_WAY }, createSerialQueue);
  const inOrder = createSerialQueue();
  let count = 0;
  return {
    add(task, signal) {
      const lane = lanes[count++ % RUNS_UNDER_WAY] ?? inOrder;
      const result = lane.add(task, signal);
      result.catch(() => undefined); // whoever asked has it from the queue below
      return inOrder.add(() => result, signal);
    },
  };
}
