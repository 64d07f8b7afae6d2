import type { IncomingMessage, RequestListener } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { createPacsProxy, parsePacs } from '../../../extension/server/pacs-proxy.ts';
import { ask, listen, serveStandIns } from './served.ts';

let asked: {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  body: string;
}[];
let answer: RequestListener;
let pacs: number;
beforeEach(async () => {
  asked = [];
  answer = (_, response) => response.end('ok');
  pacs = await listen((request, response) => {
    const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: '' };
    asked.push(seen);
    request.on('data', (chunk: Buffer) => (seen.body += chunk.toString('latin1')));
    request.on('end', () => {
      answer(request, response);
    });
  });
});

async function proxied(environment: Record<string, string> = {}, port = pacs): Promise<number> {
  const parsed = parsePacs(`http://127.0.0.1:${port}/dicom-web/`, environment);
  return (await serveStandIns(createPacsProxy(parsed))).port;
}

describe('a request to the PACS', () => {
  test('keeps its path, query and body, and only the headers that DICOMweb needs', async () => {
    const port = await proxied();
    await ask(port, '/dicom-web/studies?PatientID=1%202', {
      headers: {
        accept: 'application/dicom+json',
        cookie: 'a=b',
        authorization: 'Basic browser',
        origin: 'http://localhost',
      },
    });
    await ask(port, '/dicom-web/studies/1.2/series/3/instances/4/frames/1,2');
    await ask(port, '/dicom-web/studies', {
      method: 'POST',
      headers: { 'content-type': 'multipart/related; boundary=b' },
      body: Buffer.from('--b--'),
    });
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /dicom-web/studies?PatientID=1%202',
      'GET /dicom-web/studies/1.2/series/3/instances/4/frames/1,2',
      'POST /dicom-web/studies',
    ]);
    expect(asked[0]?.headers).toMatchObject({ accept: 'application/dicom+json' });
    for (const name of ['cookie', 'authorization', 'origin']) expect(asked[0]?.headers).not.toHaveProperty(name);
    expect(asked[2]).toMatchObject({ body: '--b--', headers: { 'content-type': 'multipart/related; boundary=b' } });
  });

  test.each([
    [{ SLICEWISE_PACS_TOKEN: 'abc' }, 'Bearer abc'],
    [
      { SLICEWISE_PACS_USER: 'ann', SLICEWISE_PACS_PASSWORD: 'pass:word' },
      `Basic ${Buffer.from('ann:pass:word').toString('base64')}`,
    ],
    [{ SLICEWISE_PACS_USER: 'ann' }, `Basic ${Buffer.from('ann:').toString('base64')}`],
  ])('carries the credentials of %o, and the browser never sees them', async (environment, authorization) => {
    const port = await proxied(environment);
    const { headers, body } = await ask(port, '/dicom-web/studies', { headers: { authorization: 'Bearer browser' } });
    expect(asked[0]?.headers.authorization).toBe(authorization);
    expect(JSON.stringify(headers) + body.toString()).not.toContain(authorization);
  });

  test.each([
    ['GET', '/dicom-web'],
    ['GET', '/dicom-web/'],
    ['GET', '/dicom-web/../system'],
    ['GET', '/dicom-web/studies/../../system'],
    ['GET', '/dicom-web/studies/%2e%2e/%2e%2e/system'],
    ['GET', '/dicom-web/studies/..%2f..%2fsystem'],
    ['GET', '/dicom-web/servers'],
    ['GET', '/dicom-web/studiesx'],
    ['GET', '/dicom-web/studies@other.example/'],
    ['DELETE', '/dicom-web/studies/1.2'],
    ['PUT', '/dicom-web/studies/1.2'],
    ['POST', '/dicom-web/studies/1.2/series'],
    ['POST', '/dicom-web/instances'],
  ])('%s %s does not pass', async (method, path) => {
    const port = await proxied();
    expect((await ask(port, path, { method })).status).toBe(404);
    expect(asked).toEqual([]);
  });
});

describe('an answer of the PACS', () => {
  test('comes through with its status and type, and none of its cookies', async () => {
    answer = (_, response) => {
      response
        .writeHead(409, { 'content-type': 'application/dicom+xml', 'set-cookie': 'a=b', server: 'PACS' })
        .end('<a/>');
    };
    const { status, headers, body } = await ask(await proxied(), '/dicom-web/studies');
    expect({ status, body: body.toString() }).toEqual({ status: 409, body: '<a/>' });
    expect(headers['content-type']).toBe('application/dicom+xml');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('server');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
  });

  test('has our address where it had its own', async () => {
    answer = (request, response) => {
      const url = `http://${request.headers.host ?? ''}/dicom-web/studies/1.2`;
      response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify([{ url }]));
    };
    const port = await proxied();
    const { body } = await ask(port, '/dicom-web/studies', { headers: { host: `localhost:${port}` } });
    expect(JSON.parse(body.toString())).toEqual([{ url: `http://localhost:${port}/dicom-web/studies/1.2` }]);
  });

  test('that names another address is not followed', async () => {
    const elsewhere = await listen((_, response) => response.end('elsewhere'));
    answer = (_, response) => response.writeHead(302, { location: `http://127.0.0.1:${elsewhere}/` }).end();
    const { status, body } = await ask(await proxied(), '/dicom-web/studies');
    expect(status).toBe(502);
    expect(body.toString()).toContain('--pacs');
  });

  test('that wants credentials says which variables to set, and asks nothing of the browser', async () => {
    answer = (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="PACS"' }).end();
    const { status, headers, body } = await ask(await proxied(), '/dicom-web/studies');
    expect(status).toBe(502);
    expect(headers).not.toHaveProperty('www-authenticate');
    expect(body.toString()).toContain('SLICEWISE_PACS_USER');
  });

  test('that breaks off breaks off for the viewer too', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100', 'content-type': 'application/dicom' });
      response.write('half');
      setTimeout(() => response.destroy(), 50);
    };
    await expect(ask(await proxied(), '/dicom-web/studies/1.2/series/3/instances/4')).rejects.toThrow();
  });

  test('that never comes, because nothing listens, is said so', async () => {
    const { status, body } = await ask(await proxied({}, 9), '/dicom-web/studies');
    expect(status).toBe(502);
    expect(body.toString()).toContain('nothing listens');
  });
});

describe('the address of a PACS', () => {
  test.each(['pacs', 'ftp://pacs/dicom-web', 'http://user:secret@pacs/dicom-web', 'http://pacs/?a=b', ''])(
    '"%s" is refused, and not repeated: it may hold a password',
    (address) => {
      expect(() => parsePacs(address, {})).toThrow(expect.objectContaining({ code: 'invalid-arguments' }));
      try {
        parsePacs(address, {});
      } catch (error) {
        expect(String(error)).not.toContain('secret');
      }
    },
  );
});
