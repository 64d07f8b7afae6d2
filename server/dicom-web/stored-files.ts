import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, readdir, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileGoneError } from './object-file.ts';
import { type PlainFile } from './plain-file.ts';

/** A file that is written under a hidden name until it is known what it is. */
export interface StagedPart {
  readonly path: string;
  /** @throws Error of the file system; what follows is then not written */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Flushes it to the disk. */
  readonly close: () => Promise<void>;
  readonly discard: () => Promise<void>;
}

/** The folder of what was stored. Files in it are added whole or not at all, and none is ever replaced. */
export interface StoredFiles {
  readonly stage: () => Promise<StagedPart>;
  /** Gives a staged file its name; false if there is a file of that name, whoever put it there. */
  readonly publish: (staged: StagedPart, name: string) => Promise<boolean>;
  readonly pathOf: (name: string) => string;
  /** Flushes the names to the disk. */
  readonly sync: () => Promise<void>;
  /** Takes the folder away if nothing was stored into it. */
  readonly removeIfEmpty: () => Promise<void>;
}

/** Takes away what servers of this computer that were killed left half-written, at once: nobody may store for weeks.
 * @param folder made when the first file is staged; never a link */
export function openStoredFiles(folder: string): StoredFiles {
  const swept = sweep(folder);
  let staged = 0;
  return {
    async stage() {
      await makeFolder(folder);
      await swept;
      staged += 1;
      const path = join(folder, `.${WRITER}.${randomBytes(8).toString('hex')}.partial`);
      let handle: FileHandle | undefined;
      try {
        handle = await open(path, 'wx');
      } catch (cause) {
        staged -= 1;
        throw cause;
      }
      const close = async (): Promise<void> => {
        const closing = handle;
        handle = undefined;
        await closing?.close();
      };
      return {
        path,
        write: async (bytes) => {
          for (let from = 0; from < bytes.length;) {
            if (handle === undefined) throw new Error('the staged file is closed');
            from += (await handle.write(bytes, from)).bytesWritten;
          }
        },
        close: async () => {
          await handle?.sync();
          await close();
        },
        discard: async () => {
          staged -= 1;
          await close();
          await rm(path, { force: true });
        },
      };
    },
    publish: (staged, name) => publish(staged.path, join(folder, name)),
    pathOf: (name) => join(folder, name),
    sync: () => syncFolder(folder),
    async removeIfEmpty() {
      // Another request may be about to write.
      if (staged === 0) await rmdir(folder).catch(() => undefined);
    },
  };
}

/** Whether two files are the same, byte by byte. */
export async function haveSameBytes(one: PlainFile, other: PlainFile): Promise<boolean> {
  if (one.byteLength !== other.byteLength) return false;
  for (let at = 0; at < one.byteLength; at += COMPARED_AT_ONCE) {
    const [a, b] = await Promise.all([one.read(at, COMPARED_AT_ONCE), other.read(at, COMPARED_AT_ONCE)]);
    if (a.length === 0 || !Buffer.from(a.buffer, a.byteOffset, a.length).equals(b)) return false;
  }
  return true;
}

const COMPARED_AT_ONCE = 1024 * 1024;

/** Gives a file its name if nothing has it: a link fails where a file is, which renaming would replace. */
async function publish(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    if (!WITHOUT_LINKS.has(codeOf(cause) ?? '')) throw cause;
  }
  // A file system without links: an empty file claims the name, and is replaced by nobody but who claimed it.
  try {
    await (await open(to, 'wx')).close();
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw cause;
  }
  await rename(from, to).catch(async (cause: unknown) => {
    await rm(to, { force: true });
    throw cause;
  });
  return true;
}

/** FAT, some network drives, and containers that forbid them. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (!(await lstat(folder)).isDirectory()) throw new FileGoneError('The folder for what is stored is a link.');
}

/** Names of half-written files say who writes them: a program that has ended will not come back to them. */
const WRITER = `${hostname()
  .replaceAll(/[^\w-]/g, '')
  .slice(0, 32)}.${process.pid}`;
const PARTIAL = /^\.(?<host>[\w-]{0,32})\.(?<pid>\d{1,10})\.[0-9a-f]{16}\.partial$/;

async function sweep(folder: string): Promise<void> {
  const [host = ''] = WRITER.split('.', 1);
  const isFolder = await lstat(folder)
    .then((found) => found.isDirectory())
    .catch(() => false);
  if (!isFolder) return;
  for (const name of await readdir(folder).catch(() => [])) {
    const { host: writerHost, pid } = PARTIAL.exec(name)?.groups ?? {};
    if (writerHost !== host || pid === undefined || isRunning(Number(pid))) continue;
    // What cannot be removed is in nobody's way: its name is taken by no other.
    await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return codeOf(cause) !== 'ESRCH';
  }
}

/** A name lasts once its folder is on the disk. Windows opens no folders, and keeps names in a journal. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
