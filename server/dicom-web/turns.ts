import { HttpError } from '../http-error.ts';

/** Runs tasks of all requests, so many at once and the others in the order in which they came.
 * @throws HttpError 503 where too many wait */
export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

export function createTurns(atOnce: number, maxWaiting: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  const next = (): void => {
    running--;
    waiting.shift()?.();
  };
  return async (task) => {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting) {
        throw new HttpError(503, 'Too much is asked for at this moment.', { 'Retry-After': '2' });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    running++;
    try {
      return await task();
    } finally {
      next();
    }
  };
}
