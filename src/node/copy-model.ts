import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EnvironmentError, InputError, isSegmentationError, ModelError } from '../errors.ts';
import { loadGolden, loadManifest, loadModel, MANIFEST_BYTES, type ReadModelFile } from '../models/load-model.ts';
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

/** A server that sends nothing for so long is given up. */
const SILENCE_MS = 30_000;

export interface FetchModelOptions {
  readonly signal?: AbortSignal;
  /** Default 30 s without a byte. */
  readonly silenceMs?: number;
}

/** Reads the files of a model folder from a static server. Of a file no more is read than its manifest says, of others
 * 1 MiB; what comes is checked by the caller.
 * @param folderUrl http or https, of the folder that holds manifest.json, with or without a slash at its end
 * @returns a reader that rejects with ModelError `model-file-mismatch` where there is no such file or it is longer than
 * expected, EnvironmentError `file-not-readable` if the server cannot be reached or breaks off, or the signal's reason
 * @throws InputError `invalid-arguments` if the address cannot be fetched */
export function createModelFetcher(folderUrl: string, options: FetchModelOptions = {}): ReadModelFile {
  const root = parseFolderUrl(folderUrl);
  return (path, expected) => fetchFile(new URL(path, root), expected?.byteLength, options);
}

/** Whether a text is an address rather than a path; a Windows drive is not. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text);
}

/** Whether what comes from there can be changed on the way: http from another computer. */
export function isPlainHttp(text: string): boolean {
  if (!/^http:/i.test(text) || !URL.canParse(text)) return false;
  return !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(text).hostname);
}

function parseFolderUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw refusedUrl('A model is fetched by http or https', 'Give the http(s) address of a model folder, or its path.');
  }
  if (url.username !== '' || url.password !== '') {
    throw refusedUrl('The address has a user or a password in it', 'Fetch the folder by another program; add that.');
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

async function fetchFile(
  url: URL,
  byteLength: number | undefined,
  { signal, silenceMs = SILENCE_MS }: FetchModelOptions,
): Promise<Uint8Array> {
  const silence = createSilence(silenceMs);
  const either = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  try {
    const response = await fetch(url, { signal: either });
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 404 || response.status === 410) throw absent(url);
      throw unreachable(url, `the server answers with HTTP ${response.status}`);
    }
    return await readBounded(response, byteLength ?? MANIFEST_BYTES, url, silence.heard);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof ModelError || cause instanceof EnvironmentError) throw cause;
    throw unreachable(
      url,
      silence.signal.aborted ? `it sent nothing for ${silenceMs / 1000} s` : wordsOf(cause),
      cause,
    );
  } finally {
    silence.end();
  }
}

/** @throws ModelError `model-file-mismatch` as soon as more comes than `most` */
async function readBounded(response: Response, most: number, url: URL, heard: () => void): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of partsOf(response)) {
    heard();
    length += part.byteLength;
    if (length > most) throw tooLong(url, most);
    parts.push(part);
  }
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.byteLength;
  }
  return bytes;
}

/** The DOM's types know no iteration of a stream, which Node has. */
function partsOf({ body }: Response): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return (body as AsyncIterable<Uint8Array> | null) ?? [];
}

/** A signal that aborts when nothing was heard for a time. */
function createSilence(ms: number): {
  readonly signal: AbortSignal;
  readonly heard: () => void;
  readonly end: () => void;
} {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort();
  }, ms);
  return {
    signal: controller.signal,
    heard: () => {
      timer.refresh();
    },
    end: () => {
      clearTimeout(timer);
    },
  };
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}

function absent(url: URL): ModelError {
  return new ModelError('model-file-mismatch', `There is no ${url.href}.`, {
    remedy: 'Give the address of a model folder: the one that holds manifest.json.',
  });
}

function tooLong(url: URL, most: number): ModelError {
  return new ModelError('model-file-mismatch', `${url.href} is longer than the ${most} bytes that it may have.`, {
    remedy: 'Fetch the model folder again; do not run weights that nobody vouches for.',
  });
}

function unreachable(url: URL, why: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('file-not-readable', `${url.href} cannot be fetched: ${why}.`, {
    remedy: 'Check the address and the network; nothing was kept. Or copy the model folder by hand, and add that.',
    cause,
  });
}

function refusedUrl(message: string, remedy: string): InputError {
  return new InputError('invalid-arguments', `${message}.`, { remedy });
}
