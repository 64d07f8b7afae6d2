import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from '../http-error.ts';
import { parseFrames, readHeader } from './dicom-file.ts';
import type { JsonDataset } from './dicom-json.ts';
import { encodeMultipart, parseMultipart, type Part } from './multipart.ts';
import { queryInstances, querySeries, queryStudies } from './query.ts';
import { isUid, storeInstances } from './store.ts';
import type { StoredInstance, StudyIndex } from './study-index.ts';

/** Answers a request below the DICOMweb root.
 * @param path what follows the root, `/studies…` */
export type DicomWebHandler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/** The longest store request that is taken into memory. */
const MAX_STORE_BYTES = 512 * 1024 * 1024;
/** Where the routes lie on the server. */
export const DICOM_WEB_ROOT = '/dicom-web';

/** DICOMweb over a folder: query (QIDO-RS), retrieve (WADO-RS) and store (STOW-RS), as much of them as OHIF asks for.
 * @see DICOM PS3.18 chapter 10 */
export function createFolderArchive(index: StudyIndex): DicomWebHandler {
  const framesOf = rememberLast((path: string) => readFile(path).then(parseFrames));

  return async (request, response, path) => {
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    const resource = parsePath(pathname);
    if (request.method === 'POST' && resource.kind === 'studies') send(response, await store(request, resource.study));
    else if (request.method === 'GET' || request.method === 'HEAD') {
      send(response, await retrieve(resource, searchParams, request.headers.accept ?? ''));
    } else {
      throw new HttpError(405, 'This archive can be queried, read and added to; nothing in it is changed.', {
        Allow: resource.kind === 'studies' ? 'GET, HEAD, POST' : 'GET, HEAD',
      });
    }
  };

  async function retrieve(resource: Resource, parameters: URLSearchParams, accept: string): Promise<Answer> {
    if (resource.kind === 'studies' && resource.study === undefined) {
      await index.refresh();
      return json(queryStudies(index.instances(), parameters));
    }
    const instances = index.instances().filter((instance) => isPartOf(instance, resource));
    if (instances.length === 0) throw new HttpError(404, 'There is nothing with these UIDs in the folder.');
    switch (resource.kind) {
      case 'seriesQuery':
        return json(querySeries(instances, parameters));
      case 'instancesQuery':
        return json(queryInstances(instances, parameters));
      case 'metadata':
        return json(await Promise.all(instances.map(async ({ path }) => (await readHeader(path)).dataset)));
      case 'frames':
        return frames(instances, resource.frames);
      case 'studies':
      case 'objects':
        return objects(instances, accept);
    }
  }

  async function store(request: IncomingMessage, studyInstanceUID: string | undefined): Promise<Answer> {
    const parts = await readParts(request);
    const root = `http://${request.headers.host ?? 'localhost'}${DICOM_WEB_ROOT}`;
    const { status, dataset } = await storeInstances(
      index,
      parts,
      studyInstanceUID,
      (study, series, instance) => `${root}/studies/${study}/series/${series}/instances/${instance}`,
    );
    return json(dataset, status);
  }

  async function frames([instance]: readonly StoredInstance[], numbers: readonly number[]): Promise<Answer> {
    if (instance === undefined) throw new HttpError(404, 'There is no such instance.');
    const { frames, transferSyntaxUID } = await framesOf(instance).catch((cause: unknown) => {
      throw new HttpError(406, `The frames cannot be given: ${reasonOf(cause)}.`);
    });
    const parts = numbers.map((number): Part => {
      const body = frames[number - 1];
      if (body === undefined)
        throw new HttpError(404, `There is no frame ${number}; the instance has ${frames.length}.`);
      return { contentType: `application/octet-stream; transfer-syntax=${transferSyntaxUID}`, body };
    });
    return multipart(parts, 'application/octet-stream');
  }
}

/** Whole files: a part each, or one alone where the client prefers that. */
async function objects(instances: readonly StoredInstance[], accept: string): Promise<Answer> {
  const [first] = instances;
  if (instances.length === 1 && first !== undefined && /^application\/dicom\b(?!\+)/i.test(accept)) {
    return { status: 200, contentType: 'application/dicom', pieces: [await readFile(first.path)] };
  }
  const parts = instances.map(async ({ path, transferSyntaxUID }) => ({
    contentType: `application/dicom; transfer-syntax=${transferSyntaxUID}`,
    body: await readFile(path),
  }));
  return multipart(await Promise.all(parts), 'application/dicom');
}

