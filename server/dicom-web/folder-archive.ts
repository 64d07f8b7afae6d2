import type { IncomingMessage, ServerResponse } from 'node:http';
import { isSegmentationError } from '../../src/index.ts';
import { HttpError } from '../http-error.ts';
import { json, jsonRows, multipart, send, type Answer, type StreamedPart } from './answer.ts';
import { datasetToJson, valueAt } from './dataset-json.ts';
import { readDataset } from './dicom-file.ts';
import { inOrder, type JsonDataset } from './dicom-json.ts';
import { frameMediaType } from './frame-media-types.ts';
import { openFrames, type FrameSource } from './frame-source.ts';
import { rememberFrames } from './remember-frames.ts';
import { inBatches } from './in-batches.ts';
import { chooseOffer, parseAccept, type MediaType, type Offer } from './media-types.ts';
import { encodeMultipart } from './multipart.ts';
import { FileGoneError, type OpenPlainFile } from './plain-file.ts';
import { query, type QueryResult } from './query.ts';
import { parseResourcePath, type Resource } from './resource-path.ts';
import { openInstanceStore } from './store.ts';
import type { StoredInstance } from './known-file.ts';
import type { StudyIndex } from './study-index.ts';
import { createTurns, type Turns } from './turns.ts';

/** Answers a request below the DICOMweb root.
 * @param path what follows the root, `/studies…` */
export type DicomWebHandler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/** Rows that get attributes which the index does not keep: a file is read for each. */
const MAX_READ_ROWS = 500;
/** Where the routes lie on the server. */
export const DICOM_WEB_ROOT = '/dicom-web';

/** DICOMweb over a folder: query (QIDO-RS), retrieve (WADO-RS) and store (STOW-RS), without what is rendered.
 * @see DICOM PS3.18 chapter 10 */
export function createFolderArchive(index: StudyIndex): DicomWebHandler {
  const instanceStore = openInstanceStore(index);
  const inTurn = createTurns(READ_AT_ONCE, MAX_WAITING);
  const framesOf = rememberFrames((instance) => index.read(instance, openFrames));

  return async (request, response, path) => {
    const mark = path.indexOf('?');
    const resource = parseResourcePath(mark < 0 ? path : path.slice(0, mark));
    const parameters = new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1));
    const isStudies = resource.level === 'study' && (resource.kind === 'query' || resource.kind === 'objects');
    const urlOf = urlsBelow(rootOf(request));
    if (request.method === 'POST' && isStudies) await send(response, await store(request, resource.study, urlOf));
    else if (request.method === 'GET' || request.method === 'HEAD') {
      const accepted = parseAccept(parameters.get('accept') ?? request.headers.accept);
      await send(response, await retrieve(resource, parameters, accepted, urlOf));
    } else {
      throw new HttpError(405, 'This archive can be queried, read and added to; nothing in it is changed.', {
        Allow: isStudies ? 'GET, HEAD, POST' : 'GET, HEAD',
      });
    }
  };

  async function retrieve(
    resource: Resource,
    parameters: URLSearchParams,
    accepted: readonly MediaType[],
    urlOf: UrlOf,
  ): Promise<Answer> {
    // Before files are read for what nobody takes.
    const isJson = resource.kind === 'query' || resource.kind === 'metadata';
    const contentType = isJson ? choose(accepted, JSON_OFFERS).type : '';
    if (resource.kind === 'query' && resource.study === undefined) await index.refresh();
    const instances = index.instances().filter((instance) => isPartOf(instance, resource));
    if (resource.kind === 'query') {
      const result = query(instances, resource, parameters, urlOf);
      const { rows, warnings } = await withMissingFields(index, result, urlOf);
      return json(rows, { contentType, warnings });
    }
    const [first] = instances;
    if (first === undefined) throw new HttpError(404, 'There is nothing with these UIDs in the folder.');
    switch (resource.kind) {
      case 'metadata':
        return metadata(index, instances, contentType, urlOf, inTurn);
      case 'frames':
        return frames(first, resource.frames, accepted);
      case 'bulkdata':
        return bulkData(first, resource.value, accepted);
      case 'objects':
        return objects(index, instances, accepted);
    }
  }

  async function store(request: IncomingMessage, studyInstanceUID: string | undefined, urlOf: UrlOf): Promise<Answer> {
    const { status, dataset } = await instanceStore.store(request, studyInstanceUID, urlOf);
    return json(dataset, { status });
  }

  async function frames(
    instance: StoredInstance,
    numbers: readonly number[],
    accepted: readonly MediaType[],
  ): Promise<Answer> {
    const source = await orNotFound(framesOf(instance));
    const missing = numbers.find((number) => number > source.count);
    if (missing !== undefined) {
      throw new HttpError(404, `There is no frame ${missing}; the instance has ${source.count}.`);
    }
    const offer = choose(accepted, frameOffers(source, numbers.length));
    return framesAnswer(
      await orNotFound(index.open(instance)),
      source,
      numbers.map((number) => number - 1),
      offer,
    );
  }

  async function bulkData(
    instance: StoredInstance,
    path: readonly string[],
    accepted: readonly MediaType[],
  ): Promise<Answer> {
    const [tag = ''] = path;
    if (PIXEL_DATA_TAGS.has(tag) && path.length === 1) {
      const source = await orNotFound(framesOf(instance));
      const offer = choose(accepted, frameOffers(source, source.count));
      const all = Array.from({ length: source.count }, (_, frameIndex) => frameIndex);
      return framesAnswer(await orNotFound(index.open(instance)), source, all, offer);
    }
    const offer = choose(accepted, [
      { type: 'application/octet-stream' },
      { type: 'multipart/related', partType: 'application/octet-stream' },
    ]);
    const { dataset } = await orNotFound(index.read(instance, (file) => readDataset(file)));
    const value = valueAt(dataset, path);
    if (value === undefined) throw new HttpError(404, 'The instance has no bulk data there.');
    return { status: 200, ...inOffer(value, offer) };
  }
}

