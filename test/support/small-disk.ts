import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, onTestFinished } from 'vitest';

/** A suite that fills disks of its own: skipped, and said so, where none can be mounted (Linux, root); failed where CI or
 * REQUIRE_SMALL_DISK=1 says that one can. */
export function describeWithSmallDisk(name: string, define: () => void): void {
  if (canMount()) {
    describe(name, define);
    return;
  }
  const { CI: ci = '', REQUIRE_SMALL_DISK: required } = process.env;
  if (!['', '0', 'false'].includes(ci) || required === '1')
    throw new Error(`"${name}" needs a tmpfs, and none can be mounted: run it as root on Linux.`);
  describe.skip(`${name} (no tmpfs can be mounted)`, define);
}

/** An empty disk, taken away when the test is over. Call it only inside {@link describeWithSmallDisk}. */
export function smallDisk(kibibytes: number): string {
  const folder = mount(kibibytes);
  onTestFinished(() => {
    unmount(folder);
  });
  return folder;
}

function canMount(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    unmount(mount(64));
    return true;
  } catch {
    return false;
  }
}

function mount(kibibytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'slicewise-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch (cause) {
    rmdirSync(folder);
    throw cause;
  }
  return folder;
}

function unmount(folder: string): void {
  // What a process that is ending still has open must not keep it.
  if (spawnSync('umount', [folder]).status !== 0) execFileSync('umount', ['--lazy', folder]);
  rmdirSync(folder);
}
