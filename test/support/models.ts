import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadManifest, loadModel, type LoadedModel, type ReadModelFile } from '../../src/models/load-model.ts';

/** The model folder that test/fixtures/models/make_tiny_model.py makes. */
export const tinyModelFolder = fileURLToPath(new URL('../fixtures/models/tiny-heart/', import.meta.url));

export const readTinyModel: ReadModelFile = (path) => readFile(tinyModelFolder + path);

/** A new one at each call, for openSession may transfer its bytes. */
export function loadTinyModel(): Promise<LoadedModel> {
  return loadModel(readTinyModel);
}

/** The tiny model's manifest with the graph that fails if an input value is 1 or more. */
export async function loadFailingModel(): Promise<LoadedModel> {
  const bytes = await readFile(new URL('../fixtures/models/fails-above-one.onnx', import.meta.url));
  return { manifest: await loadManifest(readTinyModel), bytes };
}
