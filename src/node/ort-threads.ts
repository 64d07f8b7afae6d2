import { Worker } from 'node:worker_threads';
import { EnvironmentError, InternalError } from '../errors.ts';
import { createSerialQueue, type InferenceBackend, type SerialQueue } from '../inference/backend.ts';
import {
  assertModelBytes,
  assertSignature,
  createSession,
  isLackOfMemory,
  type LoadedGraph,
  openingFailed,
  outOfMemory,
  reasonOf,
  webAssemblyUnavailable,
} from '../inference/session.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { Reply, Request, ThreadData } from './ort-thread.js';
import { areRunsAbandoned, INSTALL_NATIVE_RUNTIME, disableRuntimeTelemetry } from './process.ts';

export interface NodeBackendOptions {
  /** Of one run; onnxruntime takes as many as there are physical cores if it is not told. */
  readonly threads?: number;
  /** The script of the worker thread, for tests.
   * @internal */
  readonly workerUrl?: URL;
}

/** onnxruntime-node on the CPU, each session in a worker thread of its own, so that the caller's thread stays free.
 * A thread keeps the process alive only while it owes an answer. The one of a probe stays for the next session: call it
 * while the model is on its way, and opening is quicker. */
export function createNodeBackend(options: NodeBackendOptions = {}): InferenceBackend {
  return createThreadBackend(NATIVE, options);
}

/** onnxruntime's WebAssembly build in a worker thread, otherwise as {@link createNodeBackend}: the caller's thread reads,
 * decodes and hears of a Ctrl-C while a graph runs. A run has one thread. */
export function createWasmThreadBackend(options: Pick<NodeBackendOptions, 'workerUrl'> = {}): InferenceBackend {
  return createThreadBackend(WEB_ASSEMBLY, options);
}

interface Runtime {
  readonly id: 'node' | 'wasm';
  readonly module: ThreadData['runtime'];
  readonly unavailable: (reason: string) => EnvironmentError;
}

const NATIVE: Runtime = {
  id: 'node',
  module: 'onnxruntime-node',
  unavailable: (reason) =>
    new EnvironmentError('backend-unavailable', `onnxruntime-node does not load here: ${reason}.`, {
      remedy: `Install it on this machine (${INSTALL_NATIVE_RUNTIME}), or use the WebAssembly backend.`,
      details: {
        option: 'backend',
        choices: ['wasm'],
        platform: process.platform,
        architecture: process.arch,
        message: reason,
      },
    }),
};

const WEB_ASSEMBLY: Runtime = { id: 'wasm', module: 'onnxruntime-web/wasm', unavailable: webAssemblyUnavailable };

function createThreadBackend(runtime: Runtime, options: NodeBackendOptions): InferenceBackend {
  let spare: Thread | undefined;
  const takeThread = (): Thread => {
    const thread = spare ?? startThread(runtime, options.workerUrl ?? new URL('./ort-thread.js', import.meta.url));
    spare = undefined;
    return thread;
  };
  return {
    id: runtime.id,
    async probe() {
      spare ??= takeThread();
      const { channel, started } = spare;
      try {
        await started;
        return { available: true };
      } catch (cause) {
        spare = undefined;
        await channel.close();
        return { available: false, reason: reasonOf(cause) };
      }
    },
    async openSession(model, { takesBytes = false } = {}) {
      await assertModelBytes(model);
      const { channel, started } = takeThread();
      try {
        await started;
        const graph = await openGraph(channel, model, takesBytes, options.threads);
        return createSession(runtime.id, model.manifest, graph, createThreadQueue(), RUNS_UNDER_WAY);
      } catch (cause) {
        await channel.close();
        throw cause;
      }
    },
  };
}

interface Thread {
  readonly channel: Channel;
  /** Rejects with an EnvironmentError `backend-unavailable`. */
  readonly started: Promise<void>;
}

function startThread(runtime: Runtime, script: URL): Thread {
  // Before any other thread reads the environment.
  const isSilent = runtime !== NATIVE || disableRuntimeTelemetry();
  const channel = openChannel(script, runtime);
  const started = isSilent ? startRuntime(channel, runtime) : Promise.reject(wouldReport());
  started.catch(() => undefined); // it may fail before it is awaited
  return { channel, started };
}

/** Has the thread load the runtime.
 * @throws EnvironmentError `backend-unavailable` */
async function startRuntime(thread: Channel, { unavailable }: Runtime): Promise<void> {
  const reply = await thread.request({ kind: 'probe' });
  if (reply.kind !== 'ready') throw unavailable(reasonIn(reply));
}

function wouldReport(): EnvironmentError {
  const message =
    "onnxruntime-node would report to its maker: in a worker thread it sees the process's environment only, " +
    'where ORT_DISABLE_TELEMETRY is not 1.';
  return new EnvironmentError('backend-unavailable', message, {
    remedy: 'Set ORT_DISABLE_TELEMETRY=1 in the main thread before the worker starts, or use the wasm backend.',
  });
}

