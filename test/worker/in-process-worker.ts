import type { Availability, InferenceBackend, Tensor } from '../../src/inference/backend.ts';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import type { BackendId } from '../../src/browser/device-report.ts';
import type { ModelCache } from '../../src/browser/model-cache.ts';
import { serve, type Served } from '../../src/browser/serve.ts';
import type { WorkerLike } from '../../src/browser/worker-channel.ts';

export interface InProcessWorker extends WorkerLike {
  /** What has passed between the page and it. */
  readonly received: unknown[];
  /** Says something to the page. */
  say(message: unknown): void;
}

/** The worker's code on this thread, behind a message channel as a real one is. */
export function createInProcessWorker(served: Served): InProcessWorker {
  const { port1, port2 } = new MessageChannel();
  const received: unknown[] = [];
  let isEnded = false;
  serve(port2, served);
  port2.start();
  port1.start();
  return {
    received,
    say: (message) => {
      port2.postMessage(message);
    },
    postMessage(message, transfer) {
      received.push(message);
      port1.postMessage(message, transfer);
    },
    terminate() {
      isEnded = true;
      port1.close();
      port2.close();
    },
    addEventListener(type, listener) {
      if (type !== 'message') return;
      port1.addEventListener('message', (event) => {
        if (!isEnded) listener(event);
      });
    },
  };
}

/** What happens to run `number` (from 1) of a session: `run` computes it. */
export type Fate = (run: () => Promise<Tensor>, number: number) => Promise<Tensor>;

/** onnxruntime's WebAssembly under any name, with a fate for its runs. */
export function createFatefulBackend(
  id: BackendId,
  fate: Fate = (run) => run(),
  availability: Availability = { available: true, threads: 1 },
): InferenceBackend {
  const wasm = createWasmBackend();
  return {
    id,
    probe: () => Promise.resolve(availability),
    async openSession(model) {
      const session = await wasm.openSession(model);
      let count = 0;
      return {
        ...session,
        backendId: id,
        run: (input, options) => {
          const number = ++count;
          return fate(() => session.run(input, options), number);
        },
      };
    },
  };
}

export function createMemoryCache(): ModelCache & { readonly entries: Map<string, Uint8Array> } {
  const entries = new Map<string, Uint8Array>();
  return {
    entries,
    get: (url) => Promise.resolve(entries.get(url)),
    put: (url, bytes) => {
      entries.set(url, bytes);
      return Promise.resolve();
    },
    forget: (url) => {
      for (const key of entries.keys()) if (key.split('?')[0] === url) entries.delete(key);
      return Promise.resolve();
    },
  };
}
