import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnvironmentError } from '../../src/errors.ts';
import { assertWritable, partialPath, writeFilesTogether } from '../../src/node/write-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-write-'));
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('parts are written one after the other, with the size and SHA-256 of the whole', async () => {
  const path = join(folder, 'a.dcm');
  await writeFilesTogether(async (stage) => {
    const { byteLength, sha256 } = await stage(path, [bytes('one '), bytes(''), bytes('two')]);
    expect(byteLength).toBe(7);
    expect(sha256).toBe(createHash('sha256').update('one two').digest('hex'));
  });
  expect(await readFile(path, 'utf8')).toBe('one two');
  expect(await readdir(folder)).toEqual(['a.dcm']);
});

test('nothing has its name before everything is on the disk', async () => {
  await writeFilesTogether(async (stage) => {
    await stage(join(folder, 'a.dcm'), [bytes('a')]);
    const names = await readdir(folder);
    expect(names).toHaveLength(1);
    expect(names).not.toContain('a.dcm');
    await stage(join(folder, 'b.png'), [bytes('b')]);
  });
  expect((await readdir(folder)).sort()).toEqual(['a.dcm', 'b.png']);
});

test('if a later file fails, no file is left and an older one keeps its content', async () => {
  const path = join(folder, 'a.dcm');
  await writeFile(path, 'older');
  const failing = writeFilesTogether(async (stage) => {
    await stage(path, [bytes('newer')]);
    throw new Error('the preview failed');
  });
  await expect(failing).rejects.toThrow('the preview failed');
  expect(await readdir(folder)).toEqual(['a.dcm']);
  expect(await readFile(path, 'utf8')).toBe('older');
});

test('if a name cannot be taken, an older file that was replaced before it comes back', async () => {
  const path = join(folder, 'a.dcm');
  await writeFile(path, 'older');
  await mkdir(join(folder, 'is-a-folder'));
  const failing = writeFilesTogether(async (stage) => {
    await stage(path, [bytes('newer')]);
    await stage(join(folder, 'is-a-folder'), [bytes('b')]);
  });
  await expect(failing).rejects.toMatchObject({ code: 'file-not-writable' });
  expect((await readdir(folder)).sort()).toEqual(['a.dcm', 'is-a-folder']);
  expect(await readFile(path, 'utf8')).toBe('older');
});

test('if a name cannot be taken, the ones taken before it are given up again', async () => {
  await mkdir(join(folder, 'is-a-folder'));
  const failing = writeFilesTogether(async (stage) => {
    await stage(join(folder, 'a.dcm'), [bytes('a')]);
    await stage(join(folder, 'is-a-folder'), [bytes('b')]);
  });
  await expect(failing).rejects.toMatchObject({ code: 'file-not-writable' });
  expect(await readdir(folder)).toEqual(['is-a-folder']);
});

test('an abort before the names are given leaves nothing', async () => {
  const controller = new AbortController();
  const aborted = writeFilesTogether(
    async (stage) => {
      await stage(join(folder, 'a.dcm'), [bytes('a')]);
      controller.abort(new Error('Interrupted'));
    },
    { signal: controller.signal },
  );
  await expect(aborted).rejects.toThrow('Interrupted');
  expect(await readdir(folder)).toEqual([]);
});

test('a link is written through', async () => {
  await writeFile(join(folder, 'real.dcm'), 'older');
  await symlink('real.dcm', join(folder, 'link.dcm'));
  await writeFilesTogether(async (stage) => {
    await stage(join(folder, 'link.dcm'), [bytes('newer')]);
  });
  expect(await readFile(join(folder, 'real.dcm'), 'utf8')).toBe('newer');
  expect((await readdir(folder)).sort()).toEqual(['link.dcm', 'real.dcm']);
});

