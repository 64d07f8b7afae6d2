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
  return (await import('../inference/ort-web.ts')).createWasmBackend(options);
}
