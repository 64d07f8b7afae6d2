/// <reference types="onnxruntime-web" />
import type * as OrtModule from 'onnxruntime-web/wasm';
import type { ModelManifest } from '../models/manifest.ts';
import { createSerialQueue, type InferenceBackend } from './backend.ts';
import {
  assertModelBytes,
  assertSignature,
  createSession,
  type LoadedGraph,
  openingFailed,
  reasonOf,
  type TensorSignature,
  webAssemblyUnavailable,
} from './session.ts';

export type Ort = typeof OrtModule;
export type OrtSession = OrtModule.InferenceSession;

export interface WasmBackendOptions {
  /** Heeded by the first session of a page that is cross-origin isolated; elsewhere, and in Node, there is one. */
  readonly threads?: number;
}

/** onnxruntime's WebAssembly build, for Node and the browser; loaded at the first use.
 *
 * A run blocks the thread it is called on: in Node the event loop, for half a second with a ResNet-18 PSPNet on 288².
 * Node has to do with one thread, because the build starts others by fetching its own file: URL, which Node refuses. */
export function createWasmBackend(options: WasmBackendOptions = {}): InferenceBackend {
  return {
    id: 'wasm',
    async probe() {
      try {
        const ort = await startRuntime(options);
        return { available: true, threads: ort.env.wasm.numThreads ?? 1 };
      } catch (cause) {
        return { available: false, reason: webAssemblyUnavailable(reasonOf(cause)).message };
      }
    },
    async openSession(model) {
      await assertModelBytes(model);
      const { manifest, bytes } = model;
      const ort = await startRuntime(options).catch((cause: unknown) => {
        throw webAssemblyUnavailable(reasonOf(cause), cause);
      });
      const session = await oneAtATime.add(() => openGraph(ort, manifest, bytes));
      return createSession('wasm', manifest, session, oneAtATime);
    },
  };
}

/** All sessions share the module's memory; two calls at once end in "memory access out of bounds". */
const oneAtATime = createSerialQueue();

let runtime: Promise<Ort> | undefined;

/** Loads and compiles the runtime once; later options change nothing. */
function startRuntime({ threads }: WasmBackendOptions): Promise<Ort> {
  runtime ??= (async () => {
    const ort = await import('onnxruntime-web/wasm');
    const isIsolated: unknown = Reflect.get(globalThis, 'crossOriginIsolated'); // not there in Node
    if (isIsolated !== true) ort.env.wasm.numThreads = 1;
    else if (threads !== undefined) ort.env.wasm.numThreads = threads;
    await startOnIdentity(ort, SESSION_OPTIONS);
    return ort;
  })();
  return runtime;
}

/** Compiling begins with the first session: opened on a model that cannot be at fault, it tells a runtime that does not
 * start from a model that does not load. */
export async function startOnIdentity(ort: Ort, options: OrtModule.InferenceSession.SessionOptions): Promise<void> {
  const session = await ort.InferenceSession.create(IDENTITY_MODEL, options);
  await session.release();
}

/** Only what is fatal: an error is thrown, so the runtime need not print it as well. */
export const QUIET = { logSeverityLevel: 4 } as const;
const SESSION_OPTIONS = { executionProviders: ['wasm'], ...QUIET };

/** ONNX, opset 17: y = Identity(x), one float32. */
// prettier-ignore
const IDENTITY_MODEL = Uint8Array.of(
  8, 8, 58, 55, 10, 16, 10, 1, 120, 18, 1, 121, 34, 8, 73, 100, 101, 110, 116, 105, 116, 121, 18, 1, 103, 90, 15, 10, 1, 120, 18, 10, 10, 8, 8, 1, 18, 4, 10, 2, 8, 1, 98, 15, 10, 1, 121, 18, 10, 10, 8, 8, 1, 18, 4, 10, 2, 8, 1, 66, 4, 10, 0, 16, 17
);

async function openGraph(ort: Ort, manifest: ModelManifest, bytes: Uint8Array): Promise<LoadedGraph> {
  const session = await openOrtSession(ort, manifest, bytes, SESSION_OPTIONS);
  const { input, output } = manifest;
  return {
    async execute({ shape, data }) {
      const feeds = { [input.name]: new ort.Tensor('float32', data, shape) };
      const results = await session.run(feeds, [output.name], QUIET);
      const result = results[output.name];
      if (!(result?.data instanceof Float32Array)) throw new Error(`no float32 output "${output.name}"`);
      return { shape: result.dims, data: result.data };
    },
    release: () => session.release(),
  };
}

/** Opens a model in one of onnxruntime-web's builds and checks that it is what its manifest says.
 * @throws ModelError `model-file-mismatch` */
export async function openOrtSession(
  ort: Ort,
  manifest: ModelManifest,
  bytes: Uint8Array,
  options: OrtModule.InferenceSession.SessionOptions,
): Promise<OrtSession> {
  let session: OrtSession;
  try {
    session = await ort.InferenceSession.create(bytes, options);
  } catch (cause) {
    throw openingFailed(manifest, cause);
  }
  try {
    assertSignature(manifest, signatures(session.inputMetadata), signatures(session.outputMetadata));
  } catch (cause) {
    await session.release();
    throw cause;
  }
  return session;
}

function signatures(metadata: readonly OrtModule.InferenceSession.ValueMetadata[]): TensorSignature[] {
  return metadata.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape }
      : { name: value.name, type: 'no tensor', shape: [] },
  );
}
