import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createFolderArchive, type DicomWebHandler } from '../../server/dicom-web/folder-archive.ts';
import { openStudyIndex } from '../../server/dicom-web/study-index.ts';
import { createSlicewiseServer } from '../../server/server.ts';

/** A page as OHIF's: two inline scripts, and one that is not. */
const INDEX_HTML =
  '<!doctype html><script>window.one = 1</script><script src="/app.js"></script><script>window.two = 2</script>';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Asks for a path exactly as it is written: no dot is resolved, no header is added. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: AskOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers: { host: 'localhost', ...headers } });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    outgoing.end(body);
  });
}

const closing: (() => Promise<void> | void)[] = [];

// A file of many tests leaves as many servers.
const CLOSING_MS = 60_000;

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, CLOSING_MS);

/** Listens on a free port until the tests of the file are over. */
export async function listen(handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}

/** Answers every connection with the same bytes, and leaves it open. */
export async function listenRaw(answer: string): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}

/** Removed when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'slicewise-server-'));
  closing.push(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** The server of `npm start` over a few files of ours in place of OHIF, the extension and a model. */
export async function serveStandIns(
  dicomWeb: DicomWebHandler,
  options: { readonly token?: string } = {},
): Promise<{ readonly port: number; readonly folder: string }> {
  const folder = temporaryFolder();
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('ohif/index.html', INDEX_HTML);
  write('ohif/app.js', 'app');
  write('ohif/.hidden', 'hidden');
  write('ohif/chunk.bundle.0123456789abcdef.js', 'chunk');
  write('ohif/12.bundle.0123456789abcdef.js', 'importScripts(chunk); CharLSWASM');
  write('ohif/13.bundle.0123456789abcdef.js', 'CharLSWASM');
  write('extension/extension.js', 'extension');
  write('extension/without-eval.js', 'provided();');
  write('extension/assets/worker-B3kQ9xZa.js', 'worker');
  write('extension/assets/notes-B3kQ9xZa.txt', 'notes');
  write('extension/build-manifest.json', JSON.stringify(['assets/worker-B3kQ9xZa.js']));
  write('extension/examples/index.html', 'example');
  write('models/heart/manifest.json', '{}');
  write('secret.txt', 'secret');
  const server = createSlicewiseServer({
    ohif: join(folder, 'ohif'),
    extension: join(folder, 'extension'),
    models: new Map([['heart', join(folder, 'models/heart')]]),
    dicomWeb,
    ...options,
  });
  const port = await listen((incoming, response) => server.emit('request', incoming, response));
  return { port, folder };
}

/** The same over an archive of a folder. */
export async function serveFolder(folder: string): Promise<number> {
  return (await serveStandIns(createFolderArchive(await openStudyIndex(folder)))).port;
}
