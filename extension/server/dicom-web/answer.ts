import type { ServerResponse } from 'node:http';
import type { JsonDataset } from './dicom-json.ts';
import { encodeMultipart, type Part } from './multipart.ts';

/** What a DICOMweb request is answered with. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly pieces: readonly Uint8Array[];
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

export function multipart(parts: readonly Part[], type: string): Answer {
  const { contentType, body } = encodeMultipart(parts, type);
  return { status: 200, contentType, pieces: body };
}

export function send(response: ServerResponse, { status, contentType, pieces, headers }: Answer): void {
  const byteLength = pieces.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': byteLength,
    'Cache-Control': 'no-store',
    ...headers,
  });
  for (const piece of pieces) response.write(piece);
  response.end();
}
