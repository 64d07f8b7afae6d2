/** Lets waiting messages be handled: a run is on its way to its worker, an abort arrives, a page repaints.
 * setTimeout would do, but browsers make nested ones wait 4 ms. */
export interface EventTurn {
  pass(): Promise<void>;
  close(): void;
}

export function createEventTurn(): EventTurn {
  const { port1, port2 } = new MessageChannel();
  let resume = (): void => undefined;
  port1.addEventListener('message', () => {
    resume();
  });
  port1.start();
  return {
    pass: () =>
      new Promise<void>((resolve) => {
        resume = resolve;
        port2.postMessage(undefined);
      }),
    close: () => {
      port1.close();
    },
  };
}
