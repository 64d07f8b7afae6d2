import { loadGolden, type Golden, type LoadedModel, type ReadModelFile } from '../models/load-model.ts';
import type { InferenceBackend, InferenceSession } from './backend.ts';

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
  const golden = await loadGolden(model.manifest, read);
  const session = await backend.openSession(model);
  try {
    return await verifySession(session, golden);
  } finally {
    await session.dispose();
  }
}

/** As {@link verifyModel}, for a session that is open and stays so. */
export async function verifySession(session: InferenceSession, golden: Golden): Promise<VerifyResult> {
  const { input, tolerance } = session.model.manifest.golden;
  const start = performance.now();
  const result = await session.run({ shape: input.shape, data: golden.input.slice() });
  const durationMs = performance.now() - start;
  const maxDifference = largestDifference(result.data, golden.output);
  return { ok: maxDifference <= tolerance, maxDifference, tolerance, backendId: session.backendId, durationMs };
}

function largestDifference(values: Float32Array, expected: Float32Array): number {
  return values.reduce((largest, value, at) => {
    const difference = Math.abs(value - (expected[at] ?? NaN));
    return Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }, 0);
}
