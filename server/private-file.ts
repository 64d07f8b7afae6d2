import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EnvironmentError } from '../src/index.ts';

/** What `--credentials-file` hands to the user's other programs, as JSON. */
export interface OrthancCredentials {
  readonly url: string;
  readonly dicomWeb: string;
  readonly user: string;
  readonly password: string;
}

/** Checks that a file is not there, or is one of ours: a slip of the keyboard must not cost another file.
 * @throws EnvironmentError `file-not-writable` */
export async function assertReplaceable(path: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return;
    throw notWritable(path, 'it is there and cannot be read', cause);
  }
  if (!isCredentials(text)) throw notWritable(path, 'there is another file of this name');
}

/** Writes JSON that only this user may read (mode 0600), at once or not at all, over an older file of the name.
 * @throws EnvironmentError `file-not-writable` */
export async function writePrivately(path: string, value: object): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`);
  try {
    await writeFile(partial, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    throw notWritable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function isCredentials(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'dicomWeb' in value && 'password' in value;
  } catch {
    return false;
  }
}

function notWritable(path: string, reason: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('file-not-writable', `${path} cannot be written: ${reason}.`, {
    remedy: 'Name a file that does not exist, in a folder that does and is writable.',
    details: { path },
    cause,
  });
}