/** The address of the archive as the client has it; some clients leave the port out of Host. */
function rootOf({ headers: { host = 'localhost' }, socket: { localPort } }: IncomingMessage): string {
  const hasPort = /:\d{1,5}$/.test(host);
  return `http://${host}${hasPort || localPort === undefined ? '' : `:${localPort}`}${DICOM_WEB_ROOT}`;
}

/** The address of a study, a series or an instance. */
type UrlOf = (study: string, series?: string, instance?: string) => string;

function urlsBelow(root: string): UrlOf {
  const part = (word: string, uid: string | undefined): string =>
    uid === undefined ? '' : `/${word}/${encodeURIComponent(uid)}`;
  return (study, series, instance) =>
    `${root}${part('studies', study)}${part('series', series)}${part('instances', instance)}`;
}

const JSON_OFFERS: readonly Offer[] = [{ type: 'application/dicom+json' }, { type: 'application/json' }];
const PIXEL_DATA_TAGS = new Set(['7FE00008', '7FE00009', '7FE00010']);
/** Files whose attributes are read at once, for all answers together. */
const READ_AT_ONCE = 8;
/** Answers that wait for that; more are told to come back. */
const MAX_WAITING = 256;

/** Of several instances, those that can be read: one damaged file does not take a series away. Read one after another, with
 * no more of them in memory than the client takes.
 * @throws HttpError 404 if none can; 503 */
async function metadata(
  index: StudyIndex,
  instances: readonly StoredInstance[],
  contentType: string,
  urlOf: UrlOf,
  inTurn: Turns,
): Promise<Answer> {
  let missing = 0;
  async function* rows(): AsyncGenerator<string, void> {
    for (const instance of instances) {
      try {
        yield await inTurn(() =>
          index.read(instance, async (file) => JSON.stringify(await metadataOf(file, instance, urlOf))),
        );
      } catch (error) {
        if (error instanceof HttpError) throw error;
        if (instances.length === 1) throw notFound(error);
        missing++;
      }
    }
  }
  const warnings = (): string[] => (missing === 0 ? [] : [`${missing} instances cannot be read, and are not listed`]);
  const answer = await jsonRows(rows(), contentType, warnings);
  if (answer === undefined) throw gone();
  return answer;
}

