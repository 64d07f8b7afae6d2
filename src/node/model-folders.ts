import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError, ModelError } from '../errors.ts';
import { loadManifest, type ReadModelFile } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { nearestName } from '../nearest-name.ts';

/** The models that come with the package: both src/node and dist/node lie two folders below its root. */
const OWN_MODELS = fileURLToPath(new URL('../../models/', import.meta.url));

export interface ModelFolder {
  readonly folder: string;
  readonly manifest: ModelManifest;
}

/** The model folders in a folder, by name, which is the model's id; by default those that come with the package.
 * @throws ModelError `invalid-manifest` if one is broken */
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
 * An id wins over a folder of the same name: write ./name for that.
 * @throws ModelError `model-not-found` */
export async function openModelFolder(idOrFolder: string, models: string = OWN_MODELS): Promise<ReadModelFile> {
  const own = join(models, idOrFolder);
  if (/^[a-z0-9-]+$/.test(idOrFolder) && (await hasManifest(own))) return readerOf(own);
  if (await hasManifest(idOrFolder)) return readerOf(idOrFolder);
  const ids = (await findModels(models)).map(({ manifest }) => manifest.id);
  const nearest = nearestName(basename(idOrFolder), ids);
  throw new ModelError(
    'model-not-found',
    `"${idOrFolder}" is neither a model that comes with Slicewise (${ids.join(', ') || 'there is none'}) ` +
      'nor a folder with a manifest.json.',
    {
      remedy:
        nearest === undefined
          ? 'Give the id of one of these models, or the path of a model folder.'
          : `Did you mean ${nearest}? Else give the path of a model folder.`,
      details: { option: 'model', choices: ids, ...(nearest !== undefined && { nearest }), idOrFolder, ids },
    },
  );
}

async function hasManifest(folder: string): Promise<boolean> {
  return stat(join(folder, 'manifest.json')).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Synchronous reads: promises read half a megabyte at a time, and wait for a turn of the thread after each. */
function readerOf(folder: string): ReadModelFile {
  return (path) =>
    new Promise((resolve, reject) => {
      try {
        resolve(readFileSync(join(folder, path)));
      } catch (cause) {
        reject(unreadable(path, folder, cause));
      }
    });
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
