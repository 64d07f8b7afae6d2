import {
  loadManifest,
  loadModel,
  sha256Hex,
  type LoadedModel,
  type ReadModelFile,
} from '../../src/models/load-model.ts';

// By way of a name, for Vite takes a literal beside import.meta.url for an asset to bundle.
const here = import.meta.url;
const fixtures = new URL('../fixtures/models/', here);

/** The model folder that test/fixtures/models/make_tiny_model.py makes. */
export const tinyModelFolder = decodeURIComponent(new URL('tiny-heart/', fixtures).pathname);

export const readTinyModel: ReadModelFile = (path) => readFixture(`tiny-heart/${path}`);

/** A new one at each call, for openSession may transfer its bytes. */
export function loadTinyModel(): Promise<LoadedModel> {
  return loadModel(readTinyModel);
}

/** A graph for the tiny model's manifest whose run takes about a second. */
export const slowModelFile = decodeURIComponent(new URL('slow.onnx', fixtures).pathname);

/** The tiny model's manifest with the graph that fails if an input value is 1 or more. */
export async function loadFailingModel(): Promise<LoadedModel> {
  return withBytes(await readFixture('fails-above-one.onnx'));
}

/** The tiny model's manifest, changed so that it names these bytes as its file. */
export async function withBytes(bytes: Uint8Array): Promise<LoadedModel> {
  const manifest = await loadManifest(readTinyModel);
  const file = { ...manifest.file, sha256: await sha256Hex(bytes), byteLength: bytes.byteLength };
  return { manifest: { ...manifest, file }, bytes };
}

/** From the disk in Node, from the test server in a browser. */
async function readFixture(path: string): Promise<Uint8Array> {
  const url = new URL(path, fixtures);
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises');
    return readFile(url);
  }
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
