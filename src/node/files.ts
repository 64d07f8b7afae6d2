import { closeSync, openSync, readFileSync, readSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { constants } from 'node:buffer';
import { basename, join, relative } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { EnvironmentError, InputError } from '../errors.ts';
import type { SourceFile } from '../readers/reader.ts';

export interface LocalFile extends SourceFile {
  /** Absolute, without links. */
  readonly realPath: string;
}

/** Opens files, and every file below folders, for the readers; in the order given, a folder's files by name. Of a pair
 * of .hdr and .img, one brings the other.
 * A file named twice counts once. Nothing is read before a reader asks.
 * @throws InputError `file-not-found`; EnvironmentError `file-not-readable` */
export function openFiles(paths: readonly string[]): LocalFile[] {
  const seen = new Set<string>();
  const takeTurns = createTurns();
  return paths.flatMap((path) =>
    filesBelow(path).flatMap((file) => {
      const realPath = attempt(file, () => realpathSync(file));
      if (seen.has(realPath)) return [];
      seen.add(realPath);
      return [{ ...openFile(file, nameBelow(path, file), takeTurns), realPath }];
    }),
  );
}

/** Relative to the folder that was given; a file that was given, or comes with it, by its own name. */
function nameBelow(path: string, file: string): string {
  const name = relative(path, file);
  return name === '' || name.startsWith('..') ? basename(file) : name;
}

function filesBelow(path: string): string[] {
  const found = attempt(path, () => statSync(path));
  if (found.isFile()) return [path, ...otherOfPair(path)];
  if (!found.isDirectory()) throw noFile(path);
  return attempt(path, () => readdirSync(path, { withFileTypes: true }))
    .toSorted((a, b) => byName.compare(a.name, b.name))
    .flatMap((entry) => {
      const child = join(path, entry.name);
      if (entry.isDirectory()) return filesBelow(child);
      // Links to folders are not followed: they may lead back here.
      if (entry.isSymbolicLink()) return isFile(child) ? [child] : [];
      return entry.isFile() ? [child] : [];
    });
}

/** A NIfTI image of two files is named by either. */
function otherOfPair(path: string): string[] {
  const [, stem = '', extension = ''] = /^(.*)\.(hdr|img)(?:\.gz)?$/i.exec(path) ?? [];
  if (extension === '') return [];
  const other = extension.toLowerCase() === 'hdr' ? 'img' : 'hdr';
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
      return attempt(path, () => readStart(path, Math.min(byteLength, size)));
    },
    read: async () => {
      await takeTurns();
      return plainBytes(attempt(path, () => readFileSync(path)));
    },
    gunzip,
  };
}

function readStart(path: string, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  const descriptor = openSync(path, 'r');
  try {
    let position = 0;
    while (position < byteLength) {
      const count = readSync(descriptor, bytes, position, byteLength - position, position);
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
    if (performance.now() - last < LONGEST_TURN_MS) return;
    await nextTurn();
    last = performance.now();
  };
}

const LONGEST_TURN_MS = 5;

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
