import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { basename, extname, join } from 'node:path';
import { appConfigScript } from './app-config.ts';
import { DICOM_WEB_ROOT, type DicomWebHandler } from './dicom-web/folder-archive.ts';
import { CODEC_WORKER_POLICY, ISOLATION_HEADERS, pagePolicy } from './headers.ts';
import { HttpError } from './http-error.ts';
import { findFile, sendFile } from './static-files.ts';

export interface SlicewiseServerOptions {
  /** OHIF's build. */
  readonly ohif: string;
  /** The built extension. */
  readonly extension: string;
  /** Model folders, by id. */
  readonly models: ReadonlyMap<string, string>;
  readonly dicomWeb: DicomWebHandler;
  /** Of the extension, in `app-config.js`. */
  readonly settings?: object;
}

/** The server of `npm start`: OHIF, the extension, the models and DICOMweb from one origin, with the same isolation and
 * content policy on every answer. It answers loopback only, whatever it listens on. */
export function createSlicewiseServer(options: SlicewiseServerOptions): Server {
  const indexFile = join(options.ohif, 'index.html');
  const policy = pagePolicy(readFileSync(indexFile, 'utf8'));
  const codecWorkers = findCodecWorkers(options.ohif);

  return createServer((request, response) => {
    for (const [name, value] of Object.entries(ISOLATION_HEADERS)) response.setHeader(name, value);
    response.setHeader('Content-Security-Policy', policy);
    answer(request, response).catch((error: unknown) => {
      refuse(response, error);
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    assertSameSite(request);
    const url = request.url ?? '/';
    if (url === DICOM_WEB_ROOT || url.startsWith(`${DICOM_WEB_ROOT}/`)) {
      return options.dicomWeb(request, response, url.slice(DICOM_WEB_ROOT.length) || '/');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new HttpError(405, 'Files can only be read.', { Allow: 'GET, HEAD' });
    }
    const path = decodePath(url);
    if (path === '/app-config.js')
      return sendText(response, 'text/javascript; charset=utf-8', appConfigScript(options.settings));
    if (path === '/example' || path === '/example/') {
      // Its scripts lie beside the extension's: their addresses are relative to this one.
      response.writeHead(302, { Location: '/slicewise/example/index.html' }).end();
      return;
    }
    const model = /^\/slicewise\/models\/(?<file>.*)$/.exec(path)?.groups?.['file'];
    if (model !== undefined) return sendModelFile(request, response, model);
    const own = /^\/slicewise(?<file>\/.*)$/.exec(path)?.groups?.['file'];
    const file =
      (own === undefined ? undefined : await findFile(options.extension, own)) ??
      (await findFile(options.ohif, path === '/' ? '/index.html' : path));
    if (file !== undefined) {
      if (codecWorkers.has(basename(file))) response.setHeader('Content-Security-Policy', CODEC_WORKER_POLICY);
      return sendFile(request, response, file);
    }
    // A page of OHIF's router; a script that is missing must not be answered with a page.
    if (extname(path) !== '') throw new HttpError(404, 'There is no such file.');
    return sendFile(request, response, indexFile);
  }

  async function sendModelFile(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (path === 'index.json') {
      return sendText(response, 'application/json; charset=utf-8', JSON.stringify([...options.models.keys()]));
    }
    const [id = '', ...rest] = path.split('/');
    const folder = options.models.get(id);
    const file = folder === undefined ? undefined : await findFile(folder, `/${rest.join('/')}`);
    if (file === undefined) throw new HttpError(404, 'There is no such model file.');
    return sendFile(request, response, file);
  }
}

/** OHIF's worker that decodes compressed images: a script that loads others as a worker does, with CharLS in it. */
function findCodecWorkers(ohif: string): ReadonlySet<string> {
  const chunks = readdirSync(ohif).filter((name) => /^\d+\.bundle\.[0-9a-f]+\.js$/.test(name));
  return new Set(
    chunks.filter((name) => {
      const script = readFileSync(join(ohif, name), 'utf8');
      return script.includes('importScripts(') && script.includes('CharLSWASM');
    }),
  );
}

/** A page of another site must not reach the scans: neither by a name that it made point here (DNS rebinding), nor by
 * a request of its own. */
function assertSameSite(request: IncomingMessage): void {
  const host = request.headers.host ?? '';
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host)) {
    throw new HttpError(421, 'This server answers requests to localhost only.');
  }
  const site = request.headers['sec-fetch-site'];
  const isNavigation = request.headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isNavigation) {
    throw new HttpError(403, 'This server answers its own pages only.');
  }
}

function decodePath(url: string): string {
  try {
    return decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '/');
  } catch {
    throw new HttpError(400, 'The path is not encoded as a URL.');
  }
}

function sendText(response: ServerResponse, contentType: string, text: string): Promise<void> {
  response.writeHead(200, { 'Content-Type': contentType, 'Cache-Control': 'no-cache' }).end(text);
  return Promise.resolve();
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const isOurs = error instanceof HttpError;
  if (!isOurs) console.error(error);
  const message = isOurs
    ? error.message
    : 'Something went wrong that should not; the terminal of `npm start` says more.';
  response
    .writeHead(isOurs ? error.status : 500, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      ...(isOurs ? error.headers : {}),
    })
    .end(`${message}\n`);
}
