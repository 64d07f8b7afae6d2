import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { buildExtension } from '../../server/build-extension.ts';
import { createFolderArchive, type DicomWebHandler } from '../../server/dicom-web/folder-archive.ts';
import { parseMultipart } from '../../server/dicom-web/multipart.ts';
import { openStudyIndex } from '../../server/dicom-web/study-index.ts';
import { openOhifApp } from '../../server/ohif-app.ts';
import { startOrthanc } from '../../server/orthanc.ts';
import { createPacsProxy } from '../../server/pacs-proxy.ts';
import { createSlicewiseServer } from '../../server/server.ts';
import { checkout } from '../e2e/run-cli.ts';
import { tinyModelFolder } from '../support/models.ts';

export type ArchiveKind = 'folder' | 'orthanc';

export interface ServedOhifOptions {
  /** Folders of DICOM files; they are copied, and the copy is what is served and stored into. */
  readonly data: readonly string[];
  readonly archive?: ArchiveKind;
  /** More model folders, by id. */
  readonly models?: ReadonlyMap<string, string>;
  /** JavaScript that runs before our worker's own. */
  readonly workerPrelude?: string;
  /** Let our worker take the graphics card that the browser imitates for a real one. */
  readonly acceptSoftwareAdapter?: boolean;
  /** Guards the archive, as `npm start` does over data of somebody. */
  readonly token?: string;
  /** Sees each DICOMweb request first; true if it has answered it. */
  readonly intercept?: (...request: Parameters<DicomWebHandler>) => boolean;
}

/** What `npm start` serves, on a free port, over a copy of some data. */
export interface ServedOhif {
  /** Without a slash at the end. */
  readonly url: string;
  /** The copy of the data: where a folder archive stores. */
  readonly folder: string;
  readonly close: () => Promise<void>;
}

export async function serveOhif(options: ServedOhifOptions): Promise<ServedOhif> {
  const { workerPrelude, acceptSoftwareAdapter: allowSoftwareAdapter = false } = options;
  const folder = mkdtempSync(join(tmpdir(), 'slicewise-ohif-'));
  for (const [at, source] of options.data.entries())
    cpSync(source, join(folder, 'data', String(at)), { recursive: true });
  const silent = (): void => undefined;
  const ohif = await openOhifApp(silent);
  const built = await buildExtension(silent);
  const { dicomWeb, stop } = await openArchive(options.archive ?? 'folder', folder);
  const server = createSlicewiseServer({
    ohif,
    extension: workerPrelude === undefined ? built : withWorkerPrelude(built, folder, workerPrelude),
    settings: { allowSoftwareAdapter },
    ...(options.token !== undefined && { token: options.token }),
    models: new Map([
      ['cardiac-mr', join(checkout, 'models/cardiac-mr')],
      ['tiny-heart', tinyModelFolder],
      ...(options.models ?? []),
    ]),
    dicomWeb: async (...request) => {
      if (options.intercept?.(...request) !== true) await dicomWeb(...request);
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    url: `http://localhost:${address.port}`,
    folder: join(folder, 'data'),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The UIDs of the studies in the archive. */
export async function fetchStudies(url: string): Promise<string[]> {
  return (await query(url, '/studies')).map((row) => uidOf(row, '0020000D'));
}

/** The file of the only segmentation of a study. */
export async function storedSegmentation(url: string, study: string): Promise<Uint8Array> {
  const series = (await query(url, `/studies/${study}/series`)).filter((row) => row['00080060']?.Value?.[0] === 'SEG');
  const [only, ...more] = series.map((row) => uidOf(row, '0020000E'));
  if (only === undefined || more.length > 0) throw new Error(`the study has ${series.length} segmentations, not one`);
  const path = `/studies/${study}/series/${only}/instances`;
  const [instance] = (await query(url, path)).map((row) => uidOf(row, '00080018'));
  const answer = await fetch(`${url}/dicom-web${path}/${instance ?? ''}`, {
    headers: { accept: 'multipart/related; type="application/dicom"' },
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const [part] = parseMultipart(answer.headers.get('content-type') ?? '', bytes);
  if (part === undefined) throw new Error('the answer has no part');
  return part.body;
}

const rowsSchema = z.array(z.record(z.string(), z.object({ Value: z.array(z.unknown()).optional() })));
type Row = z.infer<typeof rowsSchema>[number];

async function query(url: string, path: string): Promise<Row[]> {
  const answer = await fetch(`${url}/dicom-web${path}`, { headers: { accept: 'application/dicom+json' } });
  return rowsSchema.parse(await answer.json());
}

function uidOf(row: Row, tag: string): string {
  return z.string().parse(row[tag]?.Value?.[0]);
}

async function openArchive(
  kind: ArchiveKind,
  folder: string,
): Promise<{ readonly dicomWeb: DicomWebHandler; readonly stop: () => Promise<void> }> {
  const data = join(folder, 'data');
  if (kind === 'folder') {
    return { dicomWeb: createFolderArchive(await openStudyIndex(data)), stop: () => Promise.resolve() };
  }
  const orthanc = await startOrthanc(join(folder, 'orthanc'), [data]);
  return { dicomWeb: createPacsProxy(orthanc.pacs), stop: orthanc.stop };
}

/** A copy of the built extension whose worker runs some code of the test first. */
function withWorkerPrelude(built: string, folder: string, prelude: string): string {
  const copy = join(folder, 'extension');
  cpSync(built, copy, { recursive: true });
  const assets = join(copy, 'assets');
  const workers = readdirSync(assets).filter((name) => /^worker-[^.]+\.js$/.test(name));
  if (workers.length !== 1) throw new Error(`the build has ${workers.length} files named worker-….js, not one`);
  for (const name of workers) {
    writeFileSync(join(assets, name), `${prelude}\n${readFileSync(join(assets, name), 'utf8')}`);
  }
  return copy;
}