async function metadataOf(
  file: Parameters<typeof readDataset>[0],
  { studyInstanceUID, seriesInstanceUID, sopInstanceUID }: StoredInstance,
  urlOf: UrlOf,
): Promise<JsonDataset> {
  const { dataset } = await readDataset(file);
  const url = urlOf(studyInstanceUID, seriesInstanceUID, sopInstanceUID);
  return datasetToJson(dataset, (path) => `${url}/bulkdata/${path}`);
}

async function withMissingFields(
  index: StudyIndex,
  { rows, warnings, missingFields }: QueryResult,
  urlOf: UrlOf,
): Promise<{ readonly rows: readonly JsonDataset[]; readonly warnings: readonly string[] }> {
  const plain = rows.map(({ dataset }) => dataset);
  if (missingFields.size === 0) return { rows: plain, warnings };
  if (rows.length > MAX_READ_ROWS) {
    return { rows: plain, warnings: [...warnings, `includefield was not heeded for more than ${MAX_READ_ROWS} rows`] };
  }
  const full = await inBatches(rows, READ_AT_ONCE, async ({ dataset, instance }) => {
    const all = await index.read(instance, (file) => metadataOf(file, instance, urlOf)).catch(() => ({}));
    const more = Object.entries(all).filter(([tag]) => missingFields.has(tag));
    return inOrder({ ...dataset, ...Object.fromEntries(more) });
  });
  return { rows: full, warnings };
}

/** Whole files: a part each, or one alone where the client prefers that. */
async function objects(
  index: StudyIndex,
  instances: readonly StoredInstance[],
  accepted: readonly MediaType[],
): Promise<Answer> {
  const syntaxes = new Set(instances.map(({ transferSyntaxUID }) => transferSyntaxUID));
  const [only] = syntaxes;
  const syntax = syntaxes.size === 1 && only !== undefined ? { transferSyntaxUID: only } : {};
  const offer = choose(accepted, [
    { type: 'multipart/related', partType: 'application/dicom', ...syntax },
    ...(instances.length === 1 ? [{ type: 'application/dicom', ...syntax }] : []),
  ]);
  const files = filesThere(index, instances);
  // Before anything is sent: what is not there is a 404.
  const first = await files.next();
  if (first.done === true) throw gone();
  if (offer.type === 'application/dicom') {
    const { byteLength, pieces } = first.value;
    return { status: 200, contentType: offer.type, byteLength, pieces };
  }
  async function* parts(): AsyncGenerator<StreamedPart> {
    for (let next = first; next.done !== true; next = await files.next()) yield next.value;
  }
  return multipart(parts(), 'application/dicom');
}

/** The files of instances that are still there, one after another. */
async function* filesThere(index: StudyIndex, instances: readonly StoredInstance[]): AsyncGenerator<StreamedPart> {
  for (const instance of instances) {
    try {
      const contentType = `application/dicom; transfer-syntax=${instance.transferSyntaxUID}`;
      if (instance.byteLength <= PIECE_BYTES) {
        // Known to be whole before it is sent.
        const bytes = await index.read(instance, (file) => file.read(0, PIECE_BYTES));
        yield { contentType, byteLength: bytes.length, pieces: [bytes] };
      } else {
        const file = await index.open(instance);
        yield { contentType, byteLength: file.byteLength, pieces: piecesOf(file) };
      }
    } catch (error) {
      if (!(error instanceof FileGoneError)) throw error;
    }
  }
}

/** So much of a file is in memory at once, for each answer. */
const PIECE_BYTES = 1024 * 1024;

