import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnvironmentError } from '../../src/errors.ts';
import { assertWritable, writeFilesTogether } from '../../src/node/write-file.ts';

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
])('%s is refused before any work: %s', async (name, reason) => {
  await writeFile(join(folder, 'file'), '');
  await mkdir(join(folder, 'folder'));
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
