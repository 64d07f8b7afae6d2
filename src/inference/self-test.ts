import { loadGolden, type LoadedModel, type ReadModelFile } from '../models/load-model.ts';
import type { InferenceBackend } from './backend.ts';

export interface VerifyResult {
  readonly ok: boolean;
  /** Between the golden output and this backend's; Infinity if the backend gave a value that is no number. */
  readonly maxDifference: number;
  /** The manifest's. */
  readonly tolerance: number;
  readonly backendId: string;
  /** Of the run alone. */
  readonly durationMs: number;
}

/** Runs a model's golden input on a backend and compares the output with the golden one.
 * @param read the model's folder, for its golden arrays
 * @throws what {@link loadGolden}, openSession and run throw */
export async function verifyModel(
  model: LoadedModel,
  backend: InferenceBackend,
  read: ReadModelFile,
): Promise<VerifyResult> {
  const { input, tolerance } = model.manifest.golden;
  const golden = await loadGolden(model.manifest, read);
  const session = await backend.openSession(model);
  try {
    const start = performance.now();
    const result = await session.run({ shape: input.shape, data: golden.input });
    const durationMs = performance.now() - start;
    const maxDifference = largestDifference(result.data, golden.output);
    return { ok: maxDifference <= tolerance, maxDifference, tolerance, backendId: session.backendId, durationMs };
  } finally {
    await session.dispose();
  }
}

function largestDifference(values: Float32Array, expected: Float32Array): number {
  return values.reduce((largest, value, at) => {
    const difference = Math.abs(value - (expected[at] ?? NaN));
    return Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }, 0);
}
