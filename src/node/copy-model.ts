import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EnvironmentError, isSegmentationError, ModelError } from '../errors.ts';
import { loadGolden, loadManifest, loadModel, type ReadModelFile } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { partialPath, removeLeftovers } from './write-file.ts';

/** What is not named by a manifest but goes with a model's weights, where it is there. */
const PAPERS = ['LICENSE', 'MODEL_CARD.md'];

export interface CopyModelOptions {
  /** In place of another model of this id in the folder; refused by default. */
  readonly replace?: boolean;
  /** Called once the manifest is read, before any other file is. */
  readonly onManifest?: (manifest: ModelManifest) => void;
  readonly signal?: AbortSignal;
}

export interface CopiedModel {
  readonly manifest: ModelManifest;
  readonly folder: string;
  /** The very same model was there before: nothing was written. */
  readonly wasThere: boolean;
}

/** Copies one model into a folder of models, as a folder of the model's id. All files are read and verified against the
 * manifest's sizes and SHA-256 first, written under a temporary name and renamed: the model is there whole, or not at all.
 * @param read of the model folder
 * @param models the folder of models; made if it is not there
 * @throws ModelError `invalid-manifest`, `model-file-mismatch`, also if another model of
 * this id is there; EnvironmentError `file-not-writable`; the signal's reason; what `read` rejects with */
export async function copyModel(
  read: ReadModelFile,
  models: string,
  { replace = false, onManifest, signal }: CopyModelOptions = {},
): Promise<CopiedModel> {
  const files = new Map<string, Uint8Array>();
  const keep: ReadModelFile = async (path, expected) => {
    signal?.throwIfAborted();
    const bytes = files.get(path) ?? (await read(path, expected));
    files.set(path, bytes);
    return bytes;
  };
  const manifest = await loadManifest(keep);
  onManifest?.(manifest);
  const folder = join(models, manifest.id);
  const before = await readFile(join(folder, 'manifest.json')).catch(() => undefined);
  const isSame = before !== undefined && Buffer.compare(before, files.get('manifest.json') ?? before) === 0;
  if (before !== undefined && !isSame && !replace) throw isTaken(folder, manifest);
  await loadModel(keep);
  await loadGolden(manifest, keep);
  for (const name of PAPERS) await keep(name).catch(ignoreAbsent);
  if (isSame && (await holds(folder, files))) return { manifest, folder, wasThere: true };
  await writeFolder(folder, files, signal);
  return { manifest, folder, wasThere: false };
}

async function holds(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<boolean> {
  for (const [path, bytes] of files) {
    const found = await readFile(join(folder, path)).catch(() => undefined);
    if (found === undefined || Buffer.compare(found, bytes) !== 0) return false;
  }
  return true;
}

/** In place of what the folder held before. */
async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const partial = partialPath(folder);
  const older = `${partial}.older`;
  const removePartial = (): void => {
    rmSync(partial, { recursive: true, force: true });
  };
  process.once('exit', removePartial);
  try {
    await mkdir(dirname(folder), { recursive: true });
    await removeLeftovers(dirname(folder));
    for (const [path, bytes] of files) {
      signal?.throwIfAborted();
      mkdirSync(dirname(join(partial, path)), { recursive: true });
      await writeDurably(join(partial, path), bytes);
    }
    signal?.throwIfAborted();
    swap(partial, folder, older);
  } catch (cause) {
    signal?.throwIfAborted();
    throw notWritable(folder, cause);
  } finally {
    process.removeListener('exit', removePartial);
    removePartial();
  }
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await writeFile(handle, bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function swap(partial: string, folder: string, older: string): void {
  const hadOlder = tryRename(folder, older);
  try {
    renameSync(partial, folder);
  } catch (cause) {
    if (hadOlder) renameSync(older, folder);
    throw cause;
  }
  rmSync(older, { recursive: true, force: true });
}

function tryRename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return false;
    throw cause;
  }
}

function ignoreAbsent(cause: unknown): void {
  if (!isSegmentationError(cause) || cause.code !== 'model-file-mismatch') throw cause;
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
}

function isTaken(folder: string, { id, version }: ModelManifest): ModelError {
  return new ModelError('model-file-mismatch', `${folder} holds another model of the id ${id} already.`, {
    remedy: `Say that ${version} is to replace it, or remove that folder.`,
    details: { id, folder },
  });
}

function notWritable(folder: string, cause: unknown): EnvironmentError {
  const code = codeOf(cause);
  const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : (code ?? String(cause));
  return new EnvironmentError('file-not-writable', `${folder} cannot be written: ${why}.`, {
    remedy: 'Make room, or check the permissions of the folder above it; nothing half was kept.',
    details: { path: folder },
    cause,
  });
}
