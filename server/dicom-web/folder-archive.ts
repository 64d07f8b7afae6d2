import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from '../http-error.ts';
import { json, send, type Answer } from './answer.ts';
import type { StoredInstance } from './known-file.ts';
import { choose, parseAccept, type MediaType, type Offer } from './media-types.ts';
import { query } from './query.ts';
import { parseResourcePath, type Resource } from './resource-path.ts';
import { createBulkRetrieval } from './retrieve-frames.ts';
import { createMetadataRetrieval, type UrlOf } from './retrieve-metadata.ts';
import { retrieveObjects } from './retrieve-objects.ts';
import { openInstanceStore } from './store.ts';
import type { StudyIndex } from './study-index.ts';

/** Answers a request below the DICOMweb root.
 * @param path what follows the root, `/studies…` */
export type DicomWebHandler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/** Where the routes lie on the server. */
export const DICOM_WEB_ROOT = '/dicom-web';

/** DICOMweb over a folder: query (QIDO-RS), retrieve (WADO-RS) and store (STOW-RS), without what is rendered.
 * @see DICOM PS3.18 chapter 10 */
export function createFolderArchive(index: StudyIndex): DicomWebHandler {
  const instanceStore = openInstanceStore(index);
  const { metadata, rows } = createMetadataRetrieval(index);
  const { frames, bulkData } = createBulkRetrieval(index);

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
      return rows(query(instances, resource, parameters, urlOf), contentType, urlOf);
    }
    const [first] = instances;
    if (first === undefined) throw new HttpError(404, 'There is nothing with these UIDs in the folder.');
    switch (resource.kind) {
      case 'metadata':
        return metadata(instances, contentType, urlOf);
      case 'frames':
        return frames(first, resource.frames, accepted);
      case 'bulkdata':
        return bulkData(first, resource.value, accepted);
      case 'objects':
        return retrieveObjects(index, instances, accepted);
    }
  }

  async function store(request: IncomingMessage, studyInstanceUID: string | undefined, urlOf: UrlOf): Promise<Answer> {
    const { status, dataset } = await instanceStore.store(request, studyInstanceUID, urlOf);
    return json(dataset, status);
  }
}

/** The address of the archive as the client has it; some clients leave the port out of Host. */
function rootOf({ headers: { host = 'localhost' }, socket: { localPort } }: IncomingMessage): string {
  const hasPort = /:\d{1,5}$/.test(host);
  return `http://${host}${hasPort || localPort === undefined ? '' : `:${localPort}`}${DICOM_WEB_ROOT}`;
}

function urlsBelow(root: string): UrlOf {
  const part = (word: string, uid: string | undefined): string =>
    uid === undefined ? '' : `/${word}/${encodeURIComponent(uid)}`;
  return (study, series, instance) =>
    `${root}${part('studies', study)}${part('series', series)}${part('instances', instance)}`;
}

const JSON_OFFERS: readonly Offer[] = [{ type: 'application/dicom+json' }, { type: 'application/json' }];

function isPartOf(instance: StoredInstance, { study, series, instance: sopInstanceUID }: Resource): boolean {
  return (
    (study === undefined || instance.studyInstanceUID === study) &&
    (series === undefined || instance.seriesInstanceUID === series) &&
    (sopInstanceUID === undefined || instance.sopInstanceUID === sopInstanceUID)
  );
}
