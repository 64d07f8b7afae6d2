/** onnxruntime, native or as WebAssembly, in a thread of its own, because its run() blocks the thread that calls it.
 * Answers each Request with one Reply, in order. Plain JavaScript: Node loads it as it is, from src under a TypeScript
 * loader as from dist. */
import { parentPort, workerData } from 'node:worker_threads';

/**
 * @typedef {import('../inference/session.ts').TensorSignature} TensorSignature
 *
 * `owed` has one element, the requests that wait for an answer: the caller counts up, this thread down.
 *
 * @typedef {{ readonly runtime: 'onnxruntime-node' | 'onnxruntime-web/wasm',
 *   readonly owed: Int32Array<SharedArrayBuffer> }} ThreadData
 *
 * @typedef {{ readonly kind: 'probe' }
 *   | { readonly kind: 'open', readonly bytes: ArrayBuffer, readonly threads: number | undefined }
 *   | { readonly kind: 'run', readonly inputName: string, readonly outputName: string,
 *       readonly shape: readonly number[], readonly input: Float32Array<SharedArrayBuffer> }
 *   | { readonly kind: 'close' }} Request
 *
 * @typedef {{ readonly kind: 'ready' }
 *   | { readonly kind: 'opened', readonly inputs: TensorSignature[], readonly outputs: TensorSignature[] }
 *   | { readonly kind: 'ran', readonly shape: readonly number[], readonly data: ArrayBuffer }
 *   | { readonly kind: 'closed' }
 *   | { readonly kind: 'failed', readonly message: string }} Reply
 */

const { runtime, owed } = threadData(workerData);
const isNative = runtime === 'onnxruntime-node';

/** @type {import('onnxruntime-web/wasm').InferenceSession | undefined} */
let session;

/** The copy of an input that the runtime takes: it refuses shared memory. */
let ownInput = new Float32Array();

/** @type {Promise<void>} */
let last = Promise.resolve();

parentPort?.on('message', (/** @type {Request} */ request) => {
  last = last
    .then(() => answer(request))
    .catch((/** @type {unknown} */ cause) => ({ kind: /** @type {const} */ ('failed'), message: messageOf(cause) }))
    .then((reply) => {
      Atomics.sub(owed, 0, 1);
      Atomics.notify(owed, 0);
      parentPort?.postMessage(reply, reply.kind === 'ran' ? [reply.data] : []);
      if (reply.kind === 'closed') parentPort?.close();
    });
});

/** @param {Request} request @returns {Promise<Reply>} */
async function answer(request) {
  switch (request.kind) {
    case 'probe':
      await load();
      return { kind: 'ready' };
    case 'open':
      return open(request);
    case 'run':
      return run(request);
    case 'close':
      await session?.release();
      session = undefined;
      return { kind: 'closed' };
  }
}

/** @returns {Promise<typeof import('onnxruntime-web/wasm')>} */
async function load() {
  if (isNative) return import('onnxruntime-node');
  const ort = await import('onnxruntime-web/wasm');
  // More would be started from its own file: URL, which Node refuses.
  ort.env.wasm.numThreads = 1;
  return ort;
}

/** @param {Extract<Request, { kind: 'open' }>} request @returns {Promise<Reply>} */
async function open({ bytes, threads }) {
  const { InferenceSession } = await load();
  session = await InferenceSession.create(new Uint8Array(bytes), {
    executionProviders: [isNative ? 'cpu' : 'wasm'],
    // Fatal only: an error is thrown; the runtime need not print it as well.
    logSeverityLevel: 4,
    // Threads that spin between runs keep this process's other threads waiting: 1 to 2 ms a slice on two cores.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  });
  return { kind: 'opened', inputs: signatures(session.inputMetadata), outputs: signatures(session.outputMetadata) };
}

/** @param {Extract<Request, { kind: 'run' }>} request @returns {Promise<Reply>} */
async function run({ inputName, outputName, shape, input }) {
  if (session === undefined) throw new Error('no model is open');
  const { Tensor } = await load();
  if (ownInput.length !== input.length) ownInput = new Float32Array(input.length);
  ownInput.set(input);
  const feeds = { [inputName]: new Tensor('float32', ownInput, shape) };
  const results = await session.run(feeds, [outputName], { logSeverityLevel: 4 });
  const result = results[outputName];
  if (!(result?.data instanceof Float32Array)) throw new Error(`no float32 output "${outputName}"`);
  // A copy, for the runtime owns the memory behind its tensors.
  return { kind: 'ran', shape: result.dims, data: result.data.slice().buffer };
}

/** @param {readonly import('onnxruntime-web/wasm').InferenceSession.ValueMetadata[]} metadata @returns {TensorSignature[]} */
function signatures(metadata) {
  return metadata.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape }
      : { name: value.name, type: 'no tensor', shape: [] },
  );
}

/** @param {unknown} data */
function threadData(data) {
  return /** @type {ThreadData} */ (data);
}

/** @param {unknown} cause */
function messageOf(cause) {
  return cause instanceof Error ? cause.message : String(cause);
}
