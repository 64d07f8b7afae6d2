import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadModel, sha256Hex } from '../../src/models/load-model.ts';
import { copyModel, createModelFetcher, isPlainHttp } from '../../src/node/copy-model.ts';
import { findModels, openModelAt, openModelFolder, userModelsFolder } from '../../src/node/model-folders.ts';
import { tinyModelFolder } from '../support/models.ts';
import { type ServedFolder, serveFolder } from '../support/served-folder.ts';

let work: string;
let models: string;
let source: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'slicewise-copy-'));
  models = join(work, 'user', 'models');
  source = join(work, 'source');
  await cp(tinyModelFolder, source, { recursive: true });
  await writeFile(join(source, 'LICENSE'), 'CC BY 4.0');
});
afterEach(() => rm(work, { recursive: true, force: true }));

const present = (): Promise<string[]> => readdir(models).catch(() => []);

describe('from a folder', () => {
  test('a model comes whole, with its golden arrays and its licence, and nothing else', async () => {
    await writeFile(join(source, 'notes.txt'), 'not of the model');
    const { folder, wasThere } = await copyModel(await openModelAt(source), models);
    expect({ folder, wasThere }).toEqual({ folder: join(models, 'tiny-heart'), wasThere: false });
    const names = (await readdir(folder, { recursive: true })).sort();
    expect(names).toEqual([
      'LICENSE',
      'golden',
      'golden/input.f32',
      'golden/output.f32',
      'manifest.json',
      'model.onnx',
    ]);
    for (const name of names.filter((one) => one !== 'golden')) {
      expect(await readFile(join(folder, name)), name).toEqual(await readFile(join(source, name)));
    }
    expect(await present()).toEqual(['tiny-heart']);
  });

  test('the manifest is told before anything else is read', async () => {
    await rm(join(source, 'model.onnx'));
    const told: string[] = [];
    const copying = copyModel(await openModelAt(source), models, { onManifest: ({ id }) => told.push(id) });
    await expect(copying).rejects.toMatchObject({ code: 'model-file-mismatch' });
    expect(told).toEqual(['tiny-heart']);
    expect(await present()).toEqual([]);
  });

  test.each(['model.onnx', 'golden/input.f32', 'golden/output.f32'])('a changed %s leaves nothing', async (name) => {
    const bytes = await readFile(join(source, name));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(join(source, name), bytes);
    await expect(copyModel(await openModelAt(source), models)).rejects.toMatchObject({
      name: 'ModelError',
      code: 'model-file-mismatch',
    });
    expect(await present()).toEqual([]);
  });

  test('the same again is there already; a file that was damaged since is mended', async () => {
    await copyModel(await openModelAt(source), models);
    expect(await copyModel(await openModelAt(source), models)).toMatchObject({ wasThere: true });
    await writeFile(join(models, 'tiny-heart', 'model.onnx'), 'damaged');
    expect(await copyModel(await openModelAt(source), models)).toMatchObject({ wasThere: false });
    await loadModel(await openModelFolder('tiny-heart', models));
    expect(await present()).toEqual(['tiny-heart']);
  });

  test('another model of the id is kept unless it is to be replaced', async () => {
    await copyModel(await openModelAt(source), models);
    const before = await readFile(join(models, 'tiny-heart', 'manifest.json'), 'utf8');
    const other = before.replace(/"version": "[^"]*"/, '"version": "9.9.9"');
    expect(other).not.toBe(before);
    await writeFile(join(source, 'manifest.json'), other);
    await expect(copyModel(await openModelAt(source), models)).rejects.toMatchObject({ name: 'ModelError' });
    expect(await readFile(join(models, 'tiny-heart', 'manifest.json'), 'utf8')).toBe(before);
    await copyModel(await openModelAt(source), models, { replace: true });
    expect(await readFile(join(models, 'tiny-heart', 'manifest.json'), 'utf8')).toBe(other);
    expect(await present()).toEqual(['tiny-heart']);
  });

  test('a signal that aborts leaves nothing', async () => {
    const controller = new AbortController();
    const onManifest = (): void => {
      controller.abort(new Error('Interrupted'));
    };
    const copying = copyModel(await openModelAt(source), models, { signal: controller.signal, onManifest });
    await expect(copying).rejects.toThrow('Interrupted');
    expect(await present()).toEqual([]);
  });

  test('what a killed copy left is removed by the next, and is never taken for a model', async () => {
    await copyModel(await openModelAt(source), models);
    // A name as the writer gives it, of a process that has ended.
    const { partialPath } = await import('../../src/node/write-file.ts');
    const left = partialPath(join(models, 'tiny-heart')).replace(`.${process.pid}-`, '.4194304-');
    await cp(source, left, { recursive: true });
    expect((await findModels(models)).map(({ folder }) => folder)).toEqual([join(models, 'tiny-heart')]);
    await writeFile(join(models, 'tiny-heart', 'model.onnx'), 'damaged');
    await copyModel(await openModelAt(source), models);
    expect(await present()).toEqual(['tiny-heart']);
  });
});

