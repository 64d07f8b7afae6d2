import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from '../http-error.ts';
import { parseFrames, readHeader } from './dicom-file.ts';
import type { JsonDataset } from './dicom-json.ts';
import { encodeMultipart, type Part } from './multipart.ts';
import { FileGoneError, type PlainFile } from './plain-file.ts';
import { queryInstances, querySeries, queryStudies } from './query.ts';
import { isUid, openInstanceStore } from './store.ts';
import type { StoredInstance, StudyIndex } from './study-index.ts';

/** Answers a request below the DICOMweb root.
 * @param path what follows the root, `/studies…` */
export type DicomWebHandler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/** Where the routes lie on the server. */
export const DICOM_WEB_ROOT = '/dicom-web';

/** DICOMweb over a folder: query (QIDO-RS), retrieve (WADO-RS) and store (STOW-RS), as much of them as OHIF asks for.
 * @see DICOM PS3.18 chapter 10 */
export function createFolderArchive(index: StudyIndex): DicomWebHandler {
  const instanceStore = openInstanceStore(index);
  const framesOf = rememberLast((instance) => index.read(instance, wholeFile).then(parseFrames));

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
        return json(
          (await readThoseThere(instances, async (file) => (await readHeader(file)).dataset)).map(({ read }) => read),
        );
      case 'frames':
        return frames(instances, resource.frames);
      case 'studies':
      case 'objects':
        return await objects(instances, accept);
    }
  }

  async function store(request: IncomingMessage, studyInstanceUID: string | undefined): Promise<Answer> {
    const root = `http://${request.headers.host ?? 'localhost'}${DICOM_WEB_ROOT}`;
    const { status, dataset } = await instanceStore.store(
      request,
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

  /** Of several instances, those whose files are still there: a folder lives.
   * @throws HttpError 404 if none is */
  async function readThoseThere<T>(
    instances: readonly StoredInstance[],
    use: (file: PlainFile) => Promise<T>,
  ): Promise<{ readonly instance: StoredInstance; readonly read: T }[]> {
    const results: { instance: StoredInstance; read: T }[] = [];
    for (const instance of instances) {
      try {
        results.push({ instance, read: await index.read(instance, use) });
      } catch (error) {
        if (!(error instanceof FileGoneError)) throw error;
      }
    }
    if (results.length === 0) throw new HttpError(404, 'The files are not there any more.');
    return results;
  }

  /** Whole files: a part each, or one alone where the client prefers that. */
  async function objects(instances: readonly StoredInstance[], accept: string): Promise<Answer> {
    const files = await readThoseThere(instances, wholeFile);
    const [first] = files;
    if (instances.length === 1 && first !== undefined && /^application\/dicom\b(?!\+)/i.test(accept)) {
      return { status: 200, contentType: 'application/dicom', pieces: [first.read] };
    }
    const parts = files.map(({ instance, read }) => ({
      contentType: `application/dicom; transfer-syntax=${instance.transferSyntaxUID}`,
      body: read,
    }));
    return multipart(parts, 'application/dicom');
  }
}

function wholeFile(file: PlainFile): Promise<Uint8Array> {
  return file.read(0, file.byteLength);
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
function rememberLast<T>(read: (instance: StoredInstance) => Promise<T>): (instance: StoredInstance) => Promise<T> {
  let last: { readonly instance: StoredInstance; readonly result: Promise<T> } | undefined;
  return (instance) => {
    if (last?.instance !== instance) last = { instance, result: read(instance) };
    return last.result;
  };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
