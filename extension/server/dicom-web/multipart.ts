import { randomBytes } from 'node:crypto';

export interface Part {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Encodes parts as `multipart/related` (RFC 2387).
 * @returns the value of Content-Type, and the pieces of the body */
export function encodeMultipart(parts: readonly Part[], type: string): { contentType: string; body: Uint8Array[] } {
  const boundary = `slicewise-${randomBytes(12).toString('hex')}`;
  const body = parts.flatMap(({ contentType, body }) => [
    Buffer.from(`--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`),
    body,
    Buffer.from('\r\n'),
  ]);
  return {
    contentType: `multipart/related; type="${type}"; boundary=${boundary}`,
    body: [...body, Buffer.from(`--${boundary}--\r\n`)],
  };
}

/** Parses the body of a `multipart/related` message.
 * @param contentType the message's, with its boundary
 * @throws Error if the boundary is missing, or the body does not begin or end with it */
export function parseMultipart(contentType: string, bytes: Uint8Array): Part[] {
  const boundary = boundaryOf(contentType);
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter has no line break before it, if the message has no preamble.
  const first = Buffer.from(`--${boundary}`);
  let position = body.subarray(0, first.length).equals(first) ? first.length : endOf(body, delimiter, 0);
  const parts: Part[] = [];
  while (position >= 0) {
    if (body.subarray(position, position + 2).toString('latin1') === '--') return parts;
    const headerStart = body.indexOf('\r\n', position) + 2;
    const next = body.indexOf(delimiter, headerStart - 2);
    if (headerStart < 2 || next < 0) break;
    parts.push(
      parsePart(body.subarray(headerStart, Math.max(next, headerStart)), body.subarray(headerStart - 2, next)),
    );
    position = next + delimiter.length;
  }
  throw new Error(`the body is not closed by the boundary of its Content-Type`);
}

/** @param part what follows the delimiter's line break; @param withBreak the same, with that line break */
function parsePart(part: Buffer, withBreak: Buffer): Part {
  const blank = withBreak.indexOf('\r\n\r\n');
  if (blank < 0) throw new Error('a part has no blank line after its headers');
  const headers = withBreak.subarray(0, blank).toString('latin1');
  const contentType = /\r\ncontent-type:[ \t]*([^\r\n]*)/i.exec(headers)?.[1]?.trim() ?? 'application/octet-stream';
  return { contentType, body: part.subarray(blank + 2) };
}

function endOf(body: Buffer, delimiter: Buffer, from: number): number {
  const found = body.indexOf(delimiter, from);
  return found < 0 ? -1 : found + delimiter.length;
}

/** RFC 2046 5.1.1: at most 70 characters, quoted or not. */
function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new Error('its Content-Type names no boundary');
  return boundary;
}
