import { EnvironmentError } from '../../../src/index.ts';

/** One DICOM file as the body of a STOW-RS request (PS3.18 10.5.1, RFC 2387); its bytes are not copied. */
export function dicomMultipart(parts: readonly Uint8Array<ArrayBuffer>[]): { contentType: string; body: Blob } {
  const boundary = `slicewise-${crypto.randomUUID()}`;
  return {
    contentType: `multipart/related; type="application/dicom"; boundary=${boundary}`,
    body: new Blob([`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, ...parts, `\r\n--${boundary}--\r\n`]),
  };
}

/** The one DICOM file of a WADO-RS answer, as a view; servers that answer with a single part send it as it is.
 * @throws EnvironmentError `pacs-refused` if the body is not what its type says */
export function onlyPart(body: Uint8Array<ArrayBuffer>, contentType: string): Uint8Array<ArrayBuffer> {
  if (!/^\s*multipart\//i.test(contentType)) return body;
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  const name = boundary?.[1] ?? boundary?.[2];
  if (name === undefined) throw malformed('its content type names no boundary');
  const delimiter = new TextEncoder().encode(`--${name}`);
  const start = indexOfBytes(body, delimiter, 0);
  const headersEnd = start < 0 ? -1 : indexOfBytes(body, HEADERS_END, start);
  if (headersEnd < 0) throw malformed('its first part has no end of headers');
  const content = headersEnd + HEADERS_END.length;
  // The delimiter's own line break belongs to it, not to the part (RFC 2046 5.1.1).
  const next = indexOfBytes(body, concat(LINE_BREAK, delimiter), content);
  if (next < 0) throw malformed('it breaks off within its first part');
  return body.subarray(content, next);
}

const LINE_BREAK = new Uint8Array([13, 10]);
const HEADERS_END = new Uint8Array([13, 10, 13, 10]);

function indexOfBytes(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let matched = 1;
    while (matched < wanted.length && bytes[at + matched] === wanted[matched]) matched++;
    if (matched === wanted.length) return at;
  }
  return -1;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

function malformed(why: string): EnvironmentError {
  return new EnvironmentError('pacs-refused', `The PACS's answer cannot be read: ${why}.`, {
    remedy: 'Try again; if it stays so, tell the administrator of the PACS.',
  });
}
