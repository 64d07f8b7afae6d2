import { createHash } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, serveStandIns, type AskOptions } from './served.ts';

let port: number;
let folder: string;
beforeAll(async () => {
  ({ port, folder } = await serveStandIns((_, response, path) => {
    if (path === '/fails') throw new Error('a bug, with a name: Doe^John');
    response.writeHead(200).end(`dicomweb ${path}`);
    return Promise.resolve();
  }));
});

const everyKindOfAnswer: [string, string, number, AskOptions?][] = [
  ['a page', '/', 200],
  ['a page of the router', '/slicewise?StudyInstanceUIDs=1.2', 200],
  ['a script', '/app.js', 200],
  ['the configuration', '/app-config.js', 200],
  ['the extension', '/slicewise/extension.js', 200],
  ['the list of models', '/slicewise/models/index.json', 200],
  ['a model', '/slicewise/models/heart/manifest.json', 200],
  ['DICOMweb', '/dicom-web/studies', 200],
  ['a missing script', '/slicewise/missing.js', 404],
  ['a missing model', '/slicewise/models/liver/manifest.json', 404],
  ['a path that is not encoded', '/%E0%A4%A', 400],
  ['another method', '/app.js', 405, { method: 'PUT' }],
  ['another host', '/', 421, { headers: { host: 'scans.example' } }],
  [
    'another site',
    '/dicom-web/studies',
    403,
    { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } },
  ],
  ['a bug', '/dicom-web/fails', 500],
];

describe('every answer', () => {
  test.each(everyKindOfAnswer)(
    '%s: isolates the page and has a policy without eval',
    async (_, path, status, options) => {
      const answer = await ask(port, path, options);
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject({
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      const policy = String(answer.headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("connect-src 'self'");
      expect(policy).not.toContain("'unsafe-eval'");
      expect(policy).not.toMatch(/script-src[^;]*'unsafe-inline'/);
      expect(policy).not.toMatch(/https?:|\*/);
    },
  );

  test('allows the inline scripts that the page came with, by their hashes, and no other', async () => {
    const { headers } = await ask(port, '/');
    const hashes = [...String(headers['content-security-policy']).matchAll(/'sha256-([^']+)'/g)].map(
      ([, hash]) => hash,
    );
    const expected = ['window.one = 1', 'window.two = 2'].map((script) =>
      createHash('sha256').update(script).digest('base64'),
    );
    expect(hashes).toEqual(expected);
  });

  test('only the worker that decodes images may build functions from text', async () => {
    const policy = async (path: string): Promise<string> =>
      String((await ask(port, path)).headers['content-security-policy']);
    expect(await policy('/12.bundle.0123456789abcdef.js')).toContain("'unsafe-eval'");
    for (const path of ['/', '/13.bundle.0123456789abcdef.js', '/slicewise/12.bundle.0123456789abcdef.js']) {
      expect(await policy(path)).not.toContain("'unsafe-eval'");
    }
  });

  test('says nothing of what went wrong inside, which may name a patient', async () => {
    const { body } = await ask(port, '/dicom-web/fails');
    expect(body.toString()).not.toContain('Doe');
  });
});

describe('files', () => {
  test.each(['/example', '/example/'])('%s leads to the example page of the built extension', async (path) => {
    const { status, headers } = await ask(port, path);
    expect({ status, location: headers.location }).toEqual({ status: 302, location: '/slicewise/example/index.html' });
    expect((await ask(port, String(headers.location))).body.toString()).toBe('example');
  });

  test('a page of the router is the index; a missing script is none', async () => {
    expect((await ask(port, '/viewer/anything')).body.toString()).toContain('<!doctype html>');
    expect((await ask(port, '/slicewise/missing.js')).body.toString()).not.toContain('<!doctype html>');
  });

  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/slicewise/../../secret.txt',
    '/slicewise/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/slicewise/..\\..\\secret.txt',
    '/slicewise/models/heart/../../../secret.txt',
    '/slicewise/models/../../secret.txt',
    '/slicewise/models/heart/%00',
    '//secret.txt',
    '/.hidden',
  ])('%s leads nowhere', async (path) => {
    const { body } = await ask(port, path);
    expect(body.toString()).not.toMatch(/secret|hidden/);
  });

  test('a link that leads out of the folder is not followed', async () => {
    symlinkSync(join(folder, 'secret.txt'), join(folder, 'models/heart/link.txt'));
    expect((await ask(port, '/slicewise/models/heart/link.txt')).status).toBe(404);
  });

  test('a file that the browser has is not sent again; names with a hash are kept for good', async () => {
    const { headers } = await ask(port, '/app.js');
    expect(headers['cache-control']).toBe('no-cache');
    const again = await ask(port, '/app.js', { headers: { 'if-none-match': String(headers.etag) } });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
    const hashed = await ask(port, '/chunk.bundle.0123456789abcdef.js');
    expect(hashed.headers['cache-control']).toContain('immutable');
  });

  test('HEAD has the headers of GET and no body', async () => {
    const head = await ask(port, '/app.js', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(head.headers['content-length']).toBe('3');
  });
});

describe('who may ask', () => {
  test.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000'])('%s is this computer', async (host) => {
    expect((await ask(port, '/', { headers: { host } })).status).toBe(200);
  });

  test.each(['localhost.example', '127.0.0.1.example', 'example:3000'])('"%s" is not', async (host) => {
    expect((await ask(port, '/', { headers: { host } })).status).toBe(421);
  });

  test('a link on another site opens a page, a request of its scripts gets nothing', async () => {
    const from = (mode: string): AskOptions => ({
      headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode },
    });
    expect((await ask(port, '/', from('navigate'))).status).toBe(200);
    for (const mode of ['no-cors', 'cors', 'websocket']) {
      expect((await ask(port, '/dicom-web/studies', from(mode))).status).toBe(403);
    }
    expect((await ask(port, '/dicom-web/studies', { ...from('navigate'), method: 'POST' })).status).toBe(403);
  });
});
