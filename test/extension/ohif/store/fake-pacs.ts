import { parseDicom } from '../../../../src/dicom/read-dicom.ts';
import { createDicomWeb, type DicomWeb } from '../../../../extension/ohif/store/dicom-web.ts';

export interface FakePacs {
  readonly dicomWeb: DicomWeb;
  /** Files by SOP Instance UID, in the order they were stored in. */
  readonly stored: Map<string, Uint8Array<ArrayBuffer>>;
  /** Method and path of every request. */
  readonly requests: string[];
  /** Headers of the last request. */
  lastHeaders: Headers;
}

export interface FakePacsBehaviour {
  /** Answers instead of storing. */
  readonly onStore?: (signal: AbortSignal) => Response | Promise<Response>;
  /** What is kept of a file. */
  readonly keep?: (file: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | undefined;
  /** Answers instead of retrieving; undefined: as usual. */
  readonly onRetrieve?: (signal: AbortSignal) => Response | undefined | Promise<Response>;
  readonly timeoutMs?: number;
}

/** A DICOMweb archive in memory, behind a `fetch` of its own. */
export function createFakePacs(behaviour: FakePacsBehaviour = {}): FakePacs {
  const { onStore, keep = asItIs, onRetrieve, timeoutMs = 10_000 } = behaviour;
  const stored: FakePacs['stored'] = new Map();
  const requests: string[] = [];

  const fetchFake = async (path: string, init?: RequestInit): Promise<Response> => {
    const request = new Request(new URL(path, 'http://pacs.test'), init);
    // Not the request's: that one hangs on a weak reference (Node 20).
    const signal = init?.signal ?? request.signal;
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    pacs.lastHeaders = request.headers;
    if (request.method === 'POST') {
      if (onStore) return onStore(signal);
      const file: Uint8Array<ArrayBuffer> = partOf(
        new Uint8Array(await request.arrayBuffer()),
        request.headers.get('Content-Type') ?? '',
      );
      const kept = keep(file);
      if (kept) stored.set(parseDicom(file, 'stored').string('SOPInstanceUID') ?? '', kept);
      return Response.json({ '00081199': { vr: 'SQ', Value: [{}] } });
    }
    const answer = await onRetrieve?.(signal);
    if (answer) return answer;
    const file = stored.get(pathname.split('/').at(-1) ?? '');
    return file === undefined ? new Response('', { status: 404 }) : multipart(file);
  };

  const pacs: FakePacs = {
    stored,
    requests,
    lastHeaders: new Headers(),
    dicomWeb: createDicomWeb({
      root: '/dicom-web',
      headers: () => ({ Authorization: 'Bearer of-the-test' }),
      fetch: fetchFake,
      timeoutMs,
    }),
  };
  return pacs;
}

function asItIs(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return file;
}

/** As dcm4chee, Orthanc and others answer: a quoted boundary, a header with a length. */
export function multipart(file: Uint8Array<ArrayBuffer>): Response {
  const head = `--a_boundary\r\nContent-Type: application/dicom\r\nContent-Length: ${String(file.length)}\r\n\r\n`;
  return new Response(new Blob([head, file, '\r\n--a_boundary--\r\n']), {
    headers: { 'Content-Type': 'multipart/related; type="application/dicom"; boundary="a_boundary"' },
  });
}

/** Not by our own parser: the bytes between the first empty line and the closing delimiter. */
function partOf(body: Uint8Array, contentType: string): Uint8Array<ArrayBuffer> {
  const boundary = contentType.split('boundary=')[1] ?? '';
  const text = Buffer.from(body).toString('latin1');
  const start = text.indexOf('\r\n\r\n') + 4;
  const end = text.lastIndexOf(`\r\n--${boundary}--`);
  if (!text.startsWith(`--${boundary}\r\n`) || end < start) throw new Error('a malformed multipart body was sent');
  return Uint8Array.from(body.subarray(start, end));
}

/** A request that nobody answers; ends as `fetch` does when its signal says so. */
export function noAnswer(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}
