import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path, { basename, join, resolve } from 'node:path';
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

/** Where models are looked for by their id: those that the user added go before those of the package. */
function modelRoots(): readonly string[] {
  return [userModelsFolder(), OWN_MODELS];
}

/** The model folders in folders, by id, which is the folder's name; by default those that the user added and those that come
 * with the package. Of two of one id the first folder's is taken; a folder that is not there holds none.
 * @throws ModelError `invalid-manifest` if one is broken */
export async function findModels(models: string | readonly string[] = modelRoots()): Promise<ModelFolder[]> {
  const byId = new Map<string, string>();
  for (const root of [models].flat()) {
    for (const name of await folderNames(root)) {
      if (!byId.has(name) && (await hasManifest(join(root, name)))) byId.set(name, join(root, name));
    }
  }
  const folders = [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, folder]) => folder);
  return Promise.all(folders.map(async (folder) => ({ folder, manifest: await loadManifest(readerOf(folder)) })));
}

/** Without hidden ones: a model that is being added has a hidden name until it is whole. */
async function folderNames(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
}

/** Reads the files of a model that the user added or that comes with the package, by its id, or of any model folder, by its
 * path. An id wins over a folder of the same name: write ./name for that.
 * @throws ModelError `model-not-found` */
export async function openModelFolder(
  idOrFolder: string,
  models: string | readonly string[] = modelRoots(),
): Promise<ReadModelFile> {
  const own = await folderOfId(idOrFolder, models);
  if (own !== undefined) return readerOf(own);
  if (await hasManifest(idOrFolder)) return readerOf(idOrFolder);
  const ids = (await findModels(models)).map(({ manifest }) => manifest.id);
  const nearest = nearestName(basename(idOrFolder), ids);
  throw new ModelError(
    'model-not-found',
    `"${idOrFolder}" is neither a model that is installed (${ids.join(', ') || 'there is none'}) ` +
      'nor a folder with a manifest.json.',
    {
      remedy:
        nearest === undefined
          ? 'Give the id of one of these models, or the path of a model folder; others are installed with slicewise models add.'
          : `Did you mean ${nearest}? Else give the path of a model folder; others are installed with slicewise models add.`,
      details: { option: 'model', choices: ids, ...(nearest !== undefined && { nearest }), idOrFolder, ids },
    },
  );
}

/** Says where a folder is not the one that was meant perhaps: an installed model goes before a folder of its name.
 * @returns a notice that names how to choose the folder */
export async function passedOverFolder(
  idOrFolder: string,
  models: string | readonly string[] = modelRoots(),
): Promise<Notice | undefined> {
  const own = await folderOfId(idOrFolder, models);
  if (own === undefined || !(await hasManifest(idOrFolder)) || resolve(idOrFolder) === resolve(own)) return;
  const message =
    `"${idOrFolder}" is the model that is installed with Slicewise; the folder of this name here is not used. ` +
    `Write ./${idOrFolder} for the folder.`;
  return { code: 'model-folder-passed-over', message };
}

async function folderOfId(id: string, models: string | readonly string[]): Promise<string | undefined> {
  if (!/^[a-z0-9-]+$/.test(id)) return undefined;
  for (const root of [models].flat()) if (await hasManifest(join(root, id))) return join(root, id);
  return undefined;
}

/** @returns a reader of the model folder at a path, which is never taken for an id
 * @throws ModelError `model-not-found` */
export async function openModelAt(folder: string): Promise<ReadModelFile> {
  if (await hasManifest(folder)) return readerOf(folder);
  throw new ModelError('model-not-found', `"${folder}" is not a folder with a manifest.json.`, {
    remedy: 'Give the path of a model folder: the one that holds manifest.json.',
    details: { folder },
  });
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

/** The folder for a user's own models, where the platform keeps an application's data: `$XDG_DATA_HOME` or `~/.local/share`
 * on Linux and other Unixes (XDG Base Directory Specification 0.8), `~/Library/Application Support` on macOS, `%LOCALAPPDATA%`
 * on Windows; in it `slicewise/models`. It need not exist.
 * @param environment a variable that is not an absolute path is ignored, as the XDG specification asks for */
export function userModelsFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const given = environment[platform === 'win32' ? 'LOCALAPPDATA' : 'XDG_DATA_HOME'];
  const usual =
    platform === 'win32'
      ? paths.join(home, 'AppData', 'Local')
      : platform === 'darwin'
        ? paths.join(home, 'Library', 'Application Support')
        : paths.join(home, '.local', 'share');
  const base = platform !== 'darwin' && given !== undefined && paths.isAbsolute(given) ? given : usual;
  return paths.join(base, 'slicewise', 'models');
}
