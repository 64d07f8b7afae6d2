import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** The process that writes a file, in its temporary name: pid, and the machine (and on Linux the namespace) that the
 * pid is of. A folder may be shared by several. */
const MACHINE = createHash('sha256').update(`${hostname()} ${pidNamespace()}`).digest('hex').slice(0, 8);

const NAME = /^\..*\.(?<pid>\d+)-(?<machine>[0-9a-f]{8})-[0-9a-f]{8}\.partial(?:\.older)?$/s;

/** Bytes of a name that are kept in its temporary one, which then fits wherever the name does. */
const MOST_KEPT_BYTES = 80;

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
      rmSync(join(folder, name), { force: true });
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
    if (Buffer.byteLength(beginning + sign) > MOST_KEPT_BYTES) break;
    beginning += sign;
  }
  return beginning;
}
