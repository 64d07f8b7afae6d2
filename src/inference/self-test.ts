import {
  loadGoldenInput,
  loadGoldenOutput,
  type Golden,
  type LoadedModel,
  type ReadModelFile,
} from '../models/load-model.ts';
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

/** Runs a model's golden input on a backend and compares the output with the golden one. The graph runs before the golden
 * output is read: of another shape than the manifest says, its own is told.
 * @param read the model's folder, for its golden arrays
 * @throws what `loadGolden`, openSession and run throw */
export async function verifyModel(
  model: LoadedModel,
  backend: InferenceBackend,
  read: ReadModelFile,
): Promise<VerifyResult> {
  const { manifest } = model;
  const input = await loadGoldenInput(manifest, read);
  const session = await backend.openSession(model);
  try {
    const run = await runGolden(session, input);
    return compare(session, run, await loadGoldenOutput(manifest, read));
  } finally {
    await session.dispose();
  }
}

/** As {@link verifyModel}, for a session that is open and stays so. */
export async function verifySession(session: InferenceSession, golden: Golden): Promise<VerifyResult> {
  return compare(session, await runGolden(session, golden.input), golden.output);
}

interface GoldenRun {
  readonly data: Float32Array;
  readonly durationMs: number;
}

async function runGolden(session: InferenceSession, input: Float32Array<ArrayBuffer>): Promise<GoldenRun> {
  const { shape } = session.model.manifest.golden.input;
  const start = performance.now();
  const { data } = await session.run({ shape, data: input.slice() });
  return { data, durationMs: performance.now() - start };
}

function compare(session: InferenceSession, { data, durationMs }: GoldenRun, output: Float32Array): VerifyResult {
  const { tolerance } = session.model.manifest.golden;
  const maxDifference = largestDifference(data, output);
  return { ok: maxDifference <= tolerance, maxDifference, tolerance, backendId: session.backendId, durationMs };
}

function largestDifference(values: Float32Array, expected: Float32Array): number {
  return values.reduce((largest, value, at) => {
    const difference = Math.abs(value - (expected[at] ?? NaN));
    return Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }, 0);
}
