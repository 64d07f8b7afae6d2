import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { JsonDataset } from './dicom-json.ts';
import { multipartEncoder } from './multipart.ts';

/** What a DICOMweb request is answered with. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** In memory, or as they are read: then no more of them is in memory than the client takes. */
  readonly pieces: readonly Uint8Array[] | AsyncIterable<Uint8Array>;
  /** Where it is known of pieces that are yet to be read. */
  readonly byteLength?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is known only when all pieces were read. */
  readonly trailers?: () => Readonly<Record<string, string>>;
  /** Gives back what is open for pieces that are yet to be read. Called once the answer is over, whether or not any piece
   * was read: an iterator that never began has nothing to end. */
  readonly close?: () => Promise<void>;
}

export function json(value: JsonDataset, status: number): Answer {
  return { status, contentType: 'application/dicom+json', pieces: [Buffer.from(JSON.stringify(value))] };
}

/** @param warnings in ASCII (PS3.18 8.3.4: code 299) */
export function warningHeader(warnings: readonly string[]): Record<string, string> {
  return { Warning: warnings.map((text) => `299 Slicewise "${text}"`).join(', ') };
}

/** A JSON array of rows that are read while they are sent. A short answer is held until it is whole, and its warnings are a
 * header; of a longer one they are a trailer.
 * @param rows each as JSON
 * @param warnings asked for when the rows are at their end
 * @returns undefined if there is no row */
export async function jsonRows(
  rows: AsyncGenerator<string, void>,
  contentType: string,
  warnings?: () => readonly string[],
): Promise<Answer | undefined> {
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  const take = async (): Promise<Uint8Array | undefined> => {
    const { value } = await rows.next();
    return value === undefined ? undefined : Buffer.from(value);
  };
  let row = await take();
  if (row === undefined) return undefined;
  for (; row !== undefined && heldBytes < HELD_BYTES; row = await take()) {
    held.push(Buffer.from(held.length === 0 ? '[' : ','), row);
    heldBytes += row.length;
  }
  if (row === undefined) {
    const found = warnings?.() ?? [];
    const headers = found.length === 0 ? {} : { headers: warningHeader(found) };
    return { status: 200, contentType, pieces: [...held, Buffer.from(']')], ...headers };
  }
  const following = row;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield* held.splice(0);
    for (let each: Uint8Array | undefined = following; each !== undefined; each = await take()) {
      yield Buffer.from(',');
      yield each;
    }
    yield Buffer.from(']');
  }
  const trailers =
    warnings === undefined
      ? {}
      : {
          trailers: (): Record<string, string> => {
            const found = warnings();
            return found.length === 0 ? {} : warningHeader(found);
          },
        };
  const close = async (): Promise<void> => {
    await rows.return();
  };
  return { status: 200, contentType, pieces: pieces(), ...trailers, close };
}

/** So much of an answer in JSON waits in memory for its end. */
const HELD_BYTES = 2 ** 20;

/** A part that is read when its turn comes. */
export interface StreamedPart {
  readonly contentType: string;
  readonly byteLength: number;
  readonly pieces: readonly Uint8Array[] | AsyncIterable<Uint8Array>;
}

/** @param close ends what the parts are read from */
export function multipart(parts: AsyncIterable<StreamedPart>, type: string, close: () => Promise<void>): Answer {
  const { contentType, head, tail, end } = multipartEncoder(type);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      yield head(part.contentType, part.byteLength);
      yield* part.pieces;
      yield tail;
    }
    yield end;
  }
  return { status: 200, contentType, pieces: pieces(), close };
}

export async function send(response: ServerResponse, answer: Answer): Promise<void> {
  try {
    await sendPieces(response, answer);
  } finally {
    await answer.close?.();
  }
}

async function sendPieces(
  response: ServerResponse,
  { status, contentType, pieces, byteLength, headers, trailers }: Answer,
): Promise<void> {
  const length = isInMemory(pieces) ? pieces.reduce((sum, piece) => sum + piece.length, 0) : byteLength;
  response.writeHead(status, {
    'Content-Type': contentType,
    ...(length === undefined ? {} : { 'Content-Length': length }),
    'Cache-Control': 'no-store',
    ...(trailers === undefined ? {} : { Trailer: 'Warning' }),
    ...headers,
  });
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  async function* withTrailers(): AsyncGenerator<Uint8Array> {
    yield* pieces;
    if (trailers !== undefined) response.addTrailers(trailers());
  }
  await pipeline(Readable.from(withTrailers(), { objectMode: false }), response).catch((error: unknown) => {
    // A client that has seen enough is not an error.
    if (!response.destroyed || error === undefined) throw error;
  });
}

function isInMemory(pieces: Answer['pieces']): pieces is readonly Uint8Array[] {
  return Array.isArray(pieces);
}
