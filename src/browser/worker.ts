import { createWasmBackend } from '../inference/ort-web.ts';
import { createWebGpuBackend } from '../inference/ort-webgpu.ts';
import { openModelCache } from './model-cache.ts';
import { serve, type ServedPort } from './serve.ts';
import { wasmThreads } from './device-test.ts';

// The entry of the module worker in which all of onnxruntime lives; onnxruntime itself is loaded by the first model.
// The page starts it: new Worker(new URL('…/worker.ts', import.meta.url), { type: 'module' }).

const scope: unknown = globalThis; // the DOM's types know no DedicatedWorkerGlobalScope
serve(scope as ServedPort, {
  createBackend: (id, options) =>
    id === 'webgpu' ? createWebGpuBackend(options) : createWasmBackend({ threads: wasmThreads() }),
  openCache: openModelCache,
});
