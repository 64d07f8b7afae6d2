import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, mkdir, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadSeries, parsePublicSeries, type PublicSeries } from '../../sample-data/download.ts';
import { EnvironmentError, InputError } from '../../src/errors.ts';

const published = new Map([
  ['a/one.dcm', Buffer.from('the first file')],
  ['a/two.dcm', Buffer.from('the second file')],
]);

let folder: string;
let server: Server;
let series: PublicSeries;
let requests: string[];
/** What the server gives instead of the published bytes. */
let served: Map<string, Buffer | number>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-download-'));
  requests = [];
  served = new Map(published);
  server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    requests.push(path);
    const answer = served.get(path) ?? 404;
    if (typeof answer === 'number') response.writeHead(answer).end();
    else response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  series = {
    title: 'test',
    reference: 'test',
    licence: 'CC0-1.0',
    baseUrl: `http://127.0.0.1:${address.port}/`,
    files: Array.from(published, ([source, bytes]) => ({
      path: `copy/${source}`,
      source,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      byteLength: bytes.byteLength,
    })),
  };
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const stored = async (): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
};

describe('downloadSeries', () => {
  it('fetches every file to its place and leaves nothing else', async () => {
    expect(await downloadSeries(series, folder)).toEqual({ downloaded: 2, present: 0 });
    expect(await readFile(join(folder, 'copy/a/one.dcm'), 'utf8')).toBe('the first file');
    expect((await stored()).toSorted()).toEqual(['one.dcm', 'two.dcm']);
  });

  it('asks for nothing that is there already', async () => {
    await downloadSeries(series, folder);
    const path = join(folder, 'copy/a/one.dcm');
    await utimes(path, 1, 1);
    expect(await downloadSeries(series, folder)).toEqual({ downloaded: 0, present: 2 });
    expect(requests).toHaveLength(2);
    expect((await stat(path)).mtimeMs).toBe(1000);
  });

  it('replaces a file whose bytes are wrong', async () => {
    await mkdir(join(folder, 'copy/a'), { recursive: true });
    await writeFile(join(folder, 'copy/a/one.dcm'), 'half of the fi');
    expect(await downloadSeries(series, folder)).toEqual({ downloaded: 2, present: 0 });
    expect(await readFile(join(folder, 'copy/a/one.dcm'), 'utf8')).toBe('the first file');
  });

  it.each([
    ['of the same length', 'THE SECOND FILE'],
    ['cut off', 'the second'],
    ['of a page of HTML', '<!doctype html><title>Not here</title>'],
  ])('refuses a file with bytes %s, keeps no trace of it, and keeps those before it', async (_, bytes) => {
    served.set('a/two.dcm', Buffer.from(bytes));
    const refused = downloadSeries(series, folder);
    await expect(refused).rejects.toThrow(InputError);
    await expect(refused).rejects.toMatchObject({ code: 'damaged-file' });
    expect(await stored()).toEqual(['one.dcm']);
  });

  it('removes a wrong file that was there when the server has no better one', async () => {
    served.set('a/one.dcm', Buffer.from('bad'));
    await mkdir(join(folder, 'copy/a'), { recursive: true });
    await writeFile(join(folder, 'copy/a/one.dcm'), 'bad');
    await expect(downloadSeries(series, folder)).rejects.toMatchObject({ code: 'damaged-file' });
    expect(await stored()).toEqual([]);
  });

  it('goes on where a failed run stopped', async () => {
    served.set('a/two.dcm', 503);
    await expect(downloadSeries(series, folder)).rejects.toMatchObject({ code: 'file-not-readable' });
    served = new Map(published);
    expect(await downloadSeries(series, folder)).toEqual({ downloaded: 1, present: 1 });
    expect(requests).toEqual(['a/one.dcm', 'a/two.dcm', 'a/two.dcm']);
  });

  it('says why a server cannot be reached: nobody listens', async () => {
    await new Promise((resolve) => server.close(resolve));
    const failed = downloadSeries(series, folder);
    await expect(failed).rejects.toThrow(EnvironmentError);
    await expect(failed).rejects.toThrow(/fetch failed: .*ECONNREFUSED 127\.0\.0\.1:\d+/);
  });

  it('says why a server cannot be reached: its name does not exist', async () => {
    const failed = downloadSeries(series, folder, { baseUrl: 'http://nowhere.invalid/' });
    await expect(failed).rejects.toThrow(/EAI_AGAIN|ENOTFOUND/);
  });

  it('says what the server answered', async () => {
    served.clear();
    await expect(downloadSeries(series, folder)).rejects.toThrow(/404 Not Found/);
  });
});

describe('a proxy that the environment names', () => {
  let proxy: Server;
  let asked: string[];
  beforeEach(async () => {
    asked = [];
    proxy = createServer((request, response) => {
      asked.push(request.url ?? '');
      const answer = published.get(new URL(request.url ?? '').pathname.slice(1));
      response.writeHead(answer === undefined ? 404 : 200).end(answer);
    });
    // A tunnel to the server of the test, whatever host was asked for.
    proxy.on('connect', (request, socket: Socket) => {
      asked.push(request.url ?? '');
      const address = server.address();
      const there = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        there.pipe(socket);
        socket.pipe(there);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });

  /** In a process of its own, whose environment is read at its start. */
  async function download(env: Readonly<Record<string, string>>): Promise<{ code: number | null; stderr: string }> {
    const script = `
      const { downloadSeries } = await import(${JSON.stringify(new URL('../../sample-data/download.ts', import.meta.url).href)});
      await downloadSeries(${JSON.stringify(series)}, ${JSON.stringify(folder)});
      process.exit(0);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stderr };
  }

  const proxyUrl = (): string => {
    const address = proxy.address();
    return `http://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`;
  };

  it.each(['http_proxy', 'HTTP_PROXY'])('is asked: %s', async (name) => {
    series = { ...series, baseUrl: 'http://scans.invalid/' };
    expect(await download({ [name]: proxyUrl() })).toMatchObject({ code: 0 });
    expect(asked.join(' ')).toContain('scans.invalid');
    expect(await stored()).toHaveLength(2);
  });

  it('is not asked for what NO_PROXY names', async () => {
    expect(await download({ HTTP_PROXY: proxyUrl(), NO_PROXY: '127.0.0.1' })).toMatchObject({ code: 0 });
    expect(asked).toEqual([]);
    expect(await stored()).toHaveLength(2);
  });
});

describe('the table of Sunnybrook files', () => {
  const read = async (): Promise<PublicSeries> =>
    parsePublicSeries(await readFile(new URL('../../sample-data/sunnybrook.json', import.meta.url), 'utf8'));

  it('names every file once, at a pinned commit', async () => {
    const { files, baseUrl } = await read();
    expect(files).toHaveLength(104);
    expect(new Set(files.map((file) => file.path)).size).toBe(104);
    expect(baseUrl).toMatch(/\/[0-9a-f]{40}\/$/);
  });

  it.each(['../outside.dcm', '/etc/passwd', 'a/../../b.dcm'])('may not name %s', async (path) => {
    const table = await read();
    const [first] = table.files;
    expect(() => parsePublicSeries(JSON.stringify({ ...table, files: [{ ...first, path }] }))).toThrow('path');
  });
});
