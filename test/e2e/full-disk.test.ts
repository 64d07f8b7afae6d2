import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithSmallDisk, smallDisk } from '../support/small-disk.ts';
import { buildCli, checkout, runCli } from './run-cli.ts';
import { createWorkspace, tinyModel, type Workspace } from './workspace.ts';

let work: Workspace;
beforeAll(async () => {
  await buildCli();
  work = await createWorkspace();
});
afterAll(() => work.remove());

/** Every file below a folder, hidden ones included. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** Fills a disk, but for so many bytes. */
function fill(disk: string, exceptKibibytes: number): void {
  const path = join(disk, 'somebody-elses');
  let size = 0;
  try {
    for (; ; size += 1024) writeFileSync(path, Buffer.alloc(1024), { flag: 'a' });
  } catch {
    size = statSync(path).size;
  }
  writeFileSync(path, Buffer.alloc(Math.max(0, size - exceptKibibytes * 1024)));
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

describeWithSmallDisk('a full disk under what the command line writes', () => {
  test.each<[string, (disk: string) => string[]]>([
    ['segment', (disk) => ['segment', work.nifti, '--model', tinyModel, '--output', join(disk, 'out.nii')]],
    [
      'segment, to DICOM-SEG',
      (disk) => ['segment', work.dicom, '--model', tinyModel, '--output', join(disk, 'out.dcm')],
    ],
    ['convert, to NIfTI', (disk) => ['convert', work.dicom, join(disk, 'out.nii')]],
    ['convert, to DICOM-SEG', (disk) => ['convert', work.truth, join(disk, 'out.dcm'), '--reference', work.dicom]],
  ])('%s: is told with a remedy, exit code 3, and leaves nothing', async (_, args) => {
    const disk = smallDisk(256);
    fill(disk, 4);
    const run = await runCli(args(disk));
    expect(run).toMatchObject({ code: 3 });
    expect(run.stderr).toMatch(/^error: .*(?:disk is full|no space)[^]*\n {2}\S/im);
    expect(filesOf(disk)).toEqual(['somebody-elses']);
    // The same command on a disk with room: it was the disk.
    await rm(join(disk, 'somebody-elses'));
    expect(await runCli(args(disk))).toMatchObject({ code: 0 });
  });

  test('what was there before stays as it was', async () => {
    const disk = smallDisk(256);
    const args = ['segment', work.nifti, '--model', tinyModel, '--output', join(disk, 'out.nii')];
    expect(await runCli(args)).toMatchObject({ code: 0 });
    const before = sha256(join(disk, 'out.nii'));
    fill(disk, 4);
    expect(await runCli(args)).toMatchObject({ code: 3 });
    expect(sha256(join(disk, 'out.nii'))).toBe(before);
    expect(filesOf(disk)).toEqual(['out.nii', 'somebody-elses']);
  });

  test('a batch says which series failed, leaves no part of any, and goes on when there is room', async () => {
    const disk = smallDisk(512);
    const results = join(disk, 'results');
    await mkdir(results);
    fill(disk, 4);
    const args = ['segment', work.dicom, '--model', tinyModel, '--format', 'nii', '--output-dir', results];
    const full = await runCli(args);
    expect([3, 4]).toContain(full.code);
    expect(`${full.stdout}${full.stderr}`).toMatch(/disk is full|no space/i);
    expect(filesOf(disk)).toEqual(['somebody-elses']);
    await rm(join(disk, 'somebody-elses'));
    expect(await runCli(args)).toMatchObject({ code: 0 });
    expect(filesOf(results).filter((name) => name.endsWith('.nii'))).toHaveLength(1);
    expect(filesOf(results).filter((name) => name.includes('.partial'))).toEqual([]);
  });

  test('stdout to a file on it is told, and the result lies where it should', () => {
    const disk = smallDisk(64);
    fill(disk, 0);
    const output = work.out('beside.nii');
    const stdout = openSync(join(disk, 'summary.txt'), 'w');
    const args = [join(checkout, 'dist/cli/main.js'), 'segment', work.nifti, '--model', tinyModel, '--output', output];
    const run = spawnSync(process.execPath, args, { stdio: ['ignore', stdout, 'pipe'], encoding: 'utf8' });
    closeSync(stdout);
    expect(run.status).toBe(3);
    expect(run.stderr).toContain('The standard output cannot be written: the disk is full.');
    expect(existsSync(output)).toBe(true);
  });
});
