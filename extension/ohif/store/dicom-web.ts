import { EnvironmentError } from '../../../src/index.ts';
import { dicomMultipart, onlyPart } from './multipart.ts';

/** Where one instance lies in a PACS. */
export interface InstancePath {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
}

/** The two requests of a PACS that storing needs. */
export interface DicomWeb {
  /** STOW-RS. Resolves when the PACS says that it stored the instance, which is not yet a proof.
   * @throws EnvironmentError `pacs-unreachable`, `pacs-refused`; AbortError */
  store(parts: readonly Uint8Array<ArrayBuffer>[], signal?: AbortSignal): Promise<void>;
  /** WADO-RS: a whole Part 10 file.
   * @throws EnvironmentError `pacs-unreachable`, `pacs-refused`; AbortError */
  retrieve(path: InstancePath, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

export interface DicomWebOptions {
  /** Base of both services, without a slash at its end: `/dicom-web`. */
  readonly root: string;
  /** Asked before each request: tokens expire. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Without an answer for so long, a request has failed. */
  readonly timeoutMs: number;
}

/** OHIF's own `store.dicom` is not used: it resolves whatever the PACS answered, and cannot be cancelled. */
export function createDicomWeb({ root, headers, fetch, timeoutMs }: DicomWebOptions): DicomWeb {
  const request = async <T>(
    url: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
    read: (answer: Response) => Promise<T>,
  ): Promise<T> => {
    // Not AbortSignal.timeout: nothing but a weak reference holds its timer where it is one of several (Node 20), and
    // a request could then wait for ever.
    const stop = new AbortController();
    const stopForCaller = (): void => {
      stop.abort(signal?.reason);
    };
    signal?.throwIfAborted();
    signal?.addEventListener('abort', stopForCaller);
    let trouble = 'does not answer';
    const timer = setTimeout(() => {
      trouble = `did not answer within ${Math.round(timeoutMs / 1000)} s`;
      stop.abort(new DOMException('The request timed out.', 'TimeoutError'));
    }, timeoutMs);
    try {
      const answer = await fetch(url, { ...init, signal: stop.signal });
      if (!stop.signal.aborted) trouble = 'broke off its answer';
      if (!answer.ok) throw refused(answer.status, failureReason(await textOf(answer)));
      return await read(answer);
    } catch (cause) {
      if (signal?.aborted === true || cause instanceof EnvironmentError) throw cause;
      throw unreachable(trouble, cause);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stopForCaller);
    }
  };
  return {
    async store(parts, signal) {
      const { contentType, body } = dicomMultipart(parts);
      await request(
        `${root}/studies`,
        {
          method: 'POST',
          body,
          headers: { ...headers(), 'Content-Type': contentType, Accept: 'application/dicom+json' },
        },
        signal,
        async (answer) => {
          const failure = failureReason(await textOf(answer));
          if (failure !== undefined) throw refused(answer.status, failure);
        },
      );
    },
    async retrieve({ studyInstanceUID, seriesInstanceUID, sopInstanceUID }, signal) {
      return request(
        `${root}/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`,
        // An answer from a cache would prove nothing.
        { cache: 'no-store', headers: { ...headers(), Accept: 'multipart/related; type="application/dicom"' } },
        signal,
        async (answer) => {
          const body = new Uint8Array(await answer.arrayBuffer());
          return onlyPart(body, answer.headers.get('Content-Type') ?? '');
        },
      );
    },
  };
}

/** Of an answer that says how it went; one that breaks off says nothing. */
function textOf(answer: Response): Promise<string> {
  return answer.text().catch(() => '');
}

/** Failure Reason of the first item of the answer's Failed SOP Sequence (PS3.18 10.5.3), which some servers send with a
 * status of success. */
function failureReason(answer: string): string | undefined {
  const item = firstValue(parseJson(answer), '00081198');
  if (item === undefined) return undefined;
  const reason = firstValue(item, '00081197');
  return typeof reason === 'number' ? `failure reason ${hexadecimal(reason)}` : 'it gives no reason';
}

function firstValue(dataset: unknown, tag: string): unknown {
  const element = isRecord(dataset) ? dataset[tag] : undefined;
  const values = isRecord(element) ? element['Value'] : undefined;
  return Array.isArray(values) ? values[0] : undefined;
}

function parseJson(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed[0] : parsed;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** As PS3.4 writes status codes. */
function hexadecimal(code: number): string {
  return `${code.toString(16).toUpperCase().padStart(4, '0')}h`;
}

function refused(status: number, reason: string | undefined): EnvironmentError {
  const because = reason === undefined ? '' : `: ${reason}`;
  return new EnvironmentError('pacs-refused', `The PACS refuses (HTTP ${status})${because}.`, {
    remedy: REMEDIES[status] ?? (status >= 500 ? SERVER_TROUBLE : 'Ask the administrator of the PACS.'),
    details: { status, ...(reason !== undefined && { reason }) },
  });
}

const SERVER_TROUBLE = 'Try again later; if it stays so, tell the administrator of the PACS.';
const REMEDIES: Readonly<Record<number, string | undefined>> = {
  401: 'Sign in again, then save again.',
  403: 'Ask for the right to store in this PACS.',
  404: SERVER_TROUBLE,
  405: 'This PACS stores nothing; download the segmentation.',
  413: 'It is too large for this PACS: ask its administrator, or download it.',
  501: 'This PACS stores nothing; download the segmentation.',
  507: 'The PACS is full: tell its administrator.',
};

function unreachable(how: string, cause: unknown): EnvironmentError {
  return new EnvironmentError('pacs-unreachable', `The PACS ${how}.`, {
    remedy: 'Check the connection and try again; nothing in the viewer is lost.',
    cause,
  });
}