/** @throws FileGoneError at its end, if the file was written into meanwhile: the answer is then cut off */
async function* piecesOf(file: OpenPlainFile): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < file.byteLength; at += PIECE_BYTES) {
      const piece = await file.read(at, PIECE_BYTES);
      if (piece.length < Math.min(PIECE_BYTES, file.byteLength - at))
        throw new FileGoneError('The file has become shorter.');
      yield piece;
    }
    await file.assertUnchanged();
  } finally {
    await file.close();
  }
}

/** Frames, each read when its turn comes.
 * @param file closed when the answer is over
 * @throws HttpError 404 if the first cannot be read */
async function framesAnswer(
  file: OpenPlainFile,
  source: FrameSource,
  frameIndices: readonly number[],
  { type, partType, transferSyntaxUID }: Offer,
): Promise<Answer> {
  const suffix = transferSyntaxUID === undefined ? '' : `; transfer-syntax=${transferSyntaxUID}`;
  const [firstIndex, ...others] = frameIndices;
  let first: Uint8Array | undefined;
  try {
    first = firstIndex === undefined ? new Uint8Array() : await source.frame(file, firstIndex);
    await file.assertUnchanged();
  } catch (error) {
    await file.close();
    throw notFound(error);
  }
  if (partType === undefined) {
    await file.close();
    return { status: 200, contentType: `${type}${suffix}`, pieces: [first] };
  }
  const whole = first;
  async function* parts(): AsyncGenerator<StreamedPart> {
    try {
      const contentType = `${partType ?? ''}${suffix}`;
      if (firstIndex !== undefined) yield { contentType, byteLength: whole.length, pieces: [whole] };
      for (const frameIndex of others) {
        const frame = await source.frame(file, frameIndex);
        yield { contentType, byteLength: frame.length, pieces: [frame] };
      }
      await file.assertUnchanged();
    } finally {
      await file.close();
    }
  }
  return multipart(parts(), partType);
}

function frameOffers({ transferSyntaxUID }: FrameSource, count: number): Offer[] {
  const own = frameMediaType(transferSyntaxUID);
  return [
    { type: 'multipart/related', partType: 'application/octet-stream', transferSyntaxUID },
    ...(own === undefined ? [] : [{ type: 'multipart/related', partType: own, transferSyntaxUID }]),
    ...(count === 1 ? [{ type: 'application/octet-stream', transferSyntaxUID }] : []),
  ];
}

/** One value, as a part or alone. */
function inOffer(value: Uint8Array, { type, partType }: Offer): Pick<Answer, 'contentType' | 'pieces'> {
  if (partType === undefined) return { contentType: type, pieces: [value] };
  const { contentType, body } = encodeMultipart([{ contentType: partType, body: value }], partType);
  return { contentType, pieces: body };
}

/** @throws HttpError 406 */
function choose<T extends Offer>(accepted: readonly MediaType[], offers: readonly T[]): T {
  const offer = chooseOffer(accepted, offers);
  if (offer !== undefined) return offer;
  const names = offers.map(({ type, partType }) => (partType === undefined ? type : `${type}; type="${partType}"`));
  throw new HttpError(406, `This can be had as ${names.join(' or ')}, in the transfer syntax of the file.`);
}

/** What cannot be given is not there for a client, and the reason is said. */
async function orNotFound<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw notFound(error);
  }
}

function notFound(error: unknown): unknown {
  if (isSegmentationError(error)) return new HttpError(404, `This cannot be given: ${error.message}`);
  if (error instanceof FileGoneError || (error instanceof Error && 'code' in error && 'syscall' in error))
    return gone();
  return error;
}

function gone(): HttpError {
  return new HttpError(404, 'The file is not there any more, or cannot be read.');
}

function isPartOf(instance: StoredInstance, { study, series, instance: sopInstanceUID }: Resource): boolean {
  return (
    (study === undefined || instance.studyInstanceUID === study) &&
    (series === undefined || instance.seriesInstanceUID === series) &&
    (sopInstanceUID === undefined || instance.sopInstanceUID === sopInstanceUID)
  );
}
