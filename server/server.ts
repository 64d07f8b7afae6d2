import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { basename, extname, join } from 'node:path';
import { ACCESS_PAGE, ACCESS_PATH, assertAuthorized, isAuthorized } from './access-token.ts';
import { appConfigScript } from './app-config.ts';
import { builtNames } from './build-manifest.ts';
import { DICOM_WEB_ROOT, type DicomWebHandler } from './dicom-web/folder-archive.ts';
import { CODEC_WORKER_POLICY, ISOLATION_HEADERS, pagePolicy } from './headers.ts';
import { HttpError } from './http-error.ts';
import { assertOwnRequest } from './own-requests.ts';
import { findFile, sendFile } from './static-files.ts';
import { printFault } from './terminal.ts';

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
  /** Guards the archive: only requests that carry it are answered. Absent where anybody at this computer may read. */
  readonly token?: string;
}

/** @see createSlicewiseHandler */
export function createSlicewiseServer(options: SlicewiseServerOptions): Server {
  return createServer(createSlicewiseHandler(options));
}

/** What `npm start` answers: OHIF, the extension, the models and DICOMweb from one origin, with the same isolation and
 * content policy on every answer. It answers loopback only, whatever it listens on. */
export function createSlicewiseHandler(options: SlicewiseServerOptions): RequestListener {
  const { token } = options;
  const indexFile = join(options.ohif, 'index.html');
  const policy = pagePolicy(readFileSync(indexFile, 'utf8'));
  const withoutEval = readFileSync(join(options.extension, 'without-eval.js'), 'utf8');
  const codecWorkers = findCodecWorkers(options.ohif);
  const lasting = builtNames(options.extension);

  return (request, response) => {
    for (const [name, value] of Object.entries(ISOLATION_HEADERS)) response.setHeader(name, value);
    response.setHeader('Content-Security-Policy', policy);
    answer(request, response).catch((error: unknown) => {
      refuse(response, error);
    });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/';
    const archivePath = pathBelow(DICOM_WEB_ROOT, url);
    assertOwnRequest(request, archivePath !== undefined);
    if (!url.startsWith('/')) throw new HttpError(400, 'The path of a request begins with a slash.');
    if (archivePath !== undefined) {
      assertAuthorized(request, token);
      assertPlainPath(archivePath);
      return options.dicomWeb(request, response, archivePath);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new HttpError(405, 'Files can only be read.', { Allow: 'GET, HEAD' });
    }
    const path = decodePath(url);
    assertPlainPath(path);
    if (path === ACCESS_PATH) {
      sendAccess(request, response, token);
      return;
    }
    if (path === '/app-config.js') {
      sendText(
        response,
        'text/javascript; charset=utf-8',
        appConfigScript({ slicewise: options.settings, isGuarded: token !== undefined, withoutEval }),
      );
      return;
    }
    if (path === '/example' || path === '/example/') {
      // Its scripts lie beside the extension's: their addresses are relative to this one.
      response.writeHead(302, { Location: '/slicewise/examples/index.html' }).end();
      return;
    }
    const model = /^\/slicewise\/models\/(?<file>.*)$/.exec(path)?.groups?.['file'];
    if (model !== undefined) return sendModelFile(request, response, model);
    const own = /^\/slicewise(?<file>\/.*)$/.exec(path)?.groups?.['file'];
    const ownFile = own === undefined ? undefined : await findFile(options.extension, own);
    if (ownFile !== undefined) {
      return sendFile(request, response, ownFile, { isLasting: lasting.has(own?.slice(1) ?? '') });
    }
    const file = await findFile(options.ohif, path === '/' ? '/index.html' : path);
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
      sendText(response, 'application/json; charset=utf-8', JSON.stringify([...options.models.keys()]));
      return;
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

/** What follows a root in a request's path, with its query; undefined if the path is not below it. */
function pathBelow(root: string, url: string): string | undefined {
  if (!url.startsWith(root)) return undefined;
  const rest = url.slice(root.length);
  return rest === '' || rest.startsWith('?') ? `/${rest}` : rest.startsWith('/') ? rest : undefined;
}

/** Without what a URL's parser takes for the beginning of a host name, and without steps upwards: no link of ours has them.
 * @throws HttpError 404 */
function assertPlainPath(path: string): void {
  const [bare = ''] = path.split('?', 1);
  if (/^\/[/\\]|\\/.test(bare) || bare.split('/').includes('..')) {
    throw new HttpError(404, 'There is no such resource here.');
  }
}

function sendAccess(request: IncomingMessage, response: ServerResponse, token: string | undefined): void {
  response.setHeader('Cache-Control', 'no-store');
  if (token === undefined || isAuthorized(request, token)) {
    response.writeHead(204).end();
    return;
  }
  response
    .writeHead(401, { 'Content-Type': 'text/html; charset=utf-8', 'WWW-Authenticate': 'Bearer realm="Slicewise"' })
    .end(request.method === 'HEAD' ? undefined : ACCESS_PAGE);
}

function decodePath(url: string): string {
  try {
    return decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '/');
  } catch {
    throw new HttpError(400, 'The path is not encoded as a URL.');
  }
}

function sendText(response: ServerResponse, contentType: string, text: string): void {
  response.writeHead(200, { 'Content-Type': contentType, 'Cache-Control': 'no-cache' }).end(text);
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const isOurs = error instanceof HttpError;
  if (!isOurs) printFault(error);
  const message = isOurs
    ? error.message
    : 'Something went wrong that should not; the terminal of `npm start` says more.';
  const body = Buffer.from(`${message}\n`);
  response
    .writeHead(isOurs ? error.status : 500, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
      ...(isOurs ? error.headers : {}),
    })
    .end(body);
}
