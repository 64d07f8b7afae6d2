import { ModelError } from '../errors.ts';
import { parseManifest, type ModelManifest } from './manifest.ts';

/** A model whose ONNX bytes were proved to be the ones its manifest names. */
export interface LoadedModel {
  readonly manifest: ModelManifest;
  readonly bytes: Uint8Array;
}

/** Where a model folder's files come from: a folder on disk, a URL, a cache. */
export type ReadModelFile = (path: string) => Promise<Uint8Array>;

/** Reads manifest.json and the ONNX file of one model folder.
 * @throws ModelError `invalid-manifest`; `model-file-mismatch` if the file's size or SHA-256 is not the manifest's */
export async function loadModel(read: ReadModelFile): Promise<LoadedModel> {
  const manifest = await loadManifest(read);
  const bytes = await read(manifest.file.path);
  await assertFile(bytes, manifest.file);
  return { manifest, bytes };
}

/** Reads only manifest.json, for listings. */
export async function loadManifest(read: ReadModelFile): Promise<ModelManifest> {
  const text = new TextDecoder().decode(await read('manifest.json'));
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new ModelError('invalid-manifest', "The model's manifest.json is not JSON.", {
      remedy: 'Restore manifest.json from the model folder it came with.',
      cause,
    });
  }
  return parseManifest(document);
}

/** SHA-256 as lower-case hexadecimal. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function assertFile(bytes: Uint8Array, file: ModelManifest['file']): Promise<void> {
  const actual = await sha256Hex(bytes);
  if (bytes.byteLength === file.byteLength && actual === file.sha256) return;
  throw new ModelError(
    'model-file-mismatch',
    `${file.path} is not the file its manifest names: ${String(bytes.byteLength)} bytes with SHA-256 ${actual}, ` +
      `expected ${String(file.byteLength)} bytes with ${file.sha256}.`,
    {
      remedy: 'Fetch the model folder again; do not run weights that nobody vouches for.',
      details: { expected: file, actual: { sha256: actual, byteLength: bytes.byteLength } },
    },
  );
}
