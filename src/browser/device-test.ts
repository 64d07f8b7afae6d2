import type { Availability, InferenceSession } from '../inference/backend.ts';
import { verifySession } from '../inference/self-test.ts';
import { loadGolden, type ReadModelFile } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { ModelCache } from './model-cache.ts';

/** Whether a device computes a model right, and how fast. */
export type DeviceTest = { readonly msPerSlice: number } | { readonly wrong: string };

/** Timed after the first run, in which graphics cards compile: the shorter of two, the other had a hiccup. */
const TIMED_RUNS = 2;

/** Tests a device with a model at first use: its golden slice must come out as the manifest says, then slices are timed.
 * The result is kept for the model, device and browser; then one run only warms the session up. */
export async function testDevice(
  session: InferenceSession,
  device: Extract<Availability, { available: true }>,
  read: ReadModelFile,
  cache: ModelCache,
  folderUrl: string,
): Promise<DeviceTest> {
  const { manifest } = session.model;
  const keptAs = testUrl(folderUrl, manifest, session.backendId, device);
  const kept = parseTest(await cache.get(keptAs));
  if (kept !== undefined) {
    if ('msPerSlice' in kept) await warmUp(session);
    return kept;
  }
  const test = await runTest(session, read);
  await cache.put(keptAs, new TextEncoder().encode(JSON.stringify(test)));
  return test;
}

async function runTest(session: InferenceSession, read: ReadModelFile): Promise<DeviceTest> {
  const golden = await loadGolden(session.model.manifest, read);
  const { ok, maxDifference, tolerance } = await verifySession(session, golden);
  if (!ok) {
    const difference = Number.isFinite(maxDifference) ? `is off by ${maxDifference.toPrecision(2)}` : 'has no numbers';
    return { wrong: `it computes this model wrong: the golden slice ${difference}, allowed are ${tolerance}` };
  }
  let msPerSlice = Infinity;
  for (let n = 0; n < TIMED_RUNS; n++) {
    msPerSlice = Math.min(msPerSlice, (await verifySession(session, golden)).durationMs);
  }
  return { msPerSlice };
}

async function warmUp(session: InferenceSession): Promise<void> {
  const { shape } = session.model.manifest.input;
  await session.run({ shape, data: new Float32Array(shape.reduce((product, length) => product * length, 1)) });
}

/** Beside the model's file, so that both are forgotten together; by what the result depends on. */
function testUrl(
  folderUrl: string,
  { file }: ModelManifest,
  backendId: string,
  { adapter = '', threads = 1 }: Extract<Availability, { available: true }>,
): string {
  const url = new URL(file.path, folderUrl);
  const browser = globalThis.navigator.userAgent;
  const parts = { sha256: file.sha256, test: TEST_VERSION, backendId, adapter, threads: String(threads), browser };
  url.search = new URLSearchParams(parts).toString();
  return url.href;
}

/** Of the test and of onnxruntime: what was kept by another is not heeded. */
const TEST_VERSION = '1 onnxruntime-web 1.30.0';

function parseTest(bytes: Uint8Array | undefined): DeviceTest | undefined {
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== 'object' || value === null) return undefined;
    if ('msPerSlice' in value && typeof value.msPerSlice === 'number') return { msPerSlice: value.msPerSlice };
    if ('wrong' in value && typeof value.wrong === 'string') return { wrong: value.wrong };
    return undefined;
  } catch {
    return undefined;
  }
}

/** Threads for a model on the processor: half of the logical cores, which is about the physical ones, and both where
 * there are two; eight at most. */
export function wasmThreads(cores = globalThis.navigator.hardwareConcurrency): number {
  return Math.min(8, Math.max(Math.min(cores, 2), Math.floor(cores / 2)));
}
