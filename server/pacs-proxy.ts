import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { InputError } from '../src/index.ts';
import { trimEnd } from '../src/dicom/datasets.ts';
import { DICOM_WEB_ROOT, type DicomWebHandler } from './dicom-web/folder-archive.ts';
import { HttpError } from './http-error.ts';
import { passAnswer } from './pacs-answer.ts';

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
    throw new InputError('invalid-arguments', 'The PACS is not an address of the kind http://host:port/dicom-web.', {
      remedy:
        'Give the root of its DICOMweb service; credentials come from SLICEWISE_PACS_USER and SLICEWISE_PACS_PASSWORD, or SLICEWISE_PACS_TOKEN.',
    });
  }
  root.pathname = trimEnd(root.pathname, '/');
  const { SLICEWISE_PACS_TOKEN: token, SLICEWISE_PACS_USER: user, SLICEWISE_PACS_PASSWORD: password } = environment;
  if (token !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(token)) throw unusable('SLICEWISE_PACS_TOKEN is not a token that a header can carry');
    return { root, authorization: `Bearer ${token}` };
  }
  if (user === undefined || user === '') {
    if (password !== undefined) throw unusable('SLICEWISE_PACS_PASSWORD is set, and SLICEWISE_PACS_USER is not');
    return { root, authorization: undefined };
  }
  if (user.includes(':')) throw unusable('SLICEWISE_PACS_USER has a colon, which Basic authentication cannot carry');
  return { root, authorization: basicAuthorization(user, password ?? '') };
}

/** RFC 7617, in UTF-8. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Whether credentials go to another computer by a way on which others can read them. */
export function sendsCredentialsInTheClear({ root, authorization }: Pacs): boolean {
  return (
    authorization !== undefined &&
    root.protocol === 'http:' &&
    !/^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(root.hostname)
  );
}

function unusable(reason: string): InputError {
  return new InputError('invalid-arguments', `${reason}.`, {
    remedy: 'Set SLICEWISE_PACS_USER and SLICEWISE_PACS_PASSWORD, or SLICEWISE_PACS_TOKEN, or none of them.',
  });
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
          'accept-encoding': 'identity',
          ...(authorization === undefined ? {} : { authorization }),
        },
        timeout: ANSWER_TIMEOUT_MS,
      });
      outgoing.on('response', resolve);
      outgoing.on('upgrade', (_, socket) => {
        socket.destroy();
        reject(new Error('it answers with another protocol'));
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('it does not answer')));
      outgoing.on('error', reject);
      response.on('close', () => outgoing.destroy());
      pipeline(request, outgoing).catch(reject);
    }).catch((cause: unknown) => {
      throw new HttpError(502, `The PACS cannot be reached: ${reasonOf(cause)}.`);
    });
    const status = answer.statusCode ?? 502;
    if (status < 200 || (status >= 300 && status < 400 && status !== 304)) {
      answer.destroy();
      throw new HttpError(502, 'The PACS answers with another address; pass that one to --pacs.');
    }
    if (status === 401) {
      answer.destroy();
      throw new HttpError(
        502,
        'The PACS wants credentials: set SLICEWISE_PACS_USER and SLICEWISE_PACS_PASSWORD, or SLICEWISE_PACS_TOKEN.',
      );
    }
    const ours = `http://${request.headers.host ?? 'localhost'}${DICOM_WEB_ROOT}`;
    await passAnswer(answer, response, request.method === 'HEAD', (address) => ownAddress(address, root, ours));
  };
}

/** Our address for one below the DICOMweb root of the PACS, by its path alone: behind other names and ports a PACS does not
 * know by which it was asked.
 * @returns undefined for an address below another root, and for one that is relative */
function ownAddress(address: string, root: URL, ours: string): string | undefined {
  if (!/^(https?:)?\//i.test(address) || !URL.canParse(address, root)) return undefined;
  const { protocol, pathname, search, hash } = new URL(address, root);
  const prefix = root.pathname.replace(/\/$/, '');
  if (!/^https?:$/.test(protocol) || !pathname.startsWith(`${prefix}/`)) return undefined;
  const resource = pathname.slice(prefix.length);
  return /^\/(studies|series|instances)(\/|$)/.test(resource) ? `${ours}${resource}${search}${hash}` : undefined;
}

const REQUEST_HEADERS = ['accept', 'content-type', 'content-length', 'transfer-encoding', 'range'];
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
  if (!isStore && !isRead) throw new HttpError(404, 'This is not a DICOMweb resource that is passed to the PACS.');
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
