import type { LoadedModel } from '../models/load-model.ts';

/** A dense float32 tensor; shape slowest axis first, as in ONNX. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Whether a backend can run here, and if not, why, in words for the user. */
export type Availability = { readonly available: true } | { readonly available: false; readonly reason: string };

/** A way to run ONNX models: onnxruntime-node, onnxruntime-web on WASM or WebGPU.
 * Every implementation passes test/contracts/backend-contract.ts. */
export interface InferenceBackend {
  readonly id: string;
  probe(): Promise<Availability>;
  /** @throws EnvironmentError `backend-unavailable`; ModelError `model-file-mismatch` if the bytes are no usable model */
  openSession(model: LoadedModel): Promise<InferenceSession>;
}

/** One loaded model. Runs are queued: one at a time, a failed or aborted run does not poison the next. */
export interface InferenceSession {
  readonly backendId: string;
  readonly model: LoadedModel;
  /** Logits or probabilities (manifest.output.kind) of one batch of model input.
   * @param input shape as manifest.input.shape; its data may be transferred, so do not use it afterwards
   * @throws the signal's reason if aborted before the run starts; InternalError `inference-failed` */
  run(input: Tensor, options?: { readonly signal?: AbortSignal }): Promise<Tensor>;
  dispose(): Promise<void>;
}
