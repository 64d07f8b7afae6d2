import { HttpError } from '../http-error.ts';

/** Runs tasks of all requests, so many at once and the others in the order in which they came.
 * @throws HttpError 503 where too many wait */
export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

/** @param maxWaiting tasks that wait for their turn */
export function createTurns(atOnce: number, maxWaiting = Infinity): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  const takeTurn = async (): Promise<void> => {
    if (running < atOnce) {
      running++;
      return;
    }
    if (waiting.length >= maxWaiting) {
      throw new HttpError(503, 'Too much is asked for at this moment.', { 'Retry-After': '2' });
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  /** The one that waits longest gets it, before a task that comes meanwhile. */
  const passOn = (): void => {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  };
  return async (task) => {
    await takeTurn();
    try {
      return await task();
    } finally {
      passOn();
    }
  };
}
