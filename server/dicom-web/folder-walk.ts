import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A file or folder as it is now. */
export interface WalkedFile {
  readonly path: string;
  readonly byteLength: number;
  /** Another one means that the file must be read again. */
  readonly version: string;
}

export interface FolderContents {
  /** Ordered by path. */
  readonly files: readonly WalkedFile[];
  /** What is there and cannot be looked at: the path, and why in a few words. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** Lists the files below a folder. Links are not followed. Hidden files and folders are left out: they are half-written
 * or belong to other programs. What vanishes meanwhile is left out too; what may not be listed is one entry. */
export async function walkFolder(folder: string): Promise<FolderContents> {
  const paths: string[] = [];
  const unreadable = new Map<string, string>();
  const leaveOut = (path: string, cause: unknown): void => {
    const reason = reasonOf(cause);
    if (reason !== undefined) unreadable.set(path, reason);
  };

  const list = async (below: string): Promise<void> => {
    const entries = await readdir(below, { withFileTypes: true }).catch((cause: unknown) => {
      leaveOut(below, cause);
      return [];
    });
    const folders: string[] = [];
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isFile()) paths.push(join(below, entry.name));
      else if (entry.isDirectory()) folders.push(join(below, entry.name));
    }
    for (let at = 0; at < folders.length; at += FOLDERS_AT_ONCE) {
      await Promise.all(folders.slice(at, at + FOLDERS_AT_ONCE).map(list));
    }
  };
  await list(folder);

  const files: WalkedFile[] = [];
  for (let at = 0; at < paths.length; at += FILES_AT_ONCE) {
    const looks = paths.slice(at, at + FILES_AT_ONCE).map(async (path) => {
      try {
        const status = await lstat(path, { bigint: true });
        if (status.isFile()) files.push({ path, byteLength: Number(status.size), version: versionOf(status) });
      } catch (cause) {
        leaveOut(path, cause);
      }
    });
    await Promise.all(looks);
  }
  return { files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)), unreadable };
}

const FOLDERS_AT_ONCE = 8;
const FILES_AT_ONCE = 64;

/** What changes when a file is written, replaced or put in its place: size and times alone miss a copy that keeps them. */
export function versionOf(status: {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}): string {
  return [status.dev, status.ino, status.size, status.mtimeNs, status.ctimeNs].join(' ');
}

/** Undefined for what is simply not there any more. */
function reasonOf(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  if (code === 'EACCES' || code === 'EPERM') return 'not readable for this user';
  return code === 'ENAMETOOLONG' ? 'with a path that is too long' : 'not readable';
}
