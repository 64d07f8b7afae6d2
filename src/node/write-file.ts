import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { copyFile, link, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path, { basename, dirname, join, type PlatformPath, resolve } from 'node:path';
import { EnvironmentError } from '../errors.ts';
import { hostname } from 'node:os';

/** A file that is complete on disk, still under a temporary name beside its place. */
export interface StagedFile {
  readonly path: string;
  readonly byteLength: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export type StageFile = (path: string, parts: readonly Uint8Array[]) => Promise<StagedFile>;

/** Writes several files so that all of them appear, or none: each is staged under a temporary name in its own folder
 * and flushed to the disk; when `produce` has returned all are renamed, replacing older files of these names.
 * If anything fails, the signal aborts or the process exits, no trace is left and older files stay as they were; what a
 * process that was killed left in these folders is removed. A link is written through, as an editor would, not replaced.
 * @returns what `produce` returned
 * @throws EnvironmentError `file-not-writable`; the signal's reason; what `produce` throws */
export async function writeFilesTogether<T>(
  produce: (stage: StageFile) => Promise<T>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<T> {
  const staged: { path: string; temporaryPath: string }[] = [];
  const swept = new Set<string>();
  const removeAll = (): void => {
    for (const { temporaryPath } of staged) rmSync(temporaryPath, { force: true });
  };
  process.once('exit', removeAll);
  try {
    const produced = await produce(async (path, parts) => {
      const target = targetOf(path);
      const temporaryPath = partialPath(target);
      if (!swept.has(dirname(target))) await removeLeftovers(dirname(target));
      swept.add(dirname(target));
      staged.push({ path: target, temporaryPath });
      return stageFile(path, temporaryPath, parts, options.signal);
    });
    options.signal?.throwIfAborted();
    await renameAll(staged);
    return produced;
  } finally {
    process.removeListener('exit', removeAll);
    removeAll();
  }
}

/** Checks before any long work that a file can be written at a path, by making an empty one beside it and removing that.
 * @throws EnvironmentError `file-not-writable` if the folder is missing or not writable, the name is too long, or the path
 * is a folder, a device or a circle of links */
export async function assertWritable(path: string): Promise<void> {
  const target = targetOf(path);
  const folder = dirname(target);
  try {
    const existing = await stat(target).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (existing !== undefined && !existing.isFile()) throw notWritable(path, 'it exists and is no file');
    if (!(await stat(folder)).isDirectory()) throw notWritable(path, `${folder} is no folder`);
    const trial = partialPath(target);
    await (await open(trial, 'wx')).close();
    await rm(trial, { force: true });
  } catch (cause) {
    if (cause instanceof EnvironmentError) throw cause;
    throw notWritable(path, reasonOf(cause, folder), cause);
  }
}

/** A folder that is a file is missing as a folder: that is told of the folder. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function stageFile(
  path: string,
  temporaryPath: string,
  parts: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<StagedFile> {
  signal?.throwIfAborted();
  const hash = createHash('sha256');
  let byteLength = 0;
  for (const part of parts) {
    hash.update(part);
    byteLength += part.byteLength;
  }
  try {
    const handle = await open(temporaryPath, 'wx');
    try {
      await writeFile(handle, parts, signal === undefined ? {} : { signal });
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw notWritable(path, reasonOf(cause, dirname(temporaryPath)), cause);
  }
  return { path, byteLength, sha256: hash.digest('hex') };
}

/** An older file of a name is kept under a second one until all are renamed, so that it can come back. */
async function renameAll(staged: readonly { path: string; temporaryPath: string }[]): Promise<void> {
  const renamed: { path: string; older: string | undefined }[] = [];
  try {
    for (const { path, temporaryPath } of staged) {
      const older = `${temporaryPath}.older`;
      // A copy where the file system has no links; neither, where there is no older file.
      const hasOlder = await link(path, older)
        .catch(() => copyFile(path, older))
        .then(
          () => true,
          () => false,
        );
      renamed.push({ path, older: hasOlder ? older : undefined });
      await rename(temporaryPath, path).catch((cause: unknown) => {
        throw notWritable(path, reasonOf(cause, path), cause);
      });
    }
  } catch (cause) {
    const last = renamed.pop();
    for (const { path, older } of renamed)
      await (older === undefined ? rm(path, { force: true }) : rename(older, path));
    if (last?.older !== undefined) await rm(last.older, { force: true });
    throw cause;
  }
  for (const { older } of renamed) if (older !== undefined) await rm(older, { force: true });
}

function targetOf(path: string): string {
  try {
    return linkTarget(path);
  } catch (cause) {
    throw notWritable(path, reasonOf(cause, path), cause);
  }
}

function notWritable(path: string, reason: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('file-not-writable', `${path} cannot be written: ${reason}.`, {
    remedy: 'Name a file in a folder that exists, is writable and has room.',
    details: { path },
    cause,
  });
}

function reasonOf(cause: unknown, path: string): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return `${path} does not exist`;
  if (code === 'ENOTDIR') return `${path} is no folder`;
  if (code === 'ENAMETOOLONG') return 'the name is too long for the file system';
  if (code === 'ELOOP') return 'its links lead in a circle';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return `${path} is not writable`;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  return cause instanceof Error ? cause.message : String(cause);
}

/** The process that writes a file, in its temporary name: pid, and the machine (and on Linux the namespace) that the
 * pid is of. A folder may be shared by several. */
const MACHINE = createHash('sha256').update(`${hostname()} ${pidNamespace()}`).digest('hex').slice(0, 8);

const NAME = /^\..*\.(?<pid>\d+)-(?<machine>[0-9a-f]{8})-[0-9a-f]{8}\.partial(?:\.older)?$/s;

/** Bytes of a name that are kept in its temporary one, which then fits wherever the name does. */
const MAX_KEPT_BYTES = 80;

/** A temporary name beside a file, which names its writer. */
export function partialPath(target: string): string {
  const random = randomBytes(4).toString('hex');
  return join(dirname(target), `.${beginningOf(basename(target))}.${process.pid}-${MACHINE}-${random}.partial`);
}

/** Removes what writers of this machine that have ended without cleaning up (a kill, a power cut) left in a folder. What
 * another machine may still be writing stays, and so does what cannot be removed. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const { pid, machine } = NAME.exec(name)?.groups ?? {};
    if (machine !== MACHINE || isRunning(Number(pid))) continue;
    try {
      rmSync(join(folder, name), { force: true, recursive: true });
    } catch {
      // Another user's: theirs to remove.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return ''; // not Linux
  }
}

/** The first signs of a name, whole ones. */
function beginningOf(name: string): string {
  let beginning = '';
  for (const sign of name) {
    if (Buffer.byteLength(beginning + sign) > MAX_KEPT_BYTES) break;
    beginning += sign;
  }
  return beginning;
}

/** As many links as Linux follows one after the other. */
const MAX_LINKS = 40;

/** The path without links, of a file that need not be there: a link to one that is not leads to where it would be made.
 * @throws an ELOOP error of links in a circle */
export function linkTarget(path: string): string {
  let target = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    try {
      return realpathSync(target);
    } catch {
      // Not there, or not to be listed: then its folder's path, and its own name or what it links to.
      const place = join(realFolder(dirname(resolve(target))), basename(resolve(target)));
      if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return place;
      target = resolve(dirname(place), readlinkSync(place));
    }
  }
  throw Object.assign(new Error(`${path} is a link in a circle`), { code: 'ELOOP' });
}

/** Of a folder that is not there, that of the next one above it which is. */
function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return dirname(folder) === folder ? folder : join(realFolder(dirname(folder)), basename(folder));
  }
}

/** The name of a file below a folder, with slashes on every platform; of a file that lies elsewhere, its own name. On POSIX
 * a backslash is a sign like others.
 * @param platform of the paths; that of the process */
export function nameWithin(folder: string, file: string, platform: PlatformPath = path): string {
  const name = platform.relative(folder, file);
  return name === '' || !leadsWithin(name, platform) ? platform.basename(file) : name.split(platform.sep).join('/');
}

/** Whether a path is a folder or lies below it.
 * @param folder both absolute, without links */
export function isWithin(folder: string, file: string, platform: PlatformPath = path): boolean {
  const name = platform.relative(folder, file);
  return name === '' || leadsWithin(name, platform);
}

/** A relative path that neither leads up nor, on Windows, to another drive. */
function leadsWithin(name: string, platform: PlatformPath): boolean {
  return name !== '..' && !name.startsWith(`..${platform.sep}`) && !platform.isAbsolute(name);
}
