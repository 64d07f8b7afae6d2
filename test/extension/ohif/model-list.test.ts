import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { listModels } from '../../../extension/ohif/model-list.ts';
import { createManifest } from '../../pipeline/fake-session.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(files: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const text = files[url];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  }).listen(0, '127.0.0.1');
  closers.push(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/models/`;
}

describe('listModels', () => {
  test('reads the manifests that the index names, and asks for no weights', async () => {
    const url = await serve({
      '/models/index.json': '["fake"]',
      '/models/fake/manifest.json': JSON.stringify(createManifest()),
    });
    const [model] = await listModels(url);
    expect(model).toMatchObject({ folderUrl: `${url}fake/`, manifest: { title: 'Fake model' } });
  });

  test('a missing manifest is named with its path', async () => {
    const url = await serve({ '/models/index.json': '["fake"]' });
    await expect(listModels(url)).rejects.toMatchObject({
      code: 'file-not-found',
      message: expect.stringContaining('/models/fake/manifest.json') as string,
    });
  });

  test.each(['{}', '[1]', '<!doctype html>'])('an index that is no list of names is refused: %s', async (index) => {
    const url = await serve({ '/models/index.json': index });
    await expect(listModels(url)).rejects.toMatchObject({ code: 'file-not-readable' });
  });
});
