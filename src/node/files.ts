import { closeSync, openSync, readFileSync, readSync, readdirSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { constants } from 'node:buffer';
import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { EnvironmentError, InputError, isSegmentationError, type SegmentationError } from '../errors.ts';
import { isNiftiHeaderName, isNiftiVoxelName, withoutNiftiExtension } from '../io/file-names.ts';
import type { SourceFile } from '../io/reader.ts';
import { nameWithin } from './write-file.ts';

export interface LocalFile extends SourceFile {
  /** Absolute, without links. */
  readonly realPath: string;
}

/** Opens files, and every file below folders, for the readers; in the order given, a folder's files by name. Of a pair
 * of .hdr and .img, one brings the other.
 * A file named twice counts once. Nothing is read before a reader asks. What lies below a folder and cannot be opened (a
 * link to nothing, a folder that may not be listed) is a file whose reading fails: one of many stops nothing else.
 * @throws InputError `file-not-found`; EnvironmentError `file-not-readable`, of the paths themselves */
export function openFiles(paths: readonly string[]): LocalFile[] {
  const seen = new Set<string>();
  const takeTurns = createTurns();
  return paths.flatMap((path) =>
    filesBelow(path).flatMap(({ path: file, error }) => {
      const name = nameWithin(path, file);
      const opened = error ? unreadable(file, name, error) : openBelow(path, file, name, takeTurns);
      if (seen.has(opened.realPath)) return [];
      seen.add(opened.realPath);
      return [opened];
    }),
  );
}

interface PathBelow {
  readonly path: string;
  /** Why it cannot be opened. */
  readonly error?: SegmentationError;
}

function filesBelow(path: string): PathBelow[] {
  const found = attempt(path, () => statSync(path));
  if (found.isFile()) return [path, ...otherOfPair(path)].map((file) => ({ path: file }));
  if (!found.isDirectory()) throw noFile(path);
  return filesInFolder(
    path,
    attempt(path, () => readdirSync(path, { withFileTypes: true })),
  );
}

function filesInFolder(folder: string, entries: readonly Dirent[]): PathBelow[] {
  return entries
    .toSorted((a, b) => byName.compare(a.name, b.name))
    .flatMap((entry): PathBelow[] => {
      const path = join(folder, entry.name);
      try {
        if (entry.isDirectory()) {
          return filesInFolder(
            path,
            attempt(path, () => readdirSync(path, { withFileTypes: true })),
          );
        }
        if (entry.isFile()) return [{ path }];
        // Links to folders are not followed: they may lead back here.
        return entry.isSymbolicLink() && attempt(path, () => statSync(path)).isFile() ? [{ path }] : [];
      } catch (error) {
        if (!isSegmentationError(error)) throw error;
        return [{ path, error: error.code === 'file-not-found' ? linkToNothing(path, error) : error }];
      }
    });
}

function openBelow(given: string, path: string, name: string, takeTurns: () => Promise<void>): LocalFile {
  try {
    return { ...openFile(path, name, takeTurns), realPath: attempt(path, () => realpathSync(path)) };
  } catch (error) {
    if (path === given || !isSegmentationError(error)) throw error;
    return unreadable(path, name, error);
  }
}

function unreadable(path: string, name: string, error: SegmentationError): LocalFile {
  const fail = (): Promise<never> => Promise.reject(error);
  return { name, byteLength: 0, readHead: fail, read: fail, realPath: resolve(path) };
}

function linkToNothing(path: string, cause: SegmentationError): InputError {
  return new InputError('file-not-found', `${path} is a link to nothing.`, {
    remedy: 'Fetch the file that it stands for (`git annex get`, `datalad get`), or take the link out of the input.',
    details: { path },
    cause,
  });
}

/** A NIfTI image of two files is named by either. */
function otherOfPair(path: string): string[] {
  if (!isNiftiHeaderName(path) && !isNiftiVoxelName(path)) return [];
  const stem = withoutNiftiExtension(path);
  const other = isNiftiHeaderName(path) ? 'img' : 'hdr';
  const [found] = [other, other.toUpperCase()]
    .flatMap((name) => [`${stem}.${name}`, `${stem}.${name}.gz`])
    .filter(isFile);
  return found === undefined ? [] : [found];
}

/** IM2 before IM10. */
const byName = new Intl.Collator('en', { numeric: true });

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Synchronous reads: a slice's file takes 50 µs so, and several times that through promises. */
function openFile(path: string, name: string, takeTurns: () => Promise<void>): SourceFile {
  const { size } = attempt(path, () => statSync(path));
  return {
    name,
    byteLength: size,
    readHead: async (byteLength) => {
      await takeTurns();
      return attempt(path, () => readBytes(path, 0, Math.min(byteLength, size)));
    },
    readRange: async (start, byteLength) => {
      await takeTurns();
      return attempt(path, () => readBytes(path, start, Math.max(0, Math.min(byteLength, size - start))));
    },
    read: async () => {
      await takeTurns();
      return plainBytes(attempt(path, () => readFileSync(path)));
    },
    gunzip,
  };
}

function readBytes(path: string, start: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  const descriptor = openSync(path, 'r');
  try {
    let position = 0;
    while (position < byteLength) {
      const count = readSync(descriptor, bytes, position, byteLength - position, start + position);
      if (count === 0) break;
      position += count;
    }
    return bytes.subarray(0, position);
  } finally {
    closeSync(descriptor);
  }
}

/** In this thread: a stream waits for another one at every 16 KB. */
function gunzip(bytes: Uint8Array, most: number): Uint8Array | undefined {
  try {
    const maxOutputLength = Math.min(most, constants.MAX_LENGTH);
    const chunkSize = Math.min(Math.max(announcedBytes(bytes) + 64, 2 ** 16), maxOutputLength);
    return plainBytes(gunzipSync(bytes, { maxOutputLength, chunkSize }));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}

/** The length that a gzipped file ends with (RFC 1952 2.3.1, ISIZE). In one piece of that size nothing is put together
 * afterwards; if it is wrong, memory that was set aside is not used, or more pieces are. */
function announcedBytes(bytes: Uint8Array): number {
  return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
}

/** Not a Buffer: its slice() is a view, where Uint8Array's is a copy. */
function plainBytes({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Lets waiting events be handled when a few milliseconds have gone by: an abort, a model that opens meanwhile. */
function createTurns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < MAX_TURN_MS) return;
    await nextTurn();
    last = performance.now();
  };
}

const MAX_TURN_MS = 5;

/** To read a pipe would wait for its writer, for ever if there is none. */
function noFile(path: string): InputError {
  return new InputError('file-not-found', `${path} is neither a file nor a folder, but a pipe or a device.`, {
    remedy: 'Write what it gives to a file, and name that.',
    details: { path },
  });
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new InputError('file-not-found', `There is no file or folder ${path}.`, {
        remedy: 'Check the path.',
        details: { path },
        cause: error,
      });
    }
    throw new EnvironmentError('file-not-readable', `${path} cannot be read (${code || 'unknown reason'}).`, {
      remedy: 'Check its permissions, or copy it to a folder that can be read.',
      details: { path, code },
      cause: error,
    });
  }
}
