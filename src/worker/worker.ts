import { createWasmBackend } from '../inference/ort-web.ts';
import { serve, type ServedPort } from './serve.ts';

// The entry of the module worker in which all of onnxruntime lives; onnxruntime itself is loaded by the first model.
// The page starts it: new Worker(new URL('…/worker.ts', import.meta.url), { type: 'module' }).

const scope: unknown = globalThis; // the DOM's types know no DedicatedWorkerGlobalScope
serve(scope as ServedPort, {
  createBackend: () => createWasmBackend(),
  readModelFolder: (url) => async (path) => {
    const answer = await fetch(new URL(path, url));
    return new Uint8Array(await answer.arrayBuffer());
  },
});
