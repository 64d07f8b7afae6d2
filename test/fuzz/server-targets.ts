import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { mutateBytes } from '../support/mutations.ts';
import { encodePart10 } from '../support/part10.ts';
import { HttpError } from '../../server/http-error.ts';
import { dicomSeeds, mutatedFile } from './dicom-targets.ts';
import { mutateText } from './mutate-text.ts';
import { pick, type FuzzTarget } from './target.ts';
import { wholeFrame } from '../server/whole-frames.ts';

// What a request, a stored object or a PACS brings to the server.

const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
const textIn = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export const serverTargets: readonly FuzzTarget[] = [
  {
    name: 'archive-index',
    share: 20,
    async open() {
      const { readHeader } = await import('../../server/dicom-web/dicom-file.ts');
      const { inMemory } = await import('../../server/dicom-web/object-file.ts');
      const seeds = await dicomSeeds();
      return {
        make: (random) => mutatedFile(random, pick(random, seeds)),
        run: async ({ bytes }) => {
          await readHeader(inMemory(bytes));
        },
      };
    },
  },
  {
    name: 'archive-metadata',
    share: 16,
    async open() {
      const { withDataset } = await import('../../server/dicom-web/dicom-file.ts');
      const { inMemory } = await import('../../server/dicom-web/object-file.ts');
      const { bulkValue } = await import('../../server/dicom-web/bulk-value.ts');
      const { datasetToJson, valueAt } = await import('../../server/dicom-web/dataset-json.ts');
      const seeds = await dicomSeeds();
      return {
        make: (random) => mutatedFile(random, pick(random, seeds)),
        run: async ({ bytes }) => {
          const file = inMemory(bytes);
          await withDataset(file, async ({ dataset, placeOf }) => {
            const paths: string[] = [];
            JSON.stringify(
              datasetToJson(dataset, (path) => {
                paths.push(path);
                return path;
              }),
            );
            for (const path of paths.slice(0, 8)) {
              const value = valueAt(dataset, path.split('/'));
              if (value !== undefined) {
                await wholeFrame(await bulkValue(file, value, placeOf(value.bytes)), file);
              }
            }
          });
        },
      };
    },
  },
  {
    name: 'archive-frames',
    share: 14,
    async open() {
      const { inMemory } = await import('../../server/dicom-web/object-file.ts');
      const { openFrameSource } = await import('../../server/dicom-web/frame-source.ts');
      const seeds = await dicomSeeds();
      return {
        make: (random) => mutatedFile(random, pick(random, seeds)),
        run: async ({ bytes }) => {
          const file = inMemory(bytes);
          const source = await openFrameSource(file);
          // Frames beyond the count are a 404 before they are asked for.
          for (const at of new Set([0, source.count - 1])) {
            if (at >= 0 && at < source.count) await wholeFrame(source.frame(at), file);
          }
        },
      };
    },
  },
  {
    name: 'multipart',
    share: 40,
    async open() {
      const { createMultipartParser, MultipartError } = await import('../../server/dicom-web/multipart.ts');
      const type = 'multipart/related; type="application/dicom"; boundary="b0und"';
      const body = '--b0und\r\nContent-Type: application/dicom\r\n\r\nDICM one\r\n--b0und\r\n\r\ntwo\r\n--b0und--\r\n';
      return {
        make: (random) => {
          const changed = random() < 0.2 ? mutateText(type, random, ['boundary=', '"', ';', '=', ',']) : type;
          return { name: changed, bytes: mutateBytes(bytesOf(body.repeat(1 + Math.floor(random() * 3))), random) };
        },
        run: ({ name, bytes }) => {
          // The store words what the parser says as a 400.
          try {
            const parser = createMultipartParser(name);
            const step = 1 + (bytes.length % 7);
            for (let at = 0; at < bytes.length; at += step) parser.push(bytes.subarray(at, at + step));
            parser.end();
          } catch (error) {
            throw error instanceof MultipartError ? new HttpError(400, error.message) : error;
          }
        },
      };
    },
  },
  {
    name: 'queries',
    share: 60,
    async open() {
      const { parseResourcePath } = await import('../../server/dicom-web/resource-path.ts');
      const { parseQueryParameters } = await import('../../server/dicom-web/query-parameters.ts');
      const { matchesValue } = await import('../../server/dicom-web/value-matching.ts');
      const seeds = [
        '/studies?PatientName=M%C3%BCller^*&StudyDate=20200101-20201231&ModalitiesInStudy=CT,MR&limit=10&includefield=all',
        '/studies/1.2.3/series/4.5/instances/6.7/frames/1,2,3',
        '/studies/1.2/series/3/instances/4/bulkdata/00081140/1/00420011',
        '/series?00100010=*?*?*?*?&StudyTime=1200-&offset=1&fuzzymatching=true',
      ];
      const words = [
        '*',
        '?',
        '%',
        '/',
        '..',
        '&',
        '=',
        ',',
        '\\',
        '^',
        '-',
        '00100010',
        'studies',
        '9'.repeat(40),
        '"',
      ];
      return {
        make: (random) => ({ name: 'path', bytes: bytesOf(mutateText(pick(random, seeds), random, words)) }),
        run: ({ bytes }) => {
          const [path = '', query = ''] = textIn(bytes).split('?', 2);
          parseResourcePath(path.startsWith('/') ? path : `/${path}`);
          const { filters } = parseQueryParameters(new URLSearchParams(query), () => true);
          const long = 'a'.repeat(64);
          for (const { wanted } of filters) {
            for (const vr of ['LO', 'PN', 'DA', 'TM', 'UI', 'IS']) {
              for (const value of wanted) matchesValue(vr, [vr === 'PN' ? { Alphabetic: long } : long], value);
            }
          }
        },
      };
    },
  },
  {
    name: 'accept',
    share: 60,
    async open() {
      const { chooseOffer, parseAccept } = await import('../../server/dicom-web/media-types.ts');
      const seeds = [
        'multipart/related; type="application/octet-stream"; transfer-syntax=*, application/dicom+json;q=0.5, */*;q=0.1',
        'image/jpeg;q=1.0, multipart/related;type=image/jp2',
      ];
      const words = [';', ',', '=', '"', 'q=', 'q=NaN', '*/*', 'type=', '\\"', ' '];
      return {
        make: (random) => ({ name: 'accept', bytes: bytesOf(mutateText(pick(random, seeds), random, words)) }),
        run: ({ bytes }) =>
          chooseOffer(parseAccept(textIn(bytes)), [
            { type: 'multipart/related', partType: 'application/octet-stream', transferSyntaxUID: '1.2' },
            { type: 'application/octet-stream' },
          ]),
      };
    },
  },
  {
    name: 'pacs-json',
    share: 14,
    async open() {
      const { JsonDepthError, rewriteAddresses } = await import('../../server/json-addresses.ts');
      const seed = JSON.stringify([
        { '00081190': { vr: 'UR', Value: ['http://pacs/dicom-web/studies/1'] } },
        {
          '7FE00010': { vr: 'OW', BulkDataURI: 'http:\\/\\/pacs\\/dicom-web\\/studies\\/1\\/bulk' },
          a: { b: [1, 'c"\\'] },
        },
      ]);
      const words = ['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0022', 'BulkDataURI', '00081190', 'null', '1e9'];
      return {
        make: (random) => ({ name: 'json', bytes: bytesOf(mutateText(seed, random, words)) }),
        run: async ({ bytes }) => {
          const step = 1 + (bytes.length % 11);
          const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, n) =>
            bytes.subarray(n * step, (n + 1) * step),
          );
          const rewritten = Readable.from(chunks).pipe(rewriteAddresses((address) => `http://here${address.length}`));
          // The proxy answers 502 where a PACS sends what is no JSON.
          await textOf(rewritten).catch((error: unknown) => {
            throw error instanceof JsonDepthError ? new HttpError(502, error.message) : error;
          });
        },
      };
    },
  },
  {
    name: 'http',
    share: 6,
    async open() {
      const { folder, port } = await serveSeeds();
      const root = '/dicom-web/studies';
      const file = readFileSync(join(folder, '0.dcm')).toString('latin1');
      const stored = `--b0und\r\nContent-Type: application/dicom\r\n\r\n${file}\r\n--b0und--\r\n`;
      const multipart = 'multipart/related; type="application/dicom"';
      const seeds: readonly (readonly [method: string, path: string, header: string, body?: string])[] = [
        ['GET', `${root}?PatientName=*&ModalitiesInStudy=CT,MR&includefield=all&limit=3`, 'Accept: */*'],
        ['GET', `${root}/${STUDY}/metadata`, 'Accept: application/dicom+json'],
        ['HEAD', `${root}/${STUDY}`, `Accept: ${multipart}; transfer-syntax=*`],
        ['GET', `${root}/${STUDY}/series/1.2.3.4/instances/1.2.3.0/frames/1,2`, 'Accept: */*'],
        ['GET', `${root}/${STUDY}/series/1.2.3.4/instances/1.2.3.0/bulkdata/7FE00010`, 'Range: bytes=0-1'],
        ['GET', '/slicewise/models/index.json', 'Sec-Fetch-Site: same-origin'],
        ['POST', root, `Content-Type: ${multipart}; boundary=b0und`, stored],
      ];
      const words = ['..', '//', '%00', '%', ' ', ';', ',', '"', '0', '-1', 'includefield', 'studies', '\r\n'];
      return {
        make: (random) => {
          const [method, path, header, body] = pick(random, seeds);
          const changed = (text: string, often: number): string =>
            random() < often ? mutateText(text, random, words) : text;
          // Of what Node itself reads of a request little is changed: it is what lies behind that is looked at.
          const head = `${changed(method, 0.02)} ${changed(path, 0.5)} HTTP/1.1\r\nHost: localhost:${port}`;
          const sent = body === undefined ? '' : Buffer.from(mutateBytes(Buffer.from(body, 'latin1'), random));
          const length = body === undefined ? '' : `\r\nContent-Length: ${sent.length}`;
          const lines = `${head}${length}\r\nConnection: close\r\n${changed(header, 0.3)}\r\n\r\n`;
          return { name: 'request', bytes: Buffer.concat([Buffer.from(lines, 'latin1'), Buffer.from(sent)]) };
        },
        run: async ({ bytes }) => {
          const status = await statusOf(port, bytes);
          if (status === 500) throw new Error('the server has no answer');
          // A request that is none, or breaks off, is not answered.
          if (status === undefined || status >= 400) throw new HttpError(status ?? 400, 'refused');
        },
      };
    },
  },
];

