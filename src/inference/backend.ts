import type { LoadedModel } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';

/** A dense float32 tensor; shape slowest axis first, as in ONNX. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Whether a backend can run here, and if not, why, in words for the user. */
export type Availability =
  | {
      readonly available: true;
      /** The graphics card, as far as it is known. */
      readonly adapter?: string;
      /** Of the processor, where the backend knows. */
      readonly threads?: number;
    }
  | { readonly available: false; readonly reason: string };

/** A way to run ONNX models: onnxruntime-node, onnxruntime-web on WASM or WebGPU.
 * Every implementation passes test/contracts/backend-contract.ts. */
export interface InferenceBackend {
  readonly id: string;
  probe(): Promise<Availability>;
  /** @throws EnvironmentError `backend-unavailable`, `out-of-memory`; ModelError `model-file-mismatch` if the bytes are not
   * the manifest's, hold not all weights, or are no usable model, or its inputs and outputs are not the manifest's */
  openSession(model: LoadedModel, options?: OpenSessionOptions): Promise<InferenceSession>;
}

export interface OpenSessionOptions {
  /** The model's bytes may be transferred to another thread, so that they are in memory once; the model then opens no
   * second session. */
  readonly takesBytes?: boolean;
}

/** One loaded model. Runs are queued: one at a time, a failed or aborted run does not poison the next. */
export interface InferenceSession {
  readonly backendId: string;
  /** Without its bytes, so that they can be freed once the session is open. */
  readonly model: { readonly manifest: ModelManifest };
  /** How many runs to have under way at once, so that the model never waits for its caller; 1 unless given. */
  readonly runsUnderWay?: number;
  /** Logits or probabilities (manifest.output.kind) of one batch of model input.
   * @param input shape as manifest.input.shape; its data may be transferred away, and must stay as they are until the run
   * has ended
   * @throws the signal's reason if aborted before the run starts; ModelError `inference-failed` if the graph
   * fails or gives numbers that are not finite, `model-file-mismatch` if its output has another shape or kind than its
   * manifest says; EnvironmentError `out-of-memory`; InternalError `inference-failed` if the backend itself is lost. The
   * session is still usable unless the message says otherwise */
  run(input: Tensor, options?: { readonly signal?: AbortSignal }): Promise<Tensor>;
  /** Frees the model after the runs already queued; may be called twice. */
  dispose(): Promise<void>;
}

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
