import { text as textOf } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { mutateBytes } from '../support/mutations.ts';
import { dicomSeeds, mutatedFile } from './dicom-targets.ts';
import { mutateText } from './mutate-text.ts';
import { pick, type FuzzTarget } from './target.ts';

// What a request, a stored object or a PACS brings to the server.

const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
const textIn = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export const serverTargets: readonly FuzzTarget[] = [
  {
    name: 'archive-index',
    share: 20,
    async open() {
      const { inMemory, readHeader } = await import('../../server/dicom-web/dicom-file.ts');
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
      const { inMemory, readDataset } = await import('../../server/dicom-web/dicom-file.ts');
      const { datasetToJson, valueAt } = await import('../../server/dicom-web/dataset-json.ts');
      const seeds = await dicomSeeds();
      return {
        make: (random) => mutatedFile(random, pick(random, seeds)),
        run: async ({ bytes }) => {
          const { dataset } = await readDataset(inMemory(bytes));
          const paths: string[] = [];
          JSON.stringify(
            datasetToJson(dataset, (path) => {
              paths.push(path);
              return path;
            }),
          );
          for (const path of paths.slice(0, 8)) valueAt(dataset, path.split('/'));
        },
      };
    },
  },
  {
    name: 'archive-frames',
    share: 14,
    async open() {
      const { inMemory } = await import('../../server/dicom-web/dicom-file.ts');
      const { openFrames } = await import('../../server/dicom-web/frame-source.ts');
      const seeds = await dicomSeeds();
      return {
        make: (random) => mutatedFile(random, pick(random, seeds)),
        run: async ({ bytes }) => {
          const file = inMemory(bytes);
          const source = await openFrames(file);
          // Frames beyond the count are a 404 before they are asked for.
          for (const at of new Set([0, source.count - 1]))
            if (at >= 0 && at < source.count) await source.frame(file, at);
        },
      };
    },
  },
  {
    name: 'multipart',
    share: 40,
    async open() {
      const { createMultipartParser } = await import('../../server/dicom-web/multipart.ts');
      const { HttpError } = await import('../../server/http-error.ts');
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
            if (error instanceof Error && Object.getPrototypeOf(error) === Error.prototype)
              throw new HttpError(400, error.message);
            throw error;
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
      const { rewriteAddresses } = await import('../../server/json-addresses.ts');
      const { HttpError } = await import('../../server/http-error.ts');
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
            if (error instanceof Error && Object.getPrototypeOf(error) === Error.prototype)
              throw new HttpError(502, error.message);
            throw error;
          });
        },
      };
    },
  },
];
