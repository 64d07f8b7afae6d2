import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runCli } from '../../src/cli/run-cli.ts';
import { loadManifest } from '../../src/models/load-model.ts';
import { readTinyModel, tinyModelFolder } from '../support/models.ts';
import { serveFolder } from '../support/served-folder.ts';

let work: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'slicewise-add-'));
  await cp(tinyModelFolder, join(work, 'release', 'tiny-heart'), { recursive: true });
  vi.stubEnv('XDG_DATA_HOME', join(work, 'data'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(work, { recursive: true, force: true });
});

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(argv, {
    stdout: { write: (text: string) => (written.stdout += text) },
    stderr: { write: (text: string) => (written.stderr += text) },
    catchInterrupts: () => new AbortController().signal,
    debug: false,
  });
  return { code, ...written };
}

describe.runIf(process.platform === 'linux')('slicewise models add', () => {
  test('from a folder, by its id from a root, and from a server: shown, kept and found by its id', async () => {
    const server = await serveFolder(work);
    const { licence, file } = await loadManifest(readTinyModel);
    try {
      for (const argv of [
        [join(work, 'release', 'tiny-heart')],
        ['tiny-heart', '--from', join(work, 'release')],
        [`${server.url}release/tiny-heart`],
        ['tiny-heart', '--from', `${server.url}release`],
      ]) {
        await rm(join(work, 'data'), { recursive: true, force: true });
        const added = await run('models', 'add', ...argv);
        expect(added).toMatchObject({ code: 0, stderr: '' });
        const shown = added.stdout;
        for (const text of [licence, file.sha256, join(work, 'data/slicewise/models/tiny-heart')]) {
          expect(shown).toContain(text);
        }
        expect((await run('models', 'show', 'tiny-heart')).code).toBe(0);
        expect((await run('models')).stdout).toContain('tiny-heart');
      }
    } finally {
      await server.close();
    }
  });

  test('what cannot be added is exit code 2, and leaves nothing', async () => {
    for (const argv of [
      [],
      ['no-such-model'],
      ['../tiny-heart', '--from', work],
      ['tiny-heart', '--from', work],
      [join(work, 'release', 'tiny-heart'), '--json'],
      ['ftp://files.example/tiny-heart'],
    ]) {
      expect(await run('models', 'add', ...argv), argv.join(' ')).toMatchObject({ code: 2, stdout: '' });
    }
    expect((await run('models', 'show', 'cardiac-mr-fast', '--from', work)).code).toBe(2);
    expect((await run('models', '--replace')).code).toBe(2);
    expect(await readdir(work)).toEqual(['release']);
  });
});

test('ohif-files names the installed models, and refuses another and a bad address, before it writes', async () => {
  const folder = join(work, 'files');
  const unknown = await run('ohif-files', folder, '--models', 'no-such-model');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('cardiac-mr-fast');
  for (const address of ['/slicewise/', 'slicewise-files', '/a/../b/', "/'+alert(1)+'/"]) {
    expect((await run('ohif-files', folder, '--address', address)).code, address).toBe(2);
  }
  expect(await readdir(work)).toEqual(['release']);
});
