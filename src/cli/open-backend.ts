import { setImmediate as nextTurn } from 'node:timers/promises';
import type { InferenceBackend } from '../inference/backend.ts';
import { invalidArguments, type CommandSpec } from './parse-arguments.ts';

export type BackendId = 'node' | 'wasm';

/** @throws InputError `invalid-arguments` */
export function parseBackendId(given: string | undefined, spec: CommandSpec): BackendId {
  if (given === undefined || given === 'node') return 'node';
  if (given === 'wasm') return 'wasm';
  throw invalidArguments(spec, `There is no backend ${given}`, 'Use --backend node or --backend wasm.');
}

/** Loads only the backend that was asked for. */
export async function openBackend(id: BackendId, threads?: number): Promise<InferenceBackend> {
  const options = threads === undefined ? {} : { threads };
  if (id === 'node') return (await import('../node/ort-node.ts')).createNodeBackend(options);
  return interruptible((await import('../inference/ort-web.ts')).createWasmBackend(options));
}

/** WebAssembly keeps this thread, so that nobody would hear of a Ctrl-C before it has ended: while it opens or runs, an
 * interrupt ends the process as if nobody caught it. No file is open at that time. */
function interruptible(backend: InferenceBackend): InferenceBackend {
  return {
    ...backend,
    async openSession(model, options) {
      const session = await uncaught(() => backend.openSession(model, options));
      return { ...session, run: (input, runOptions) => uncaught(() => session.run(input, runOptions)) };
    },
  };
}

const INTERRUPTS = ['SIGINT', 'SIGTERM'] as const;
let uncaughtNow = 0;
let kept: (readonly [(typeof INTERRUPTS)[number], NodeJS.SignalsListener])[] = [];

async function uncaught<T>(work: () => Promise<T>): Promise<T> {
  // An interrupt that has arrived and that nobody has heard of yet would go with its listener.
  await nextTurn();
  if (uncaughtNow++ === 0) {
    kept = INTERRUPTS.flatMap((name) => process.listeners(name).map((listener) => [name, listener] as const));
    for (const [name, listener] of kept) process.off(name, listener);
  }
  try {
    return await work();
  } finally {
    if (--uncaughtNow === 0) for (const [name, listener] of kept) process.on(name, listener);
  }
}
