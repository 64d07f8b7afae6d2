import { randomBytes } from 'node:crypto';

/** A message that is no `multipart/related`, with the reason. */
export class MultipartError extends Error {}

export interface Part {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** What stands between the bodies of the parts of a `multipart/related` message (RFC 2387). */
export interface MultipartEncoder {
  /** The value of Content-Type. */
  readonly contentType: string;
  /** Before a part's body. */
  readonly head: (contentType: string, byteLength: number) => Uint8Array;
  /** After it. */
  readonly tail: Uint8Array;
  /** After the last. */
  readonly end: Uint8Array;
}

/** @param type of the parts */
export function multipartEncoder(type: string): MultipartEncoder {
  const boundary = `slicewise-${randomBytes(12).toString('hex')}`;
  return {
    contentType: `multipart/related; type="${type}"; boundary=${boundary}`,
    head: (contentType, byteLength) =>
      Buffer.from(`--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Length: ${byteLength}\r\n\r\n`),
    tail: Buffer.from('\r\n'),
    end: Buffer.from(`--${boundary}--\r\n`),
  };
}

/** Encodes parts that are in memory.
 * @returns the value of Content-Type, and the pieces of the body */
export function encodeMultipart(parts: readonly Part[], type: string): { contentType: string; body: Uint8Array[] } {
  const { contentType, head, tail, end } = multipartEncoder(type);
  const body = parts.flatMap((part) => [head(part.contentType, part.body.length), part.body, tail]);
  return { contentType, body: [...body, end] };
}

/** Parses the body of a `multipart/related` message that is in memory.
 * @param contentType the message's, with its boundary
 * @throws MultipartError as {@link createMultipartParser} */
export function parseMultipart(contentType: string, bytes: Uint8Array): Part[] {
  const parser = createMultipartParser(contentType);
  const parts: { contentType: string; pieces: Uint8Array[] }[] = [];
  for (const event of parser.push(bytes)) {
    if (event.kind === 'part') parts.push({ contentType: event.contentType, pieces: [] });
    else parts.at(-1)?.pieces.push(event.bytes);
  }
  parser.end();
  return parts.map(({ contentType, pieces }) => {
    const [only, ...more] = pieces;
    return { contentType, body: only !== undefined && more.length === 0 ? only : Buffer.concat(pieces) };
  });
}

/** What a parser found, in the order of the message. A part is closed by the next one, or by the end. */
type MultipartEvent =
  { readonly kind: 'part'; readonly contentType: string } | { readonly kind: 'data'; readonly bytes: Uint8Array };

export interface MultipartParser {
  /** @throws MultipartError if a part has no blank line after its headers, or headers without end */
  readonly push: (chunk: Uint8Array) => MultipartEvent[];
  /** @throws MultipartError if the body did not begin or end with the boundary */
  readonly end: () => void;
}

/** Headers of a part have a few lines. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Blanks behind a boundary, and the line break. */
const MAX_PADDING_BYTES = 128;

/** Parses a `multipart/related` message as it comes, and keeps no more of it than a delimiter or a part's headers.
 * @param contentType the message's, with its boundary
 * @throws MultipartError if it names no boundary
 * @see RFC 2046 5.1.1 */
export function createMultipartParser(contentType: string): MultipartParser {
  const delimiter = Buffer.from(`\r\n--${boundaryOf(contentType)}`);
  // The first delimiter has no line break before it, if the message has no preamble.
  let rest: Buffer = Buffer.from('\r\n');
  let state: 'preamble' | 'headers' | 'body' | 'closed' = 'preamble';

  /** Advances over what is before the next delimiter, and over it; false if more bytes are needed. */
  const skipToDelimiter = (events: MultipartEvent[]): boolean => {
    const emit = (end: number): void => {
      if (state === 'body' && end > 0) events.push({ kind: 'data', bytes: rest.subarray(0, end) });
      rest = rest.subarray(end);
    };
    const at = rest.indexOf(delimiter);
    if (at < 0) {
      emit(Math.max(0, rest.length - delimiter.length + 1));
      return false;
    }
    const next = rest.subarray(at + delimiter.length, at + delimiter.length + MAX_PADDING_BYTES).toString('latin1');
    const isLast = next.startsWith('--');
    const lineBreak = /^[ \t]*\r\n/.exec(next)?.[0];
    if (isLast || lineBreak !== undefined) {
      emit(at);
      state = isLast ? 'closed' : 'headers';
      // The line break belongs to the headers: a part without any has a blank line at once.
      rest = rest.subarray(delimiter.length + (lineBreak?.length ?? 2) - (isLast ? 0 : 2));
      return true;
    }
    if (next.length < MAX_PADDING_BYTES && /^(-|[ \t]*\r?)$/.test(next)) {
      emit(at);
      return false;
    }
    // A longer word that begins as the boundary does.
    emit(at + delimiter.length);
    return true;
  };

  const readHeaders = (events: MultipartEvent[]): boolean => {
    const blank = rest.indexOf('\r\n\r\n');
    const end = rest.indexOf(delimiter);
    if (end >= 0 && (blank < 0 || end < blank)) throw new MultipartError('a part has no blank line after its headers');
    if (blank > MAX_HEADER_BYTES || (blank < 0 && rest.length > MAX_HEADER_BYTES)) {
      throw new MultipartError('the headers of a part are too long');
    }
    if (blank < 0) return false;
    const headers = rest.subarray(0, blank).toString('latin1');
    const type = /\r\ncontent-type:[ \t]*([^\r\n]*)/i.exec(headers)?.[1]?.trim() ?? 'application/octet-stream';
    events.push({ kind: 'part', contentType: type });
    state = 'body';
    // Its last line break may begin the delimiter of a part without a body.
    rest = rest.subarray(blank + 2);
    if (!startsWithDelimiter()) rest = rest.subarray(2);
    return true;
  };

  const advance = (events: MultipartEvent[]): boolean => {
    if (state === 'closed') return false;
    return state === 'headers' ? readHeaders(events) : skipToDelimiter(events);
  };

  const startsWithDelimiter = (): boolean => rest.subarray(0, delimiter.length).equals(delimiter);

  return {
    push(chunk) {
      const events: MultipartEvent[] = [];
      if (state === 'closed') return events;
      rest =
        rest.length === 0
          ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
          : Buffer.concat([rest, chunk]);
      let goesOn = true;
      while (goesOn) {
        goesOn = advance(events);
      }
      return events;
    },
    end() {
      if (state !== 'closed') throw new MultipartError('the body is not closed by the boundary of its Content-Type');
    },
  };
}

/** RFC 2046 5.1.1: at most 70 characters, quoted or not. */
function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new MultipartError('its Content-Type names no boundary');
  return boundary;
}
