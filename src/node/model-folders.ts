import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError, ModelError } from '../errors.ts';
import { loadManifest, MANIFEST_BYTES, type ExpectedFile, type ReadModelFile } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { nearestName } from '../visible-text.ts';
import type { Notice } from '../volume/volume.ts';

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

/** Says where a folder is not the one that was meant perhaps: a model of the package goes before a folder of its name.
 * @returns a notice that names how to choose the folder */
export async function passedOverFolder(idOrFolder: string, models: string = OWN_MODELS): Promise<Notice | undefined> {
  const isPackaged = /^[a-z0-9-]+$/.test(idOrFolder) && (await hasManifest(join(models, idOrFolder)));
  if (!isPackaged || !(await hasManifest(idOrFolder)) || resolve(idOrFolder) === resolve(models, idOrFolder)) return;
  const message =
    `"${idOrFolder}" is the model that comes with Slicewise; the folder of this name here is not used. ` +
    `Write ./${idOrFolder} for the folder.`;
  return { code: 'model-folder-passed-over', message };
}

async function hasManifest(folder: string): Promise<boolean> {
  return stat(join(folder, 'manifest.json')).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Synchronous reads: promises read half a megabyte at a time, and wait for a turn of the thread after each. */
function readerOf(folder: string): ReadModelFile {
  return (path, expected) =>
    new Promise((fulfil, reject) => {
      try {
        fulfil(readRegularFile(folder, path, expected));
      } catch (cause) {
        reject(cause instanceof ModelError ? cause : unreadable(path, folder, cause));
      }
    });
}

/** Judges a file before any of it is read: a pipe or a device would never end, and a file of another size is not the one
 * that the manifest names. Opened without waiting, for opening a pipe waits for its writer. */
function readRegularFile(folder: string, path: string, expected: ExpectedFile | undefined): Uint8Array {
  const file = openSync(join(folder, path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    const most = expected?.byteLength ?? MANIFEST_BYTES;
    if (!found.isFile()) throw notTheFile(folder, path, 'it is not a regular file');
    if (expected !== undefined && found.size !== most) {
      throw notTheFile(folder, path, `it has ${String(found.size)} bytes, expected ${String(most)}`);
    }
    if (found.size > most)
      throw notTheFile(folder, path, `it has ${String(found.size)} bytes, at most ${String(most)} are read`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function notTheFile(folder: string, path: string, why: string): ModelError {
  return new ModelError('model-file-mismatch', `${join(folder, path)} is not the file its manifest names: ${why}.`, {
    remedy: 'Fetch the model folder again; do not run weights that nobody vouches for.',
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
