import { createHash } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createAccessToken } from '../../server/access-token.ts';
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
  ['the page for those without a token', '/slicewise/access', 204],
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
    expect({ status, location: headers.location }).toEqual({ status: 302, location: '/slicewise/examples/index.html' });
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

  test('a file that the browser has is not sent again; names of the build are kept for good', async () => {
    const { headers } = await ask(port, '/app.js');
    expect(headers['cache-control']).toBe('no-cache');
    const again = await ask(port, '/app.js', { headers: { 'if-none-match': String(headers.etag) } });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
    const built = await ask(port, '/slicewise/assets/worker-B3kQ9xZa.js');
    expect(built.headers['cache-control']).toContain('immutable');
  });

  test.each([
    '/chunk.bundle.0123456789abcdef.js',
    '/slicewise/assets/notes-B3kQ9xZa.txt',
    '/slicewise/extension.js',
    '/slicewise/models/heart/manifest.json',
  ])('%s is asked for again each time: no manifest of a build has its name', async (path) => {
    expect((await ask(port, path)).headers['cache-control']).toBe('no-cache');
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

  const from = (site: string, mode: string, destination: string): AskOptions => ({
    headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination },
  });

  describe.each(['cross-site', 'same-site'])('a page that is %s', (site) => {
    test('may link to a page of ours', async () => {
      for (const path of ['/', '/slicewise?StudyInstanceUIDs=1.2', '/slicewise/access']) {
        expect((await ask(port, path, from(site, 'navigate', 'document'))).status).toBeLessThan(300);
      }
    });

    test.each(['iframe', 'frame', 'object', 'embed', 'empty', 'fencedframe'])(
      'may not hold one in its %s',
      async (destination) => {
        expect((await ask(port, '/', from(site, 'navigate', destination))).status).toBe(403);
      },
    );

    test.each(['/dicom-web', '/dicom-web/studies', '/dicom-web/studies?PatientName=*', '/dicom-web?x', '/dicom-web/'])(
      'does not reach %s, by a link or otherwise',
      async (path) => {
        for (const [mode, destination] of [
          ['navigate', 'document'],
          ['navigate', 'iframe'],
          ['no-cors', 'image'],
          ['no-cors', 'script'],
          ['cors', 'empty'],
          ['websocket', 'websocket'],
        ] as const) {
          expect((await ask(port, path, from(site, mode, destination))).status).toBe(403);
        }
      },
    );

    test('may not send a form', async () => {
      for (const path of ['/dicom-web/studies', '/']) {
        const answer = await ask(port, path, { ...from(site, 'navigate', 'document'), method: 'POST' });
        expect(answer.status).toBe(403);
      }
    });

    test('may not link without saying what for', async () => {
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' };
      expect((await ask(port, '/', { headers })).status).toBe(403);
    });
  });

  test.each([
    'http://evil.example',
    'null',
    'http://localhost:1',
    'https://localhost',
    'http://localhost.evil.example',
    '',
  ])('a request of the origin "%s" is refused, without Sec-Fetch headers too', async (origin) => {
    for (const method of ['POST', 'PUT', 'GET']) {
      expect((await ask(port, '/dicom-web/studies', { method, headers: { origin } })).status).toBe(403);
    }
  });

  test('a page of ours may post, by each name of this computer', async () => {
    for (const host of ['localhost:3000', '127.0.0.1:3000', '[::1]:3000']) {
      const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
      expect((await ask(port, '/dicom-web/studies', { method: 'POST', headers })).status).toBe(200);
    }
  });

  test.each([
    '/dicom-web//',
    '/dicom-web//[',
    '/dicom-web//evil.example/studies',
    '/dicom-web/\\[',
    '/dicom-web/a\\b',
    '//',
    '//[',
    '//evil.example/',
    '/\\[',
    '/%5C%5Cevil.example',
    '/slicewise/../../etc/passwd',
  ])('%s is no address here, and nothing is said of it in the terminal', async (path) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect((await ask(port, path)).status).toBe(404);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  test.each(['http://evil.example/dicom-web/studies', '*'])('the target "%s" is not a path', async (path) => {
    expect((await ask(port, path, { method: path === '*' ? 'OPTIONS' : 'GET' })).status).toBe(400);
  });
});

describe('with a token', () => {
  const token = createAccessToken();
  let guarded: number;
  beforeAll(async () => {
    guarded = (await serveStandIns((_, response) => Promise.resolve(void response.end('scan')), { token })).port;
  });
  const withToken = (given: string): AskOptions => ({ headers: { authorization: `Bearer ${given}` } });

  test('the archive answers those who send it', async () => {
    expect((await ask(guarded, '/dicom-web/studies', withToken(token))).body.toString()).toBe('scan');
  });

  test.each<[string, AskOptions]>([
    ['nothing', {}],
    ['another token', withToken(createAccessToken())],
    ['a part of it', withToken(token.slice(0, -1))],
    ['more than it', withToken(`${token}a`)],
    ['an empty one', withToken('')],
    ['it as a cookie', { headers: { cookie: `token=${token}; slicewise-access-token=${token}` } }],
    ['it as a password', { headers: { authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` } }],
  ])('%s gets nothing but words that say where the token stands', async (_, options) => {
    for (const path of ['/dicom-web/studies', `/dicom-web/studies?token=${token}`, '/dicom-web']) {
      const { status, headers, body } = await ask(guarded, path, options);
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toMatch(/^Bearer/);
      expect(body.toString()).toContain('npm start');
      expect(body.toString() + JSON.stringify(headers)).not.toContain(token);
    }
  });

  test('pages, scripts and models are for everybody, and have the token nowhere', async () => {
    for (const path of ['/', '/app-config.js', '/slicewise/extension.js', '/slicewise/models/heart/manifest.json']) {
      const { status, body } = await ask(guarded, path);
      expect(status).toBe(200);
      expect(body.toString()).not.toContain(token);
    }
  });

  test('a page asks whether it has the right one, and shows where it stands if it has not', async () => {
    expect((await ask(guarded, '/slicewise/access', withToken(token))).status).toBe(204);
    const { status, headers, body } = await ask(guarded, '/slicewise/access');
    expect({ status, type: headers['content-type'] }).toEqual({ status: 401, type: 'text/html; charset=utf-8' });
    expect(body.toString()).toContain('?token=');
    expect(headers).not.toHaveProperty('set-cookie');
  });

  test('no two starts have the same, and each is beyond guessing', () => {
    const tokens = Array.from({ length: 100 }, createAccessToken);
    expect(new Set(tokens).size).toBe(100);
    for (const each of tokens) expect(each).toMatch(/^[\w-]{43}$/);
  });

  test('the sample studies need none', async () => {
    expect((await ask(port, '/app-config.js')).body.toString()).toMatch(
      /^\(\(\) => \{\nprovided\(\);\n\}\)\(\);\nwindow\.config = /,
    );
    expect((await ask(port, '/app-config.js')).body.toString()).not.toContain('token');
    expect((await ask(port, '/slicewise/access')).status).toBe(204);
  });
});
