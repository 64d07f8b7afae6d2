import { constants } from 'node:fs';
import { lstat, open, realpath, type FileHandle } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { versionOf } from './folder-walk.ts';
import { FileGoneError, type ObjectFile } from './object-file.ts';

/** An open file. */
export interface PlainFile extends ObjectFile {
  /** @see WalkedFile */
  readonly version: string;
  readonly read: (start: number, byteLength: number) => Promise<Uint8Array<ArrayBuffer>>;
}

/** A file that its user closes. */
export interface OpenPlainFile extends PlainFile {
  /** @throws FileGoneError if it was written into since it was opened: what was read may be half of one and half of another */
  readonly assertUnchanged: () => Promise<void>;
  /** May be called again. */
  readonly close: () => Promise<void>;
}

/** Opens a file that was seen in a folder. Neither the file nor a folder on the way to it may be a link by now, and nothing
 * but a file is opened: a pipe would never answer.
 * @param path absolute, without links, as it was when the folder was listed
 * @throws FileGoneError */
export async function openPlainFile(path: string): Promise<OpenPlainFile> {
  const handle = await open(path, constants.O_RDONLY | NO_FOLLOW | NON_BLOCKING).catch((cause: unknown) => {
    throw new FileGoneError('The file cannot be opened any more.', { cause });
  });
  try {
    await settle(handle);
    const version = await versionAt(handle, path);
    const { size } = await handle.stat();
    return {
      byteLength: size,
      version,
      read: async (start, byteLength) => {
        const bytes = new Uint8Array(Math.max(0, Math.min(byteLength, size - start)));
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
        return bytes.subarray(0, bytesRead);
      },
      assertUnchanged: async () => {
        if (versionOf(await handle.stat({ bigint: true })) !== version) throw changed();
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Opens a file as {@link openPlainFile} does, gives it to `use` and closes it.
 * @throws FileGoneError before and after `use`, if the file changed under it, whatever `use` made of that */
export async function withPlainFile<T>(path: string, use: (file: PlainFile) => Promise<T>): Promise<T> {
  const file = await openPlainFile(path);
  try {
    return await use(file);
  } finally {
    await file.assertUnchanged().finally(file.close);
  }
}

/** Not there on Windows, where a link of a file needs special rights to be made. */
const NO_FOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;
const NON_BLOCKING = (constants.O_NONBLOCK as number | undefined) ?? 0;

/** A file's time of change counts in ticks of the system's clock (4 ms with most kernels): of a file that was written in
 * this tick, a further change of the same length would not show. */
async function settle(handle: FileHandle): Promise<void> {
  const { mtimeMs } = await handle.stat();
  const ageMs = Date.now() - mtimeMs;
  if (ageMs >= 0 && ageMs < CLOCK_TICK_MS) await wait(CLOCK_TICK_MS - ageMs);
}

const CLOCK_TICK_MS = 20;

/** @throws FileGoneError if what was opened is not the file that lies at the path without any link */
async function versionAt(handle: FileHandle, path: string): Promise<string> {
  const opened = await handle.stat({ bigint: true });
  const there = await Promise.all([realpath(path), lstat(path, { bigint: true })]).catch((cause: unknown) => {
    throw new FileGoneError('The file is not there any more.', { cause });
  });
  const [real, status] = there;
  const isSame = real === path && opened.isFile() && status.dev === opened.dev && status.ino === opened.ino;
  if (!isSame) throw changed();
  return versionOf(opened);
}

function changed(): FileGoneError {
  return new FileGoneError('The file is another one by now.');
}
