import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { InputError } from '../../src/index.ts';
import { DICOM_WEB_ROOT, type DicomWebHandler } from './dicom-web/folder-archive.ts';
import { HttpError } from './http-error.ts';

export interface Pacs {
  /** Its DICOMweb root, without a slash at the end. */
  readonly root: URL;
  /** The value of Authorization; it stays on the server. */
  readonly authorization: string | undefined;
}

/** The PACS that a user names, with the credentials of the environment: SLICEWISE_PACS_TOKEN, or SLICEWISE_PACS_USER and
 * SLICEWISE_PACS_PASSWORD.
 * @throws InputError `invalid-arguments` */
export function parsePacs(address: string, environment: Readonly<Record<string, string | undefined>>): Pacs {
  const root = URL.canParse(address) ? new URL(address) : undefined;
  if (root === undefined || !/^https?:$/.test(root.protocol) || root.username !== '' || root.search !== '') {
    throw new InputError('invalid-arguments', 'The PACS is no address of the kind http://host:port/dicom-web.', {
      remedy:
        'Give the root of its DICOMweb service; credentials come from SLICEWISE_PACS_USER and SLICEWISE_PACS_PASSWORD, or SLICEWISE_PACS_TOKEN.',
    });
  }
  root.pathname = root.pathname.replace(/\/+$/, '');
  const { SLICEWISE_PACS_TOKEN: token, SLICEWISE_PACS_USER: user, SLICEWISE_PACS_PASSWORD: password } = environment;
  if (token !== undefined) return { root, authorization: `Bearer ${token}` };
  if (user === undefined) return { root, authorization: undefined };
  return { root, authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` };
}

/** DICOMweb of a PACS under our own origin. Only DICOMweb paths pass, only the headers that DICOMweb needs, and no
 * redirect is followed; addresses of the PACS in its answers become ours. */
export function createPacsProxy({ root, authorization }: Pacs): DicomWebHandler {
  const send = root.protocol === 'https:' ? httpsRequest : httpRequest;

  return async (request, response, path) => {
    assertDicomWeb(request.method ?? '', path);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = send(`${root.href.replace(/\/$/, '')}${path}`, {
        method: request.method,
        headers: {
          ...pick(request.headers, REQUEST_HEADERS),
          ...(authorization === undefined ? {} : { authorization }),
        },
        timeout: ANSWER_TIMEOUT_MS,
      });
      outgoing.on('response', resolve);
      outgoing.on('timeout', () => outgoing.destroy(new Error('it does not answer')));
      outgoing.on('error', reject);
      response.on('close', () => outgoing.destroy());
      pipeline(request, outgoing).catch(reject);
    }).catch((cause: unknown) => {
      throw new HttpError(502, `The PACS cannot be reached: ${reasonOf(cause)}.`);
    });
    const status = answer.statusCode ?? 502;
    if (status >= 300 && status < 400 && status !== 304) {
      answer.resume();
      throw new HttpError(502, 'The PACS answers with another address; pass that one to --pacs.');
    }
    if (status === 401) {
      answer.resume();
      throw new HttpError(
        502,
        'The PACS wants credentials: set SLICEWISE_PACS_USER and SLICEWISE_PACS_PASSWORD, or SLICEWISE_PACS_TOKEN.',
      );
    }
    response.statusCode = status;
    for (const [name, value] of Object.entries(pick(answer.headers, RESPONSE_HEADERS))) response.setHeader(name, value);
    response.setHeader('Cache-Control', 'no-store');
    if (/\bapplication\/(dicom\+)?json\b/i.test(answer.headers['content-type'] ?? '')) {
      await sendRewritten(answer, response, root, `http://${request.headers.host ?? 'localhost'}${DICOM_WEB_ROOT}`);
      return;
    }
    await pipeline(answer, response);
  };
}

const REQUEST_HEADERS = ['accept', 'content-type', 'content-length', 'transfer-encoding', 'range'];
const RESPONSE_HEADERS = ['content-type', 'content-length', 'content-range', 'content-encoding', 'warning'];
/** A PACS that fetches from tape or an archive takes minutes at times. */
const ANSWER_TIMEOUT_MS = 300_000;

/** The resources of PS3.18 chapter 10, and nothing that a server might lay beside them. */
function assertDicomWeb(method: string, path: string): void {
  const [pathname = ''] = path.split('?', 1);
  const isStore = method === 'POST' && /^\/studies(\/[\d.]+)?$/.test(pathname);
  const isRead =
    (method === 'GET' || method === 'HEAD') &&
    /^\/(studies|series|instances)(\/[\w.,-]+)*\/?$/.test(pathname.replaceAll(/%2C/gi, ',')) &&
    !pathname.split('/').some((part) => part === '.' || part === '..');
  if (!isStore && !isRead) throw new HttpError(404, 'This is no DICOMweb resource that is passed to the PACS.');
}

async function sendRewritten(
  answer: IncomingMessage,
  response: ServerResponse,
  root: URL,
  ours: string,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8').replaceAll(root.href.replace(/\/$/, ''), ours);
  response.removeHeader('content-length');
  response.end(text);
}

function pick(headers: IncomingMessage['headers'], names: readonly string[]): Record<string, string | string[]> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED')
    return 'nothing listens at its address';
  return cause instanceof Error ? cause.message : String(cause);
}
