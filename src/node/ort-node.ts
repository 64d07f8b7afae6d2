import { Worker } from 'node:worker_threads';
import { EnvironmentError, InternalError } from '../errors.ts';
import type { InferenceBackend } from '../inference/backend.ts';
import { createSerialQueue } from '../inference/queue.ts';
import { createSession, reasonOf, type LoadedGraph } from '../inference/session.ts';
import { assertBytesAtHand, assertSignature, unusableModel } from '../inference/signature.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { Reply, Request } from './ort-node-worker.js';

export interface NodeBackendOptions {
  /** Of one run; onnxruntime takes as many as there are physical cores if it is not told. */
  readonly threads?: number;
  /** The script of the worker thread, for tests.
   * @internal */
  readonly workerUrl?: URL;
}

/** onnxruntime-node on the CPU, each session in a worker thread of its own, so that the caller's thread stays free.
 * A thread keeps the process alive only while it owes an answer. */
export function createNodeBackend(options: NodeBackendOptions = {}): InferenceBackend {
  const startThread = (): Channel => openChannel(options.workerUrl ?? new URL('./ort-node-worker.js', import.meta.url));
  return {
    id: 'node',
    async probe() {
      const thread = startThread();
      try {
        await startRuntime(thread);
        return { available: true };
      } catch (cause) {
        return { available: false, reason: reasonOf(cause) };
      } finally {
        await thread.close();
      }
    },
    async openSession(model) {
      assertBytesAtHand(model);
      const thread = startThread();
      try {
        await startRuntime(thread);
        const graph = await openGraph(thread, model, options.threads);
        return createSession('node', model.manifest, graph, createSerialQueue());
      } catch (cause) {
        await thread.close();
        throw cause;
      }
    },
  };
}

/** Has the thread load the native binding.
 * @throws EnvironmentError `backend-unavailable` */
async function startRuntime(thread: Channel): Promise<void> {
  const reply = await thread.request({ kind: 'probe' });
  if (reply.kind === 'ready') return;
  throw new EnvironmentError('backend-unavailable', `onnxruntime-node does not load here: ${reasonIn(reply)}.`, {
    remedy: 'Pass --backend wasm, or install slicewise again on this machine.',
    details: { platform: process.platform, architecture: process.arch, message: reasonIn(reply) },
  });
}

async function openGraph(
  thread: Channel,
  { manifest, bytes }: LoadedModel,
  threads: number | undefined,
): Promise<LoadedGraph> {
  const buffer = ownBuffer(bytes);
  // Inputs go through shared memory: transferred ones would pile up in a thread that has little else to collect.
  const inputs = new SharedArrayBuffer(manifest.input.shape.reduce((bytes, length) => bytes * length, 4));
  const opened = await thread.request({ kind: 'open', bytes: buffer, inputs, threads }, [buffer]);
  if (opened.kind !== 'opened') throw unusableModel(manifest, reasonIn(opened));
  assertSignature(manifest, opened.inputs, opened.outputs);
  return {
    async execute(input) {
      new Float32Array(inputs).set(input.data);
      const names = { inputName: manifest.input.name, outputName: manifest.output.name };
      const reply = await thread.request({ kind: 'run', ...names, shape: input.shape });
      if (reply.kind !== 'ran') throw new Error(reasonIn(reply));
      return { shape: reply.shape, data: new Float32Array(reply.data) };
    },
    release: () => thread.close(),
  };
}

interface Channel {
  /** One at a time. @throws InternalError `inference-failed` if the thread has ended */
  request(request: Request, transfer?: readonly ArrayBuffer[]): Promise<Reply>;
  /** Frees what the thread holds and ends it. */
  close(): Promise<void>;
}

/** process.exit in the middle of a run makes the native binding throw where none catches it, and the process aborts
 * with SIGABRT instead of its exit code; so the exit waits for the run, this long at most. */
const LONGEST_RUN_MS = 60_000;

function openChannel(url: URL): Channel {
  // No execArgv: a TypeScript loader of the process would only slow the thread's start.
  const busy = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(url, { execArgv: [], workerData: busy });
  const awaitAnswer = (): void => {
    Atomics.wait(busy, 0, 1, LONGEST_RUN_MS);
  };
  process.on('exit', awaitAnswer);
  let end: InternalError | undefined;
  let pending: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;
  const ended = new Promise<void>((resolve) => {
    const finish = (cause: unknown): void => {
      end ??= endedThread(cause);
      pending?.reject(end);
      pending = undefined;
      process.off('exit', awaitAnswer);
      resolve();
    };
    worker.on('error', finish);
    worker.on('exit', finish);
  });
  worker.on('message', (reply: Reply) => {
    worker.unref();
    pending?.resolve(reply);
    pending = undefined;
  });
  worker.unref();

  const request: Channel['request'] = (message, transfer = []) =>
    new Promise((resolve, reject) => {
      if (end !== undefined) {
        reject(end);
        return;
      }
      pending = { resolve, reject };
      worker.ref();
      Atomics.store(busy, 0, 1);
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

function endedThread(cause: unknown): InternalError {
  const why = typeof cause === 'number' ? `exit code ${cause}` : reasonOf(cause);
  return new InternalError('inference-failed', `onnxruntime's thread has ended (${why}); the session is lost.`, {
    remedy: 'Open the model again; if it ends again, try the wasm backend (--backend wasm).',
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
