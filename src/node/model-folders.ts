import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError, ModelError } from '../errors.ts';
import { loadManifest, type ReadModelFile } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';

/** The models that come with the package: both src/node and dist/node lie two folders below its root. */
const OWN_MODELS = fileURLToPath(new URL('../../models/', import.meta.url));

export interface ModelFolder {
  readonly folder: string;
  readonly manifest: ModelManifest;
}

/** The models of a folder of model folders, by id; by default the package's own.
 * @throws ModelError `invalid-manifest` */
export async function findModels(models: string = OWN_MODELS): Promise<ModelFolder[]> {
  const folders = (await readdir(models, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(models, entry.name))
    .sort();
  const present = await Promise.all(folders.map(hasManifest));
  return Promise.all(
    folders
      .filter((_, at) => present[at])
      .map(async (folder) => ({ folder, manifest: await loadManifest(readerOf(folder)) })),
  );
}

/** Reads the files of a model that comes with the package, by its id, or of any model folder, by its path.
 * @throws ModelError `model-not-found` */
export async function openModelFolder(idOrFolder: string, models: string = OWN_MODELS): Promise<ReadModelFile> {
  const own = (await findModels(models)).find(({ manifest }) => manifest.id === idOrFolder);
  if (own !== undefined) return readerOf(own.folder);
  if (await hasManifest(idOrFolder)) return readerOf(idOrFolder);
  const ids = (await findModels(models)).map(({ manifest }) => manifest.id);
  throw new ModelError(
    'model-not-found',
    `"${idOrFolder}" is neither a model that comes with Slicewise (${ids.join(', ') || 'none is there'}) ` +
      'nor a folder with a manifest.json.',
    { remedy: 'Give one of these names, or the path of a model folder.', details: { idOrFolder, ids } },
  );
}

async function hasManifest(folder: string): Promise<boolean> {
  return stat(join(folder, 'manifest.json')).then(
    (found) => found.isFile(),
    () => false,
  );
}

function readerOf(folder: string): ReadModelFile {
  return async (path) => {
    try {
      return await readFile(join(folder, path));
    } catch (cause) {
      throw unreadable(path, folder, cause);
    }
  };
}

function unreadable(path: string, folder: string, cause: unknown): ModelError | EnvironmentError {
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return missing
    ? new ModelError('model-file-mismatch', `The model folder ${folder} has no ${path}.`, {
        remedy: 'Fetch the model folder again, complete.',
        cause,
      })
    : new EnvironmentError('file-not-readable', `${join(folder, path)} cannot be read: ${String(cause)}.`, {
        remedy: 'Check the permissions of the model folder.',
        cause,
      });
}