interface Resource {
  readonly kind: 'studies' | 'seriesQuery' | 'instancesQuery' | 'objects' | 'metadata' | 'frames';
  readonly study: string | undefined;
  readonly series: string | undefined;
  readonly instance: string | undefined;
  readonly frames: readonly number[];
}

/** @throws HttpError 404, 400 */
function parsePath(path: string): Resource {
  const parts = path.replace(/\/$/, '').split('/').slice(1);
  const [studies, study, seriesWord, series, instancesWord, instance, framesWord, frames, ...rest] = parts.filter(
    (part, at) => part !== 'metadata' || at < parts.length - 1,
  );
  const isKnown =
    studies === 'studies' &&
    (seriesWord ?? 'series') === 'series' &&
    (instancesWord ?? 'instances') === 'instances' &&
    (framesWord ?? 'frames') === 'frames' &&
    (framesWord === undefined) === (frames === undefined) &&
    rest.length === 0;
  const isMetadata = parts.at(-1) === 'metadata' && study !== undefined && frames === undefined;
  const isQuery = seriesWord !== undefined && series === undefined;
  if (!isKnown || (parts.at(-1) === 'metadata' && !isMetadata)) {
    throw new HttpError(404, 'There is no such DICOMweb resource here.');
  }
  for (const uid of [study, series, instance]) {
    if (uid !== undefined && !isUid(uid)) throw new HttpError(400, 'A part of the path that must be a UID is none.');
  }
  const common = { study, series, instance, frames: frames === undefined ? [] : parseFrameNumbers(frames) };
  if (frames !== undefined) return { kind: 'frames', ...common };
  if (isMetadata) return { kind: 'metadata', ...common };
  if (isQuery) return { kind: 'seriesQuery', ...common };
  if (instancesWord !== undefined && instance === undefined) return { kind: 'instancesQuery', ...common };
  return { kind: series === undefined ? 'studies' : 'objects', ...common };
}

function isPartOf(instance: StoredInstance, { study, series, instance: sopInstanceUID }: Resource): boolean {
  return (
    (study === undefined || instance.studyInstanceUID === study) &&
    (series === undefined || instance.seriesInstanceUID === series) &&
    (sopInstanceUID === undefined || instance.sopInstanceUID === sopInstanceUID)
  );
}

function parseFrameNumbers(text: string): number[] {
  if (!/^[1-9]\d{0,8}((,|%2C)[1-9]\d{0,8}){0,999}$/i.test(text)) {
    throw new HttpError(400, 'Frames are numbers from 1, separated by commas.');
  }
  return text.split(/,|%2C/i).map(Number);
}

async function readParts(request: IncomingMessage): Promise<Part[]> {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^multipart\/related\b/i.test(contentType) || !/application\/dicom(?!\+)/i.test(contentType)) {
    throw new HttpError(415, 'Instances are stored as multipart/related; type="application/dicom".');
  }
  const body = await readBody(request);
  try {
    return parseMultipart(contentType, body);
  } catch (cause) {
    throw new HttpError(400, `The request cannot be read: ${reasonOf(cause)}.`);
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const tooLong = new HttpError(413, `A request to store has at most ${MAX_STORE_BYTES} bytes.`, {
    Connection: 'close',
  });
  if (Number(request.headers['content-length'] ?? 0) > MAX_STORE_BYTES) throw tooLong;
  const chunks: Buffer[] = [];
  let byteLength = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    byteLength += chunk.length;
    if (byteLength > MAX_STORE_BYTES) throw tooLong;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly pieces: readonly Uint8Array[];
}

function json(value: JsonDataset | readonly JsonDataset[], status = 200): Answer {
  return { status, contentType: 'application/dicom+json', pieces: [Buffer.from(JSON.stringify(value))] };
}

function multipart(parts: readonly Part[], type: string): Answer {
  const { contentType, body } = encodeMultipart(parts, type);
  return { status: 200, contentType, pieces: body };
}

function send(response: ServerResponse, { status, contentType, pieces }: Answer): void {
  const byteLength = pieces.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': byteLength,
    'Cache-Control': 'no-store',
  });
  for (const piece of pieces) response.write(piece);
  response.end();
}

/** Keeps the last result, as a viewer asks for a multi-frame file's frames one after another. */
function rememberLast<T>(read: (path: string) => Promise<T>): (instance: StoredInstance) => Promise<T> {
  let last: { readonly instance: StoredInstance; readonly result: Promise<T> } | undefined;
  return (instance) => {
    if (last?.instance !== instance) last = { instance, result: read(instance.path) };
    return last.result;
  };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
