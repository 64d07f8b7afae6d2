import type { InferenceSession, Tensor } from '../inference/backend.ts';
import { createEventTurn } from './event-turn.ts';

/** A task for the model, and its answer. */
export interface FinishedRun<Task> {
  readonly task: Task;
  readonly scores: Tensor;
  readonly backendId: string;
  /** From handing the input over until the answer. */
  readonly durationMs: number;
}

/** Runs a session over tasks, in order, so that the model never waits: while run n is in flight, the caller decodes
 * n − 1 and the input of n + 1 is prepared. Two inputs and one answer are held at a time.
 *
 * When it ends, in whatever way, no run of its is in flight.
 * @throws the signal's reason, after the run in flight; whatever session.run or prepare throw */
export async function* runAhead<Task>(
  session: InferenceSession,
  tasks: Iterable<Task>,
  prepare: (task: Task) => Tensor,
  signal: AbortSignal | undefined,
): AsyncGenerator<FinishedRun<Task>, void, undefined> {
  const queue = tasks[Symbol.iterator]();
  const turn = createEventTurn();
  let inFlight: Promise<FinishedRun<Task>> | undefined;
  try {
    let next = prepareNext(queue, prepare, signal);
    while (next) {
      const finished = await inFlight;
      signal?.throwIfAborted();
      inFlight = start(session, next, signal);
      await turn.pass(); // the input is on its way before anything else keeps this thread busy
      if (finished) yield finished;
      next = prepareNext(queue, prepare, signal);
    }
    const last = await inFlight;
    signal?.throwIfAborted();
    if (last) yield last;
  } finally {
    await inFlight?.catch(() => undefined);
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

function start<Task>(
  session: InferenceSession,
  { task, input }: Prepared<Task>,
  signal: AbortSignal | undefined,
): Promise<FinishedRun<Task>> {
  const startedAt = performance.now();
  const run = session.run(input, signal ? { signal } : {}).then((scores) => ({
    task,
    scores,
    backendId: session.backendId,
    durationMs: performance.now() - startedAt,
  }));
  run.catch(() => undefined); // it may fail before it is awaited; it will be
  return run;
}
