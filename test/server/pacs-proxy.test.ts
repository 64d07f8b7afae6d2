import { get, type IncomingMessage, type RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { createPacsProxy, parsePacs, sendsCredentialsInTheClear } from '../../server/pacs-proxy.ts';
import { ask, listen, listenRaw, serveStandIns } from './served.ts';

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
  answer = (_, response) => response.writeHead(200, { 'content-type': 'application/dicom' }).end('ok');
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
        .writeHead(409, { 'content-type': 'application/dicom+json', 'set-cookie': 'a=b', server: 'PACS' })
        .end('{"00081198":{"vr":"SQ"}}');
    };
    const { status, headers, body } = await ask(await proxied(), '/dicom-web/studies');
    expect({ status, body: body.toString() }).toEqual({ status: 409, body: '{"00081198":{"vr":"SQ"}}' });
    expect(headers['content-type']).toBe('application/dicom+json');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('server');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
  });

  test.each([
    'multipart/related; type="application/dicom"; boundary=b',
    'application/dicom',
    'Application/Octet-Stream; transfer-syntax=1.2.840.10008.1.2.1',
    'image/jpeg',
    'image/png',
    'image/jp2',
  ])('of the type %s comes as it is, in a sandbox', async (type) => {
    answer = (_, response) => response.writeHead(200, { 'content-type': type, 'content-length': '5' }).end('bytes');
    const { headers, body } = await ask(await proxied(), '/dicom-web/studies/1.2');
    expect(body.toString()).toBe('bytes');
    expect(headers).toMatchObject({ 'content-type': type, 'content-length': '5', 'cache-control': 'no-store' });
    expect(headers['content-security-policy']).toBe("sandbox; default-src 'none'");
  });

  test.each([
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'text/html;multipart/related',
    'application/xhtml+xml',
    'application/xml',
    'application/dicom+xml',
    'image/svg+xml',
    'text/javascript',
    'application/javascript',
    'application/pdf',
    'application/wasm',
    'multipart/x-mixed-replace; boundary=b',
    'multipart/form-data; boundary=b',
    'text/plain',
    'message/rfc822',
    '*/*',
    '',
  ])('of the type "%s" does not reach the origin of the viewer', async (type) => {
    for (const status of [200, 404, 500]) {
      answer = (_, response) =>
        response.writeHead(status, type === '' ? {} : { 'content-type': type }).end('<script>alert(1)</script>');
      const { status: told, headers, body } = await ask(await proxied(), '/dicom-web/studies/1.2');
      expect(told).toBe(status === 200 ? 502 : status);
      expect(headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(headers['content-security-policy']).toContain('sandbox');
      expect(body.toString()).not.toContain('script');
      expect(headers['content-length']).toBe(String(body.length));
    }
  });

  test.each([204, 200])('without a body (%i) has none here', async (status) => {
    answer = (_, response) => response.writeHead(status).end();
    expect(await ask(await proxied(), '/dicom-web/studies')).toMatchObject({ status, body: Buffer.alloc(0) });
  });

  test('to HEAD has the length of the file', async () => {
    answer = (_, response) =>
      response.writeHead(200, { 'content-type': 'application/dicom', 'content-length': '7' }).end();
    const { headers } = await ask(await proxied(), '/dicom-web/studies/1.2', { method: 'HEAD' });
    expect(headers).toMatchObject({ 'content-type': 'application/dicom', 'content-length': '7' });
  });

  test('is asked for as it is, and unpacked where it comes packed all the same', async () => {
    const text = JSON.stringify([{ '00100020': { vr: 'LO', Value: ['1'] } }]);
    const packed: [string, Buffer][] = [
      ['gzip', gzipSync(text)],
      ['x-gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['br', brotliCompressSync(text)],
      ['deflate, gzip', gzipSync(deflateSync(text))],
      ['identity', Buffer.from(text)],
    ];
    for (const type of ['application/dicom+json', 'application/octet-stream']) {
      for (const [encoding, bytes] of packed) {
        answer = (_, response) =>
          response
            .writeHead(200, { 'content-type': type, 'content-encoding': encoding, 'content-length': bytes.length })
            .end(bytes);
        const { headers, body } = await ask(await proxied(), '/dicom-web/studies', {
          headers: { 'accept-encoding': 'gzip, br' },
        });
        expect(body.toString()).toBe(text);
        expect(headers).not.toHaveProperty('content-encoding');
        expect(headers['content-length']).toBe(String(text.length));
        expect(asked.at(-1)?.headers['accept-encoding']).toBe('identity');
      }
    }
  });

  test.each([
    ['packed as nobody asked', 'zstd', Buffer.from('x')],
    ['packed three times', 'gzip, gzip, gzip', gzipSync(gzipSync(gzipSync('x')))],
    ['packed and damaged', 'gzip', gzipSync('x'.repeat(1000)).fill(0, 12, 20)],
    ['packed and cut off', 'gzip', gzipSync('x'.repeat(1000)).subarray(0, 20)],
  ])('%s is a 502', async (_, encoding, bytes) => {
    answer = (_, response) =>
      response.writeHead(200, { 'content-type': 'application/dicom+json', 'content-encoding': encoding }).end(bytes);
    const { status, headers, body } = await ask(await proxied(), '/dicom-web/studies');
    expect(status).toBe(502);
    expect(headers['content-length']).toBe(String(body.length));
  });

  test.each([
    ['by its own name', (host: string) => `http://${host}/dicom-web/studies/1.2/bulkdata/x?y#z`, true],
    ['by another name', () => 'http://pacs.hospital:8042/dicom-web/studies/1.2/bulkdata/x?y#z', true],
    ['over https', () => 'https://pacs.hospital/dicom-web/studies/1.2/bulkdata/x?y#z', true],
    ['without a protocol', () => '//pacs/dicom-web/studies/1.2/bulkdata/x?y#z', true],
    ['by its path', () => '/dicom-web/studies/1.2/bulkdata/x?y#z', true],
    ['below another root', () => 'http://pacs.hospital/other/studies/1.2/bulkdata/x', false],
    ['that leads out of the root', () => 'http://pacs.hospital/dicom-web/studies/../../system', false],
    ['of something else at the root', () => 'http://pacs.hospital/dicom-web/servers', false],
    ['by another protocol', () => 'file:///dicom-web/studies/1.2', false],
    ['that is relative', () => '../../bulkdata/1', false],
    ['that is none', () => 'http://[', false],
  ])('with an address %s', async (_, addressOf, isOurs) => {
    let host = '';
    for (const slash of ['/', '\\/']) {
      answer = (request, response) => {
        host = request.headers.host ?? '';
        const address = JSON.stringify(addressOf(host)).replaceAll('/', slash);
        const elements = `{"00081190":{"Value":[${address},${address}],"vr":"UR"},"00420011":{"vr":"OB","BulkDataURI":${address}}}`;
        response
          .writeHead(200, { 'content-type': 'application/dicom+json; charset=utf-8' })
          .end(`[${elements},{"0008114A":{"vr":"SQ","Value":[${elements}]}}]`);
      };
      const port = await proxied();
      const { body } = await ask(port, '/dicom-web/studies', { headers: { host: `localhost:${port}` } });
      const address = isOurs ? `http://localhost:${port}/dicom-web/studies/1.2/bulkdata/x?y#z` : addressOf(host);
      const elements = {
        '00081190': { Value: [address, address], vr: 'UR' },
        '00420011': { vr: 'OB', BulkDataURI: address },
      };
      expect(JSON.parse(body.toString())).toEqual([elements, { '0008114A': { vr: 'SQ', Value: [elements] } }]);
    }
  });

  test('has text that looks like an address as it was, to the byte', async () => {
    const text =
      '[ {"00081030" : {"vr":"LO", "Value":["http:\\/\\/pacs\\/dicom-web\\/studies\\/1.2", "\\"BulkDataURI\\":", "\\u00e9\\\\"]},' +
      '"00080060":{"vr":"UR","Value":["/dicom-web/studies/1"]}, "x":{"InlineBinary":"/dicom-web/studies/1"}, "BulkDataURI": 1 }\n]';
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/dicom+json' });
      // Byte by byte: every boundary between two chunks is one.
      void (async () => {
        for (const byte of Buffer.from(text)) {
          response.write(Buffer.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      })();
    };
    const { body } = await ask(await proxied(), '/dicom-web/studies');
    expect(body.toString()).toBe(text);
  });

  test('of any length takes no memory for its length', async () => {
    const row = Buffer.from(`${JSON.stringify({ '00420011': { vr: 'OB', InlineBinary: 'A'.repeat(2 ** 20) } })},`);
    const rows = 200;
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/dicom+json' });
      Readable.from(
        (function* () {
          yield '[';
          for (let at = 0; at < rows; at++) yield row;
          yield '{}]';
        })(),
      ).pipe(response);
    };
    const port = await proxied();
    const before = process.memoryUsage().rss;
    let largest = 0;
    const byteLength = await new Promise<number>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/dicom-web/studies', headers: { host: 'localhost' } }, (response) => {
        let sum = 0;
        response.on('data', (chunk: Buffer) => {
          sum += chunk.length;
          largest = Math.max(largest, process.memoryUsage().rss);
        });
        response.on('end', () => {
          resolve(sum);
        });
      }).on('error', reject);
    });
    expect(byteLength).toBe(rows * row.length + 4);
    // A part of the 200 MB, with what the garbage collector leaves for a while.
    expect(largest - before).toBeLessThan(128 * 2 ** 20);
  });

  test('that is nested without end is a 502', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('['.repeat(100_000));
    expect((await ask(await proxied(), '/dicom-web/studies')).status).toBe(502);
  });

  test('with another protocol is a 502, and the server goes on', async () => {
    const upgrading = await listenRaw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    const port = await proxied({}, upgrading);
    for (const headers of [{}, { connection: 'Upgrade', upgrade: 'websocket' }]) {
      expect((await ask(port, '/dicom-web/studies', { headers })).status).toBe(502);
    }
  });

  test('that is no HTTP is a 502', async () => {
    expect((await ask(await proxied({}, await listenRaw('SSH-2.0-x\r\n')), '/dicom-web/studies')).status).toBe(502);
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

  test.each(['application/dicom', 'application/dicom+json'])(
    'of type %s that breaks off is a 502 of its own length',
    async (type) => {
      for (const headers of [{ 'content-length': '100' }, {}]) {
        answer = (_, response) => {
          response.writeHead(200, { ...headers, 'content-type': type });
          response.write('[{"half":');
          setTimeout(() => response.destroy(), 50);
        };
        const {
          status,
          headers: told,
          body,
        } = await ask(await proxied(), '/dicom-web/studies/1.2/series/3/instances/4');
        expect(status).toBe(502);
        expect(told['content-length']).toBe(String(body.length));
        expect(body.toString()).not.toContain('half');
      }
    },
  );

  test('that breaks off after more than is held back breaks off for the viewer too', async () => {
    for (const type of ['application/dicom', 'application/dicom+json']) {
      answer = (_, response) => {
        response.writeHead(200, { 'content-type': type });
        response.write(Buffer.alloc(3 * 2 ** 20, ' '));
        setTimeout(() => response.destroy(), 100);
      };
      await expect(ask(await proxied(), '/dicom-web/studies/1.2')).rejects.toThrow();
    }
  });

  test('that never comes, because nothing listens, is said so', async () => {
    const { status, body } = await ask(await proxied({}, 9), '/dicom-web/studies');
    expect(status).toBe(502);
    expect(body.toString()).toContain('nothing listens');
  });
});

