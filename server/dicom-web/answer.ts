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
}

/** @param warnings in ASCII (PS3.18 8.3.4: code 299) */
export function json(
  value: JsonDataset | readonly JsonDataset[],
  {
    status = 200,
    contentType = 'application/dicom+json',
    warnings = [],
  }: { status?: number; contentType?: string; warnings?: readonly string[] } = {},
): Answer {
  const pieces = Array.isArray(value)
    ? [
        Buffer.from('['),
        ...value.map((row, at) => Buffer.from(`${at === 0 ? '' : ','}${JSON.stringify(row)}`)),
        Buffer.from(']'),
      ]
    : [Buffer.from(JSON.stringify(value))];
  return {
    status,
    contentType,
    pieces,
    ...(warnings.length === 0
      ? {}
      : { headers: { Warning: warnings.map((text) => `299 Slicewise "${text}"`).join(', ') } }),
  };
}

/** A part that is read when its turn comes. */
export interface StreamedPart {
  readonly contentType: string;
  readonly byteLength: number;
  readonly pieces: readonly Uint8Array[] | AsyncIterable<Uint8Array>;
}

export function multipart(parts: AsyncIterable<StreamedPart>, type: string): Answer {
  const { contentType, head, tail, end } = multipartEncoder(type);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      yield head(part.contentType, part.byteLength);
      yield* part.pieces;
      yield tail;
    }
    yield end;
  }
  return { status: 200, contentType, pieces: pieces() };
}

export async function send(
  response: ServerResponse,
  { status, contentType, pieces, byteLength, headers }: Answer,
): Promise<void> {
  const length = isInMemory(pieces) ? pieces.reduce((sum, piece) => sum + piece.length, 0) : byteLength;
  response.writeHead(status, {
    'Content-Type': contentType,
    ...(length === undefined ? {} : { 'Content-Length': length }),
    'Cache-Control': 'no-store',
    ...headers,
  });
  if (response.req.method === 'HEAD') {
    response.end();
    // What was opened for it is closed.
    if (!isInMemory(pieces)) await pieces[Symbol.asyncIterator]().return?.();
    return;
  }
  await pipeline(Readable.from(pieces, { objectMode: false }), response).catch((error: unknown) => {
    // A client that has seen enough is not an error.
    if (!response.destroyed || error === undefined) throw error;
  });
}

function isInMemory(pieces: Answer['pieces']): pieces is readonly Uint8Array[] {
  return Array.isArray(pieces);
}
