import type { InferenceSession, Tensor } from '../inference/backend.ts';

/** A task for the model, and its answer. */
export interface AnsweredTask<Task> {
  readonly task: Task;
  readonly scores: Tensor;
  readonly backendId: string;
  /** From handing the input over, or from the answer before if that came later, until the answer. */
  readonly durationMs: number;
}

/** Runs a session over tasks, in order, so that the model never waits: while it runs, the caller decodes the last answer
 * and the next input is prepared. One answer is held at a time, and one input more than the session has runs under way.
 *
 * When it ends, in whatever way, no run of its is in flight.
 * @throws the signal's reason, after the runs in flight; whatever session.run or prepare throw */
export async function* prefetchRuns<Task>(
  session: InferenceSession,
  tasks: Iterable<Task>,
  prepare: (task: Task) => Tensor,
  signal: AbortSignal | undefined,
): AsyncGenerator<AnsweredTask<Task>, void, undefined> {
  const { runsUnderWay = 1 } = session;
  const queue = tasks[Symbol.iterator]();
  const turn = createEventLoopYielder();
  const start = createStarter<Task>(session, signal);
  const inFlight: Promise<AnsweredTask<Task>>[] = [];
  try {
    let next = prepareNext(queue, prepare, signal);
    while (next || inFlight.length > 0) {
      let finished: AnsweredTask<Task> | undefined;
      if (!next || inFlight.length === runsUnderWay) {
        finished = await inFlight[0];
        void inFlight.shift();
        signal?.throwIfAborted();
      }
      if (next) {
        inFlight.push(start(next));
        await turn.pass(); // the input is on its way before anything else keeps this thread busy
      }
      if (finished) yield finished;
      next &&= prepareNext(queue, prepare, signal);
    }
  } finally {
    await Promise.allSettled(inFlight);
    turn.close();
  }
}

interface Prepared<Task> {
  readonly task: Task;
  readonly input: Tensor;
}

function prepareNext<Task>(
  queue: Iterator<Task>,
  prepare: (task: Task) => Tensor,
  signal: AbortSignal | undefined,
): Prepared<Task> | undefined {
  signal?.throwIfAborted();
  const next = queue.next();
  return next.done ? undefined : { task: next.value, input: prepare(next.value) };
}

function createStarter<Task>(
  session: InferenceSession,
  signal: AbortSignal | undefined,
): (prepared: Prepared<Task>) => Promise<AnsweredTask<Task>> {
  let answeredAt = -Infinity;
  return ({ task, input }) => {
    const handedOverAt = performance.now();
    const run = session.run(input, signal ? { signal } : {}).then((scores) => {
      const startedAt = Math.max(handedOverAt, answeredAt);
      answeredAt = performance.now();
      return { task, scores, backendId: session.backendId, durationMs: answeredAt - startedAt };
    });
    run.catch(() => undefined); // it may fail before it is awaited; it will be
    return run;
  };
}

/** Lets waiting messages be handled: a run is on its way to its worker, an abort arrives, a page repaints.
 * setTimeout would do, but browsers make nested ones wait 4 ms. */
export interface EventLoopYielder {
  pass(): Promise<void>;
  close(): void;
}

export function createEventLoopYielder(): EventLoopYielder {
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