describe('the credentials of a PACS', () => {
  test.each([
    { SLICEWISE_PACS_PASSWORD: 'secret' },
    { SLICEWISE_PACS_USER: '', SLICEWISE_PACS_PASSWORD: 'secret' },
    { SLICEWISE_PACS_USER: 'a:b', SLICEWISE_PACS_PASSWORD: 'secret' },
    { SLICEWISE_PACS_TOKEN: 'secret\r\nX: y' },
    { SLICEWISE_PACS_TOKEN: '' },
  ])('%o are refused, and not repeated', (environment) => {
    const parse = (): unknown => parsePacs('http://pacs/dicom-web', environment);
    expect(parse).toThrow(expect.objectContaining({ code: 'invalid-arguments' }));
    expect(parse).not.toThrow(/secret/);
  });

  test.each([
    ['http://pacs.hospital/dicom-web', 'ann', true],
    ['http://10.0.0.1:8042/dicom-web', 'ann', true],
    ['http://localhost.evil.example/dicom-web', 'ann', true],
    ['http://127.0.0.1.evil.example/dicom-web', 'ann', true],
    ['http://[2001:db8::1]/dicom-web', 'ann', true],
    ['https://pacs.hospital/dicom-web', 'ann', false],
    ['http://pacs.hospital/dicom-web', undefined, false],
    ['http://localhost:8042/dicom-web', 'ann', false],
    ['http://127.0.0.1:8042/dicom-web', 'ann', false],
    ['http://127.1/dicom-web', 'ann', false],
    ['http://[::1]:8042/dicom-web', 'ann', false],
  ])('to %s of user %s: in the clear over a network %s', (address, user, isInTheClear) => {
    const pacs = parsePacs(address, { SLICEWISE_PACS_USER: user });
    expect(sendsCredentialsInTheClear(pacs)).toBe(isInTheClear);
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
