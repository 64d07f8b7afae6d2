/** Runs tasks one after another, in the order they came. */
export interface SerialQueue {
  /** The task's own result or error; a task that fails holds up none behind it.
   * @throws the signal's reason, at once, if it aborts before the task starts: the task is then never called */
  add<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createSerialQueue(): SerialQueue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    add(task, signal) {
      const turn = signal === undefined ? last : abortable(last, signal);
      const result = turn.then(task);
      // An aborted task leaves at once, but the one behind it still waits for the one before it.
      last = Promise.allSettled([last, result]).then(() => undefined);
      return result;
    },
  };
}

/** Settles with `turn`, or rejects with the signal's reason if that comes first. */
async function abortable(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let leave = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => {
      // The caller chose the reason; whatever it is, it is handed on as it is.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      reject(signal.reason);
    };
  });
  signal.addEventListener('abort', leave);
  try {
    await Promise.race([turn, aborted]);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