describe('from a static server', () => {
  let server: ServedFolder;
  beforeEach(async () => {
    server = await serveFolder(work);
  });
  afterEach(() => server.close());

  test.each(['source', 'source/', 'source/?token=1#top'])('a model comes whole from %s', async (path) => {
    const { folder } = await copyModel(createModelFetcher(`${server.url}${path}`), models);
    const sha256 = await sha256Hex(await readFile(join(source, 'model.onnx')));
    expect(await sha256Hex(await readFile(join(folder, 'model.onnx')))).toBe(sha256);
    expect(await readFile(join(folder, 'LICENSE'), 'utf8')).toBe('CC BY 4.0');
  });

  test('a server without the licence and the card still gives the model', async () => {
    await rm(join(source, 'LICENSE'));
    const { folder } = await copyModel(createModelFetcher(`${server.url}source`), models);
    expect((await readdir(folder)).sort()).toEqual(['golden', 'manifest.json', 'model.onnx']);
  });

  test.each(['manifest.json', 'model.onnx'])('a %s that is longer than it may be is not read on', async (name) => {
    server.replaced.set(`source/${name}`, new Uint8Array(2 ** 20 + 1));
    await expect(copyModel(createModelFetcher(`${server.url}source`), models)).rejects.toMatchObject({
      code: 'model-file-mismatch',
      message: expect.stringContaining('longer than') as string,
    });
    expect(await present()).toEqual([]);
  });

  test('a folder that is not there is a ModelError', async () => {
    await expect(copyModel(createModelFetcher(`${server.url}nothing`), models)).rejects.toMatchObject({
      name: 'ModelError',
    });
  });

  test('a server that breaks off, that is silent, or that is not there is an EnvironmentError, and leaves nothing', async () => {
    const breaking = createServer((request, response) => {
      if (request.url?.startsWith('/silent/') === true) return;
      response.writeHead(200, { 'Content-Length': '500' }).write('{', () => response.destroy());
    }).listen(0, '127.0.0.1');
    await once(breaking, 'listening');
    const address = breaking.address();
    const root = `http://127.0.0.1:${typeof address === 'object' ? String(address?.port) : ''}`;
    for (const path of ['breaks', 'silent']) {
      const copying = copyModel(createModelFetcher(`${root}/${path}`, { silenceMs: 300 }), models);
      await expect(copying, path).rejects.toMatchObject({ name: 'EnvironmentError', code: 'file-not-readable' });
    }
    breaking.closeAllConnections();
    breaking.close();
    await once(breaking, 'close');
    await expect(copyModel(createModelFetcher(`${root}/gone`), models)).rejects.toMatchObject({
      name: 'EnvironmentError',
      code: 'file-not-readable',
    });
    expect(await present()).toEqual([]);
  });

  test.each(['ftp://127.0.0.1/m', 'file:///etc', 'http://ann:secret@127.0.0.1/m', 'not an address'])(
    '%s is refused before anything is asked for',
    (address) => {
      expect(() => createModelFetcher(address)).toThrow(
        expect.objectContaining({ code: 'invalid-arguments' }) as Error,
      );
    },
  );

  test('http from another computer is told from https and from this one', () => {
    expect(
      [
        'http://models.example/m',
        'http://127.0.0.1.example/',
        'https://models.example',
        server.url,
        'http://[::1]/',
      ].map(isPlainHttp),
    ).toEqual([true, true, false, false, false]);
  });
});

describe("the user's folder", () => {
  test.each([
    ['linux', { XDG_DATA_HOME: '/data' }, '/data/slicewise/models'],
    ['linux', {}, '/home/ann/.local/share/slicewise/models'],
    // "All paths … must be absolute. If … relative … consider the path invalid and ignore it."
    ['linux', { XDG_DATA_HOME: 'data' }, '/home/ann/.local/share/slicewise/models'],
    ['darwin', { XDG_DATA_HOME: '/data' }, '/home/ann/Library/Application Support/slicewise/models'],
    ['win32', { LOCALAPPDATA: 'C:\\Data' }, 'C:\\Data\\slicewise\\models'],
    ['win32', {}, '\\home\\ann\\AppData\\Local\\slicewise\\models'],
  ] as const)('on %s with %o is %s', (platform, environment, folder) => {
    expect(userModelsFolder(environment, platform, '/home/ann')).toBe(folder);
  });

  test('a model in it goes before the one of that id that comes with the package', async () => {
    const own = join(work, 'own');
    await cp(source, join(own, 'tiny-heart'), { recursive: true });
    await copyModel(await openModelAt(source), models);
    expect(await findModels([models, own])).toMatchObject([{ folder: join(models, 'tiny-heart') }]);
    await rm(join(models, 'tiny-heart'), { recursive: true });
    expect(await findModels([models, own])).toMatchObject([{ folder: join(own, 'tiny-heart') }]);
  });
});