test.each([
  ['missing/a.dcm', 'does not exist'],
  ['file/a.dcm', 'is no folder'],
  ['folder', 'it exists and is no file'],
  ['n'.repeat(256), 'the name is too long'],
  [`${'心'.repeat(85)}n`, 'the name is too long'],
  ['dangling-to-nowhere', 'does not exist'],
  ['circle', 'its links lead in a circle'],
  ['link-to-folder', 'it exists and is no file'],
  ['link-to-device', 'it exists and is no file'],
])('%s is refused before any work: %s', async (name, reason) => {
  await writeFile(join(folder, 'file'), '');
  await mkdir(join(folder, 'folder'));
  await symlink('missing/a.dcm', join(folder, 'dangling-to-nowhere'));
  await symlink('circle-2', join(folder, 'circle'));
  await symlink('circle', join(folder, 'circle-2'));
  await symlink('folder', join(folder, 'link-to-folder'));
  await symlink('/dev/null', join(folder, 'link-to-device'));
  const refused = assertWritable(join(folder, name));
  await expect(refused).rejects.toThrow(EnvironmentError);
  await expect(refused).rejects.toThrow(reason);
});

test('a file that exists, and one that does not, may be written', async () => {
  await writeFile(join(folder, 'old.dcm'), '');
  await assertWritable(join(folder, 'old.dcm'));
  await assertWritable(join(folder, 'new.dcm'));
  expect(await readdir(folder)).toEqual(['old.dcm']);
});

test.each([
  ['letters', 'n'.repeat(251)],
  ['signs of three bytes', '心'.repeat(83)],
  ['signs of four bytes', '😀'.repeat(62)],
  ['line breaks', '\n'.repeat(10)],
])('a name of up to 255 bytes works: %s', async (_, stem) => {
  const path = join(folder, `${stem}.dcm`);
  expect(Buffer.byteLength(`${stem}.dcm`)).toBeLessThanOrEqual(255);
  await assertWritable(path);
  await writeFile(path, 'older');
  await writeFilesTogether((stage) => stage(path, [bytes('newer')]));
  expect(await readFile(path, 'utf8')).toBe('newer');
  expect(await readdir(folder)).toEqual([`${stem}.dcm`]);
});

test('a link to what is not there yet is written through, over several links and folders', async () => {
  await mkdir(join(folder, 'results'));
  await symlink('second.dcm', join(folder, 'first.dcm'));
  await symlink('results/real.dcm', join(folder, 'second.dcm'));
  const path = join(folder, 'first.dcm');
  await assertWritable(path);
  await writeFilesTogether((stage) => stage(path, [bytes('new')]));
  expect(await readFile(join(folder, 'results/real.dcm'), 'utf8')).toBe('new');
  expect((await lstat(path)).isSymbolicLink()).toBe(true);
  expect(await readdir(join(folder, 'results'))).toEqual(['real.dcm']);
});

test('what a process that has ended left is removed by the next that writes there, what another writes is not', async () => {
  const { pid: ended } = spawnSync(process.execPath, ['-e', '0']);
  const nameOf = (pid: number, machine?: string): string => {
    const name = basename(partialPath(join(folder, 'b.dcm'))).replace(`.${process.pid}-`, `.${pid}-`);
    return machine === undefined ? name : name.replace(/-[0-9a-f]{8}-/, `-${machine}-`);
  };
  const leftovers = [nameOf(ended), `${nameOf(ended)}.older`];
  const others = [
    nameOf(process.pid), // this process
    nameOf(process.ppid),
    nameOf(ended, '00000000'), // of another machine
    `.mine.${ended}.partial`,
    'notes.partial',
  ];
  for (const name of [...leftovers, ...others]) await writeFile(join(folder, name), 'half');
  await writeFilesTogether((stage) => stage(join(folder, 'a.dcm'), [bytes('a')]));
  expect((await readdir(folder)).sort()).toEqual([...others, 'a.dcm'].sort());
});

test('a file that a killed process was writing is removed by the next run', async () => {
  const script = `
    const { writeFilesTogether } = await import(${JSON.stringify(new URL('../../src/node/write-file.ts', import.meta.url).href)});
    await writeFilesTogether(async (stage) => {
      await stage(${JSON.stringify(join(folder, 'a.dcm'))}, [new Uint8Array(9)]);
      process.stdout.write('staged');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(await readdir(folder)).toHaveLength(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await readdir(folder)).toHaveLength(1);
  await writeFilesTogether((stage) => stage(join(folder, 'a.dcm'), [bytes('a')]));
  expect(await readdir(folder)).toEqual(['a.dcm']);
});
