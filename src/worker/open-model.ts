import { ModelError } from '../errors.ts';
import type { InferenceBackend, InferenceSession } from '../inference/backend.ts';
import { loadGolden, loadModel, type ReadModelFile } from '../models/load-model.ts';
import type { DeviceReport } from './device-report.ts';
import type { OpenRequest } from './protocol.ts';

export async function openModel(
  backend: InferenceBackend,
  read: ReadModelFile,
  { backend: backendId, manifest: expected }: OpenRequest,
): Promise<{ readonly session: InferenceSession; readonly device: DeviceReport } | { readonly refused: string }> {
  const model = await loadModel(read);
  if (expected !== undefined && expected.file.sha256 !== model.manifest.file.sha256) {
    throw new ModelError('model-file-mismatch', `The model ${expected.id} was replaced on its server.`, {
      remedy: 'Open the model again.',
    });
  }
  const golden = await loadGolden(model.manifest, read);
  const session = await backend.openSession(model);
  const start = performance.now();
  await session.run({ shape: model.manifest.golden.input.shape, data: golden.input });
  return { session, device: { backendId, threads: 1, msPerSlice: performance.now() - start } };
}
