import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { HttpError } from './http-error.ts';
import { rewriteAddresses } from './json-addresses.ts';

/** Nothing from the PACS runs in the viewer's origin, should a browser ever show it as a page. */
const SANDBOX = "sandbox; default-src 'none'";
const PASSED_HEADERS = ['content-range', 'warning'];
const JSON_TYPES = new Set(['application/dicom+json', 'application/json']);
/** What viewers take from an archive; no type that a browser runs, or draws with scripts in it. */
const PASSED_TYPES = new Set([
  'multipart/related',
  'application/dicom',
  'application/octet-stream',
  ...['jpeg', 'png', 'gif', 'jp2', 'jpx', 'jph', 'jphc', 'jls', 'jxl', 'webp', 'bmp', 'tiff', 'dicom-rle'].map(
    (name) => `image/${name}`,
  ),
]);
/** So much of an answer is held back: one that breaks off before is told as one, with a status. */
const HELD_BYTES = 1024 * 1024;

/** Passes an answer of the PACS on: only types that no browser runs, unpacked, with addresses of the PACS made ours.
 * @param rewrite gives our address for one of the PACS; undefined for one that is none of its archive
 * @throws HttpError 502 */
export async function passAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  isHead: boolean,
  rewrite: (address: string) => string | undefined,
): Promise<void> {
  const status = answer.statusCode ?? 502;
  const headers = headersOf(answer);
  const type = mediaType(answer);
  const isEmptyByDefinition = isHead || status === 204 || status === 304 || answer.headers['content-length'] === '0';
  if (isEmptyByDefinition || (type === '' && (await isEmpty(answer)))) {
    answer.resume();
    const length = answer.headers['content-length'];
    const isAsSent = isHead && !JSON_TYPES.has(type) && encodingsOf(answer).length === 0;
    response
      .writeHead(status, {
        ...headers,
        ...(PASSED_TYPES.has(type) || JSON_TYPES.has(type) ? { 'Content-Type': contentType(answer, type) } : {}),
        ...(isAsSent && length !== undefined ? { 'Content-Length': length } : {}),
        ...(!isHead && status !== 204 && status !== 304 ? { 'Content-Length': 0 } : {}),
      })
      .end();
    return;
  }
  if (!PASSED_TYPES.has(type) && !JSON_TYPES.has(type)) {
    answer.destroy();
    if (status >= 400) throw new HttpError(status, `The PACS refuses (HTTP ${status}).`, headers);
    throw new HttpError(502, 'The PACS answers with a type that is not passed on to a viewer.', headers);
  }
  const steps = [...decoders(answer), ...(JSON_TYPES.has(type) ? [rewriteAddresses(rewrite)] : [])];
  const length = steps.length === 0 ? answer.headers['content-length'] : undefined;
  await sendHeldBack(answer, steps, response, (whole) => {
    const byteLength = whole ?? length;
    response.writeHead(status, {
      ...headers,
      'Content-Type': contentType(answer, type),
      ...(byteLength === undefined ? {} : { 'Content-Length': byteLength }),
    });
  });
}

/** Whether an answer ends without a byte; one of no type that does not is not read on. */
async function isEmpty(answer: IncomingMessage): Promise<boolean> {
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) if (chunk.length > 0) return false;
    return true;
  } catch {
    return false;
  }
}

/** @param begin writes the head; it is told the length of an answer that is whole by then */
async function sendHeldBack(
  answer: Readable,
  steps: readonly Transform[],
  response: ServerResponse,
  begin: (byteLength: number | undefined) => void,
): Promise<void> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let hasBegun = false;
  const hold = new Transform({
    transform(chunk: Buffer, _, done) {
      if (!hasBegun) {
        held.push(chunk);
        heldBytes += chunk.length;
        if (heldBytes <= HELD_BYTES) {
          done();
          return;
        }
        hasBegun = true;
        begin(undefined);
        chunk = Buffer.concat(held);
        held = [];
      }
      done(null, chunk);
    },
    flush(done) {
      if (!hasBegun) {
        begin(heldBytes);
        done(null, Buffer.concat(held));
      } else done();
    },
  });
  try {
    // The response is no part of it: a pipeline that fails would close the connection before it is told why.
    const reading = pipeline([answer, ...steps, hold]);
    hold.pipe(response);
    await reading;
  } catch (cause) {
    hold.unpipe(response);
    throw new HttpError(
      502,
      `The answer of the PACS broke off: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { 'Content-Security-Policy': SANDBOX },
    );
  }
}

function headersOf(answer: IncomingMessage): Record<string, string> {
  const passed = PASSED_HEADERS.flatMap((name) => {
    const value = answer.headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return { ...Object.fromEntries(passed), 'Cache-Control': 'no-store', 'Content-Security-Policy': SANDBOX };
}

function mediaType(answer: IncomingMessage): string {
  return (answer.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** JSON goes by the one name that says whose it is. */
function contentType(answer: IncomingMessage, type: string): string {
  return JSON_TYPES.has(type) ? 'application/dicom+json' : (answer.headers['content-type'] ?? type);
}

function encodingsOf(answer: IncomingMessage): string[] {
  return (answer.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
}

/** Unpacks what comes packed although it was not asked for. The last encoding was put on last (RFC 9110 8.4).
 * @throws HttpError 502 */
function decoders(answer: IncomingMessage): Transform[] {
  const encodings = encodingsOf(answer);
  if (encodings.length > 2) throw unknownEncoding(answer);
  return encodings.toReversed().map((name) => {
    if (name === 'gzip' || name === 'x-gzip') return createGunzip();
    if (name === 'deflate') return createInflate();
    if (name === 'br') return createBrotliDecompress();
    throw unknownEncoding(answer);
  });
}

function unknownEncoding(answer: IncomingMessage): HttpError {
  answer.destroy();
  return new HttpError(502, 'The PACS packs its answer in a way that was not asked for and cannot be unpacked here.', {
    'Content-Security-Policy': SANDBOX,
  });
}
