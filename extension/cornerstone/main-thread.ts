/** The longest that work goes on before the page may paint and answer: half of a frame at 60 Hz. */
const TURN_MS = 8;

/** Splits long work of the main thread into turns. */
export interface Pacer {
  /** Waits for the page's next turn if this one has lasted long enough.
   * @throws the signal's reason */
  pause(signal?: AbortSignal): Promise<void>;
}

export function createPacer({ beforeTurn }: { readonly beforeTurn?: (() => void) | undefined } = {}): Pacer {
  let turnEnds = performance.now() + TURN_MS;
  return {
    async pause(signal) {
      signal?.throwIfAborted();
      if (performance.now() < turnEnds) return;
      beforeTurn?.();
      await nextTurn();
      turnEnds = performance.now() + TURN_MS;
      signal?.throwIfAborted();
    },
  };
}

/** Runs a piece of work and leaves its duration in the page's User Timing, under `slicewise:<name>`. */
export function timed<T>(name: string, work: () => T): T {
  const start = performance.now();
  try {
    return work();
  } finally {
    performance.measure(`slicewise:${name}`, { start, end: performance.now() });
  }
}

/** A message, because timers nested in each other wait 4 ms. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
