import type { InferenceBackend } from '../inference/backend.ts';
import { invalidArguments, type CommandSpec } from './parse-arguments.ts';

export type BackendId = 'node' | 'wasm';

/** @throws InputError `invalid-arguments` */
export function parseBackendId(given: string | undefined, spec: CommandSpec): BackendId {
  if (given === undefined || given === 'node') return 'node';
  if (given === 'wasm') return 'wasm';
  throw invalidArguments(spec, `There is no backend ${given}`, 'Use --backend node or --backend wasm.');
}

/** Each runs its models in a thread of its own. Loads only the backend that was asked for. */
export async function openBackend(id: BackendId, threads?: number): Promise<InferenceBackend> {
  const { createNodeBackend, createWasmThreadBackend } = await import('../node/ort-threads.ts');
  if (id === 'wasm') return createWasmThreadBackend();
  return createNodeBackend(threads === undefined ? {} : { threads });
}
