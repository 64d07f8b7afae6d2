import { ModelError } from '../errors.ts';
import type { InferenceBackend, InferenceSession } from '../inference/backend.ts';
import { reasonOf } from '../inference/session.ts';
import { loadModel } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { DeviceReport } from './device-report.ts';
import { testDevice } from './device-test.ts';
import { createModelReader, type LoadListener, type ModelCache } from './model-cache.ts';
import type { OpenRequest } from './protocol.ts';

export type OpenedModel =
  | { readonly session: InferenceSession; readonly device: DeviceReport }
  /** Why the backend is not to be used, in words. */
  | { readonly refused: string };

/** Opens a model on one backend, if that is there and computes the model right.
 * @throws ModelError if the model's files are not what they should be; the signal's reason */
export async function openModel(
  { backend: backendId, folderUrl, manifest: expected }: Pick<OpenRequest, 'backend' | 'folderUrl' | 'manifest'>,
  backend: InferenceBackend,
  cache: ModelCache,
  listeners: { readonly signal: AbortSignal; readonly onLoad: LoadListener },
): Promise<OpenedModel> {
  const device = await backend.probe();
  if (!device.available) return { refused: device.reason };
  const read = createModelReader(folderUrl, cache, listeners);
  const model = await loadModel(read);
  if (expected !== undefined && expected.file.sha256 !== model.manifest.file.sha256) throw replacedModel(expected);
  let session: InferenceSession;
  try {
    session = await backend.openSession(model);
  } catch (cause) {
    // WebGPU lacks some of what models are made of; WebAssembly knows them all, and what it refuses is the model's fault.
    if (backendId === 'wasm') throw cause;
    return { refused: reasonOf(cause) };
  }
  listeners.signal.throwIfAborted();
  const test = await testDevice(session, device, read, cache, folderUrl);
  if ('wrong' in test) {
    await session.dispose();
    return { refused: test.wrong };
  }
  const { adapter, threads = 1 } = device;
  const { msPerSlice } = test;
  return { session, device: { backendId, ...(adapter !== undefined && { adapter }), threads, msPerSlice } };
}

function replacedModel({ id }: ModelManifest): ModelError {
  return new ModelError('model-file-mismatch', `The model ${id} was replaced by another on its server.`, {
    remedy: 'Open the model again.',
  });
}
