import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadManifest, loadModel } from '../../src/models/load-model.ts';
import { findModels, openModelFolder } from '../../src/node/model-folders.ts';
import { tinyModelFolder } from '../support/models.ts';

describe('the models of the package', () => {
  test('are there', async () => {
    expect((await findModels()).map(({ manifest }) => manifest.id)).toContain('cardiac-mr');
  });

  test('lie in folders named as their ids', async () => {
    for (const { folder, manifest } of await findModels()) expect(basename(folder)).toBe(manifest.id);
  });

  test('are whole', async () => {
    for (const { manifest } of await findModels()) {
      expect((await loadModel(await openModelFolder(manifest.id))).manifest).toEqual(manifest);
    }
  });
});

describe('model folders', () => {
  let models: string;
  beforeEach(async () => {
    models = await mkdtemp(join(tmpdir(), 'slicewise-models-'));
    await cp(tinyModelFolder, join(models, 'tiny-heart'), { recursive: true });
    await mkdir(join(models, 'training'));
    await writeFile(join(models, 'README.md'), 'no model');
  });
  afterEach(() => rm(models, { recursive: true, force: true }));

  test('are those with a manifest; other folders and files are passed over', async () => {
    expect(await findModels(models)).toMatchObject([
      { folder: join(models, 'tiny-heart'), manifest: { id: 'tiny-heart' } },
    ]);
  });

  test('open by id', async () => {
    const { manifest, bytes } = await loadModel(await openModelFolder('tiny-heart', models));
    expect(bytes.byteLength).toBe(manifest.file.byteLength);
  });

  test('open by path, with and without a slash at its end, and through a link', async () => {
    const link = join(models, 'link');
    await symlink(tinyModelFolder, link);
    for (const path of [tinyModelFolder, join(models, 'tiny-heart'), link]) {
      expect((await loadManifest(await openModelFolder(path, join(models, 'training')))).id).toBe('tiny-heart');
    }
  });

  test.each(['lung', 'training', '', '..', '/dev/null'])(
    '"%s" is none, and the error names what is there',
    async (name) => {
      await expect(openModelFolder(name, models)).rejects.toMatchObject({
        name: 'ModelError',
        code: 'model-not-found',
        message: expect.stringContaining('(tiny-heart)') as string,
      });
    },
  );

  test('a folder without its ONNX file is a ModelError that names the file', async () => {
    await rm(join(models, 'tiny-heart', 'model.onnx'));
    await expect(loadModel(await openModelFolder('tiny-heart', models))).rejects.toMatchObject({
      name: 'ModelError',
      code: 'model-file-mismatch',
      message: expect.stringContaining('has no model.onnx') as string,
    });
  });

  test('what is not a regular file is refused unread', async () => {
    await rm(join(models, 'tiny-heart', 'model.onnx'));
    await mkdir(join(models, 'tiny-heart', 'model.onnx'));
    await expect(loadModel(await openModelFolder('tiny-heart', models))).rejects.toMatchObject({
      name: 'ModelError',
      code: 'model-file-mismatch',
    });
  });

  test.each<[string, (path: string) => unknown]>([
    ['a pipe that nobody writes to', (path) => execFileSync('mkfifo', [path])],
    ['a link to a device without end', (path) => symlink('/dev/zero', path)],
  ])(
    '%s is refused at once, as weights and as golden array and as manifest',
    async (_, make) => {
      const folder = join(models, 'tiny-heart');
      const read = await openModelFolder('tiny-heart', models);
      for (const name of ['golden/input.f32', 'model.onnx', 'manifest.json']) {
        await rm(join(folder, name));
        await make(join(folder, name));
        await expect(read(name), name).rejects.toMatchObject({
          name: 'ModelError',
          message: expect.stringContaining('not a regular file') as string,
        });
      }
    },
    5000,
  );

  test('a broken manifest stops the listing with its error', async () => {
    await writeFile(join(models, 'tiny-heart', 'manifest.json'), '{}');
    await expect(findModels(models)).rejects.toMatchObject({ name: 'ModelError', code: 'invalid-manifest' });
  });
});