async function openGraph(
  thread: Channel,
  { manifest, bytes }: LoadedModel,
  takesBytes: boolean,
  threads: number | undefined,
): Promise<LoadedGraph> {
  const buffer = takesBytes ? ownBuffer(bytes) : new Uint8Array(bytes).buffer;
  // Inputs go through shared memory: transferred ones would pile up in a thread that has little else to collect.
  const length = manifest.input.shape.reduce((product, axis) => product * axis, 1);
  const free = Array.from({ length: RUNS_UNDER_WAY }, () => new Float32Array(new SharedArrayBuffer(4 * length)));
  const opened = await thread.request({ kind: 'open', bytes: buffer, threads }, [buffer]);
  if (opened.kind !== 'opened') throw openingFailed(manifest, reasonIn(opened));
  assertSignature(manifest, opened.inputs, opened.outputs);
  return {
    async execute({ shape, data }) {
      const input = free.pop();
      if (input === undefined) throw new RangeError(`more than ${RUNS_UNDER_WAY} runs at once`);
      input.set(data);
      const names = { inputName: manifest.input.name, outputName: manifest.output.name };
      const reply = await thread.request({ kind: 'run', ...names, shape, input }).finally(() => free.push(input));
      if (reply.kind !== 'ran') throw new Error(reasonIn(reply));
      return { shape: reply.shape, data: new Float32Array(reply.data) };
    },
    release: () => thread.close(),
  };
}

interface Channel {
  /** Answered in order. @throws InternalError `inference-failed` if the thread has ended */
  request(request: Request, transfer?: readonly ArrayBuffer[]): Promise<Reply>;
  /** Frees what the thread holds and ends it. */
  close(): Promise<void>;
}

/** process.exit in the middle of a run makes the native binding throw where none catches it, and the process aborts
 * with SIGABRT instead of its exit code; so the exit waits for the run, this long at most. */
const MAX_RUN_MS = 60_000;

function openChannel(url: URL, runtime: Runtime): Channel {
  const owed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: ThreadData = { runtime: runtime.module, owed };
  // No execArgv: a TypeScript loader of the process would only slow the thread's start.
  const worker = new Worker(url, { execArgv: [], workerData });
  const awaitAnswers = (): void => {
    if (areRunsAbandoned()) return;
    for (let count = 1; count > 0; count = Atomics.load(owed, 0)) {
      if (Atomics.wait(owed, 0, count, MAX_RUN_MS) === 'timed-out') return;
    }
  };
  if (runtime === NATIVE) process.on('exit', awaitAnswers);
  let end: InternalError | EnvironmentError | undefined;
  const pending: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  const ended = new Promise<void>((resolve) => {
    const finish = (cause: unknown): void => {
      end ??= endedThread(runtime, cause);
      for (const { reject } of pending.splice(0)) reject(end);
      process.off('exit', awaitAnswers);
      resolve();
    };
    worker.on('error', finish);
    worker.on('exit', finish);
  });
  worker.on('message', (reply: Reply) => {
    pending.shift()?.resolve(reply);
    if (pending.length === 0) worker.unref();
  });
  worker.unref();

  const request: Channel['request'] = (message, transfer = []) =>
    new Promise((resolve, reject) => {
      if (end !== undefined) {
        reject(end);
        return;
      }
      pending.push({ resolve, reject });
      worker.ref();
      Atomics.add(owed, 0, 1);
      worker.postMessage(message, transfer);
    });

  return {
    request,
    async close() {
      if (end !== undefined) return;
      await request({ kind: 'close' }).catch(() => undefined);
      worker.ref();
      await ended;
    },
  };
}

function endedThread(runtime: Runtime, cause: unknown): InternalError | EnvironmentError {
  if (isLackOfMemory(cause)) return outOfMemory('run the model', cause);
  const why = typeof cause === 'number' ? `exit code ${cause}` : reasonOf(cause);
  const message = `onnxruntime's thread has ended (${why}); the session is lost.`;
  if (runtime !== NATIVE)
    return new InternalError('inference-failed', message, { remedy: 'Open the model again.', cause });
  return new InternalError('inference-failed', message, {
    remedy: 'Open the model again; if it ends again, use the WebAssembly backend.',
    details: { option: 'backend', choices: ['wasm'] },
    cause,
  });
}

/** A buffer that holds these values and nothing else, so that it can be transferred: theirs where it is so. */
function ownBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
  return Uint8Array.from(new Uint8Array(buffer, byteOffset, byteLength)).buffer;
}

function reasonIn(reply: Reply): string {
  return reply.kind === 'failed' ? reasonOf(reply.message) : `it answered "${reply.kind}"`;
}

/** One run under way and one behind it: a thread that has to ask for its next input idles for a millisecond a run. */
const RUNS_UNDER_WAY = 2;

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