const STUDY = '1.2.3';

/** The server over a few files, in this process. */
async function serveSeeds(): Promise<{ readonly folder: string; readonly port: number }> {
  const { createFolderArchive } = await import('../../server/dicom-web/folder-archive.ts');
  const { openStudyIndex } = await import('../../server/dicom-web/study-index.ts');
  const { createSlicewiseServer } = await import('../../server/server.ts');
  const folder = mkdtempSync(join(tmpdir(), 'slicewise-fuzz-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true });
  });
  const data = join(folder, 'data');
  for (const name of ['data', 'ohif', 'extension']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'ohif', 'index.html'), '<!doctype html>');
  writeFileSync(join(folder, 'extension', 'build-manifest.json'), '[]');
  writeFileSync(join(folder, 'extension', 'without-eval.js'), '');
  const image = { Rows: 2, Columns: 2, BitsAllocated: 8, SamplesPerPixel: 1, NumberOfFrames: '2' };
  for (const n of [0, 1]) {
    const uids = { SOPInstanceUID: `1.2.3.${n}`, StudyInstanceUID: STUDY, SeriesInstanceUID: '1.2.3.4' };
    const pixels = { ...image, PixelData: new Uint8Array(8) };
    writeFileSync(
      join(data, `${n}.dcm`),
      encodePart10({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.7', ...uids, ...pixels }),
    );
  }
  const server = createSlicewiseServer({
    ohif: join(folder, 'ohif'),
    extension: join(folder, 'extension'),
    models: new Map(),
    dicomWeb: createFolderArchive(await openStudyIndex(data)),
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return { folder: data, port: (server.address() as AddressInfo).port };
}

/** Sends bytes, and nothing behind them.
 * @returns undefined if the connection is closed without an answer */
function statusOf(port: number, bytes: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let head = '';
    socket.on('data', (chunk: Buffer) => (head += head.length < 20 ? chunk.toString('latin1') : ''));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
      resolve(status === undefined ? undefined : Number(status));
    });
    socket.on('end', () => socket.end());
    // A server that waits for the rest of a request is told that there is none; one that answers would be cut off by that.
    socket.setTimeout(250, () => socket.end());
    socket.write(bytes);
  });
}
