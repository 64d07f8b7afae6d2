import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import dcmjs from 'dcmjs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart, type ShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomPhase } from '../../sample-data/write-dicom.ts';
import { textOf } from '../../server/dicom-web/dicom-json.ts';
import { encodeMultipart, parseMultipart } from '../../server/dicom-web/multipart.ts';
import { ask, serveFolder, temporaryFolder, type Answer } from './served.ts';
import { startCpuClock } from '../support/cpu-clock.ts';

const FRAMES = 'multipart/related; type=application/octet-stream; transfer-syntax=*';
const PART_10 = 'multipart/related; type="application/dicom"';
/** What OHIF puts behind each query. */
const OHIF_QUERY = 'limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060,00080090,00100030';

let hearts: readonly ShortAxisHeart[];
let folder: string;
let port: number;
beforeAll(() => {
  hearts = [1, 2].map((seed) =>
    createShortAxisHeart({ seed, size: 16, slices: 3, phases: 1, supersampling: [1, 1, 1] }),
  );
});
beforeEach(async () => {
  folder = temporaryFolder();
  for (const [at, heart] of hearts.entries()) await writeDicomPhase(join(folder, `patient ${at}`), heart, 0);
  writeFileSync(join(folder, 'notes.txt'), 'no DICOM');
  writeFileSync(join(folder, 'cut.dcm'), fileOf(hearts[0], 0).subarray(0, 300));
  port = await serveFolder(folder);
});

type Row = Readonly<
  Record<string, { readonly vr: string; readonly Value?: readonly unknown[]; readonly BulkDataURI?: string }>
>;

async function rows(path: string): Promise<Row[]> {
  const { status, headers, body } = await ask(port, `/dicom-web${path}`);
  expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/dicom+json' });
  return JSON.parse(body.toString()) as Row[];
}

const value = (row: Row | undefined, tag: string): unknown => row?.[tag]?.Value?.[0];
const uids = (found: readonly Row[], tag: string): unknown[] => found.map((row) => value(row, tag));

function fileOf(heart: ShortAxisHeart | undefined, k: number): Uint8Array {
  const file = heart === undefined ? undefined : encodeDicomPhase(heart, 0)[k];
  if (file === undefined) throw new RangeError(`there is no file ${k}`);
  return file.bytes;
}

async function firstStudy(): Promise<{ study: unknown; series: unknown; metadata: Row[] }> {
  const [row] = await rows(`/studies?00100020=SYNTHETIC-1`);
  const study = value(row, '0020000D');
  const [series] = uids(await rows(`/studies/${String(study)}/series`), '0020000E');
  const metadata = await rows(`/studies/${String(study)}/series/${String(series)}/metadata`);
  return { study, series, metadata };
}

function store(files: readonly Uint8Array[], path = '/studies'): Promise<Answer> {
  const { contentType, body } = encodeMultipart(
    files.map((file) => ({ contentType: 'application/dicom', body: file })),
    'application/dicom',
  );
  return ask(port, `/dicom-web${path}`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: Buffer.concat(body),
  });
}

/** The same instance under another UID of the same length. */
function renamed(file: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(file).toString('latin1').replaceAll(from, to);
  return Buffer.from(text, 'latin1');
}

describe('a query', () => {
  test('lists the studies with what a work list shows; what is no DICOM file is left out', async () => {
    const found = await rows(`/studies?${OHIF_QUERY}`);
    expect(found).toHaveLength(2);
    const [row] = found;
    expect(Object.keys(row ?? {})).toEqual(
      expect.arrayContaining(
        '00080020 00080030 00080050 00080061 00081030 00100010 00100020 00100030 00100040 0020000D 00200010 00201206 00201208'.split(
          ' ',
        ),
      ),
    );
    expect(row).toMatchObject({
      '00080061': { vr: 'CS', Value: ['MR'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Synthetic^Heart' }] },
      '00201206': { vr: 'IS', Value: [1] },
      '00201208': { vr: 'IS', Value: [3] },
    });
    expect(row?.['00080050']).toEqual({ vr: 'SH' });
  });

  // The hearts: Synthetic^Heart, SYNTHETIC-1 and -2, 2024-02-29 at 12:00:00, MR, female.
  test.each([
    ['00100020=SYNTHETIC-2', 1],
    ['PatientID=synthetic-*', 2],
    ['00100010=*heart*', 2],
    ['PatientName=Synthetic%5EHear?', 2],
    ['PatientName=Synthetic%5EHeart%5E%5E%5E', 2],
    ['PatientName=Synthetic%5E*', 2],
    ['PatientName=Synthetic%5EHeart%3D', 2],
    ['PatientName=%3DSynthetic*', 0],
    ['PatientName=Heart', 0],
    ['00100020=SYNTHETIC.2', 0],
    ['PatientID=SYNTHETIC-1%5CSYNTHETIC-2', 2],
    ['PatientID=SYNTHETIC-1,SYNTHETIC-2', 0],
    ['00080020=20240101-20241231', 2],
    ['StudyDate=20240301-', 0],
    ['StudyDate=-20240229', 2],
    ['StudyDate=20240229', 2],
    ['StudyDate=2024.02.29', 2],
    ['StudyDate=2024-02-29', 2],
    ['StudyDate=2024-02-01-2024-03-01', 2],
    ['StudyDate=2024-03-01-', 0],
    ['StudyDate=2024', 2],
    ['StudyDate=202403', 0],
    ['ModalitiesInStudy=CT', 0],
    ['ModalitiesInStudy=CT,MR', 2],
    ['ModalitiesInStudy=CT%5CMR', 2],
    ['00080061=mr', 2],
    ['Modality=MR', 2],
    ['Modality=CT', 0],
    ['SeriesNumber=5', 2],
    ['SeriesNumber=05', 2],
    ['SeriesNumber=6', 0],
    ['NumberOfStudyRelatedInstances=3', 2],
    ['PatientBirthDate=18000101', 0],
    ['PatientSex=Z', 0],
    ['00100040=Z', 0],
    ['SeriesInstanceUID=1.2.3', 0],
    ['SOPInstanceUID=1.2.3', 0],
    ['BodyPartExamined=KNEE', 0],
    ['AccessionNumber=*', 2],
    ['AccessionNumber=%22%22', 2],
    ['PatientID=%22%22', 0],
    ['PatientName=', 2],
    ['unknown=1', 2],
    ['limit=1', 1],
    ['offset=1', 1],
    ['limit=5&offset=2', 0],
    ['limit=-1', 2],
  ])('by %s finds %i studies', async (query, count) => {
    expect(await rows(`/studies?${query}`)).toHaveLength(count);
  });

  test('by any key that a row returns finds that row, by keyword and by tag', async () => {
    const [row] = await rows('/studies?PatientID=SYNTHETIC-1');
    const filled = Object.entries(row ?? {}).filter(([tag, { Value }]) => Value !== undefined && tag !== '00081190');
    expect(filled.length).toBeGreaterThan(8);
    for (const [tag] of filled) {
      const text = textOf(row ?? {}, tag) ?? '';
      const [keyword = ''] =
        Object.entries(dcmjs.data.DicomMetaDictionary.nameMap).find(
          ([, entry]) => entry?.tag === `(${tag.slice(0, 4)},${tag.slice(4)})`,
        ) ?? [];
      for (const key of [tag, tag.toLowerCase(), keyword]) {
        const found = await ask(port, `/dicom-web/studies?PatientID=SYNTHETIC-1&${key}=${encodeURIComponent(text)}`);
        expect({ key, rows: JSON.parse(found.body.toString()) as unknown }).toEqual({ key, rows: [row] });
        expect(found.headers.warning).toBeUndefined();
      }
    }
  });

  test.each([
    ['studies?unknown=1', 'unknown is not a key here'],
    ['studies?StationName=x', 'StationName is not a key here'],
    ['studies?fuzzymatching=true', 'only literal matching'],
    ['studies?limit=x', 'limit is not a whole number'],
    ['studies?limit=1', '1 additional results'],
    ['studies?includefield=nothing', 'nothing is not an attribute'],
    ['studies?%0d%0aX-Evil:%201=1', 'a parameter is not a key'],
  ])('%s is answered with a warning of what is ignored', async (path, text) => {
    const { status, headers } = await ask(port, `/dicom-web/${path}`);
    expect({ status, warning: headers.warning }).toEqual({
      status: 200,
      warning: expect.stringMatching(/^299 Slicewise "/) as string,
    });
    expect(headers.warning).toContain(text);
  });

  test('includes the fields that are asked for, also those that the index does not keep', async () => {
    const [row] = await rows('/studies?limit=1&includefield=PatientWeight&includefield=00080070,00180050');
    expect(row?.['00180050']).toMatchObject({ vr: 'DS' });
    const [series] = await rows(`/series?limit=1&includefield=PatientName`);
    expect(value(series, '00100010')).toEqual({ Alphabetic: 'Synthetic^Heart' });
  });

  test('at every level gives what the level holds, and an address that answers', async () => {
    const { study, series } = await firstStudy();
    const below = `/studies/${String(study)}`;
    for (const [path, count] of [
      ['/series', 2],
      ['/instances', 6],
      [`${below}/series`, 1],
      [`${below}/instances`, 3],
      [`${below}/series/${String(series)}/instances`, 3],
      ['/studies/1.2.3/series', 0],
      ['/studies/1.2.3/instances', 0],
      [`${below}/series/1.2.3/instances`, 0],
      ['/instances?PatientID=SYNTHETIC-2', 3],
      ['/series?Modality=CT,MR', 2],
    ] as const) {
      const found = await rows(path);
      expect({ path, count: found.length }).toEqual({ path, count });
      const [first] = found;
      if (first === undefined) continue;
      const url = new URL(String(value(first, '00081190'))).pathname;
      expect((await ask(port, `${url}/metadata`)).status).toBe(200);
    }
  });

  test('of twelve stars and question marks against a long text is answered at once', async () => {
    const cpuMs = startCpuClock();
    expect(await rows(`/studies?StudyDescription=${'*%3F'.repeat(12)}%21`)).toHaveLength(0);
    expect(cpuMs()).toBeLessThan(1000);
  });

  test('by several UIDs finds each', async () => {
    const [one, other] = uids(await rows('/studies'), '0020000D');
    expect(await rows(`/studies?StudyInstanceUID=${String(one)}`)).toHaveLength(1);
    expect(await rows(`/studies?0020000D=${String(one)},${String(other)}`)).toHaveLength(2);
    expect(await rows('/studies?StudyInstanceUID=1.2.3')).toHaveLength(0);
  });

  test('for series and instances counts and names them', async () => {
    const { study, series } = await firstStudy();
    const [row] = await rows(`/studies/${String(study)}/series?includefield=00080021`);
    expect(row).toMatchObject({
      '00080060': { Value: ['MR'] },
      '00200011': { Value: [5] },
      '00201209': { Value: [3] },
    });
    const instances = await rows(`/studies/${String(study)}/series/${String(series)}/instances`);
    expect(new Set(uids(instances, '00080018')).size).toBe(3);
  });

  test('sees files that came and went while it runs', async () => {
    const path = join(folder, 'new.dcm');
    writeFileSync(path, renamed(renamed(fileOf(hearts[0], 0), '2.25.', '2.26.'), 'SYNTHETIC-1', 'SYNTHETIC-7'));
    expect(await rows('/studies?PatientID=SYNTHETIC-7')).toHaveLength(1);
    rmSync(path);
    expect(await rows('/studies?PatientID=SYNTHETIC-7')).toHaveLength(0);
  });
});

describe('what is retrieved', () => {
  test('metadata have every attribute, pixels by their address and numbers as numbers', async () => {
    const { metadata } = await firstStudy();
    expect(metadata).toHaveLength(3);
    const [first] = metadata;
    const pixels = await ask(port, new URL(String(first?.['7FE00010']?.BulkDataURI)).pathname);
    const [part] = parseMultipart(String(pixels.headers['content-type']), pixels.body);
    expect(part?.body).toHaveLength(16 * 16 * 2);
    expect(first).toMatchObject({
      '00280010': { vr: 'US', Value: [16] },
      '00280030': { vr: 'DS', Value: [22.4, 22.4] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Synthetic^Heart' }] },
    });
    for (const row of metadata)
      for (const { vr, Value } of Object.values(row)) {
        if (vr === 'IS' || vr === 'DS') expect(Value?.every((each) => typeof each === 'number') ?? true).toBe(true);
      }
  });

  test('a frame has the bytes of the file, and says its transfer syntax', async () => {
    const { study, series, metadata } = await firstStudy();
    const voxels = hearts[0]?.phases[0]?.voxels ?? new Uint16Array();
    const seen = new Set<string>();
    for (const row of metadata) {
      const path = `/dicom-web/studies/${String(study)}/series/${String(series)}/instances/${String(value(row, '00080018'))}/frames/1`;
      const { status, headers, body } = await ask(port, path, { headers: { accept: FRAMES } });
      expect(status).toBe(200);
      const [part] = parseMultipart(String(headers['content-type']), body);
      expect(part?.contentType).toBe('application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1');
      seen.add(Buffer.from(part?.body ?? []).toString('hex'));
    }
    const expected = [0, 1, 2].map((k) => Buffer.from(voxels.buffer, k * 512, 512).toString('hex'));
    expect([...seen].sort()).toEqual(expected.sort());
  });

  test('an instance is its file, as a part or alone', async () => {
    const { study, series, metadata } = await firstStudy();
    const uid = String(value(metadata[0], '00080018'));
    const path = `/dicom-web/studies/${String(study)}/series/${String(series)}/instances/${uid}`;
    const files = readdirSync(join(folder, 'patient 0')).map((name) => readFileSync(join(folder, 'patient 0', name)));
    const multipart = await ask(port, path, { headers: { accept: PART_10 } });
    const [part] = parseMultipart(String(multipart.headers['content-type']), multipart.body);
    expect(files.some((file) => file.equals(part?.body ?? new Uint8Array()))).toBe(true);
    const alone = await ask(port, path, { headers: { accept: 'application/dicom' } });
    expect(alone.headers['content-type']).toBe('application/dicom');
    expect(alone.body.equals(part?.body ?? new Uint8Array())).toBe(true);
  });

  test.each([
    ['/studies/1.2.3/series/4/metadata', 404],
    ['/studies/../../etc/passwd', 404],
    ['/studies/%2e%2e/metadata', 404],
    ['/studies/1.2.3/series/x', 404],
    ['/studies/%', 400],
    ['/studies?StudyDate=yesterday', 400],
    ['/studies?StudyTime=2x-', 400],
    ['/studies/1.2.3/rendered', 404],
    ['/studies/1.2.3/series/4/instances/5/bulkdata', 404],
    ['/studies/1.2.3/series/4/instances/5/bulkdata/pixels', 404],
    ['/', 404],
    ['', 404],
  ])('%s is answered with %i and words', async (path, status) => {
    const answer = await ask(port, `/dicom-web${path}`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(answer.body.toString()).toMatch(/\w+ \w+.*\.\n$/);
  });

  test.each([
    ['studies', 'application/dicom+json', 200],
    ['studies', 'application/json', 200],
    ['studies', 'text/html, */*;q=0.1', 200],
    ['studies', 'application/dicom+xml', 406],
    ['studies', 'multipart/related; type="application/dicom+xml"', 406],
    ['metadata', 'multipart/related; type="application/dicom+xml"', 406],
    ['frames/1', 'multipart/related; type=application/octet-stream; transfer-syntax=*', 200],
    ['frames/1', 'multipart/related; type="application/octet-stream"', 200],
    ['frames/1', 'application/octet-stream', 200],
    ['frames/1', '*/*', 200],
    ['frames/1', 'multipart/related; type="image/jpeg"', 406],
    ['frames/1', 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.4.50', 406],
    ['frames/1', 'image/png', 406],
    ['', 'application/zip', 406],
    ['', 'application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80', 406],
    ['', 'application/dicom', 200],
    ['bulkdata/7FE00010', 'application/pdf', 406],
    ['bulkdata/00100011', '*/*', 404],
    ['bulkdata/00089999/1/7FE00010', '*/*', 404],
  ])('%s as %s is answered with %i', async (path, accept, status) => {
    const { study, series, metadata } = await firstStudy();
    const instance = `studies/${String(study)}/series/${String(series)}/instances/${String(value(metadata[0], '00080018'))}`;
    const at = path === 'studies' ? path : `${instance}/${path}`;
    expect((await ask(port, `/dicom-web/${at}`, { headers: { accept } })).status).toBe(status);
    const parameter = await ask(port, `/dicom-web/${at}?accept=${encodeURIComponent(accept)}`);
    expect(parameter.status).toBe(status);
  });

  test.each(['2', '1,2', '0', '-1', 'x', '1'.repeat(20)])(
    'frame %s of a single-frame instance is refused',
    async (frame) => {
      const { study, series, metadata } = await firstStudy();
      const uid = String(value(metadata[0], '00080018'));
      const path = `/dicom-web/studies/${String(study)}/series/${String(series)}/instances/${uid}/frames/${frame}`;
      expect([400, 404]).toContain((await ask(port, path)).status);
    },
  );
});

describe('what is stored', () => {
  const extra = (): Uint8Array =>
    renamed(renamed(fileOf(hearts[0], 0), '2.25.', '2.26.'), 'SYNTHETIC-1', 'SYNTHETIC-7');

  test('is a file of its own, is found at once and comes back as it was', async () => {
    const { status, body } = await store([extra()]);
    expect(status).toBe(200);
    const answer = JSON.parse(body.toString()) as Row;
    const [reference] = (answer['00081199']?.Value ?? []) as Row[];
    const uid = String(value(reference, '00081155'));
    expect(readdirSync(join(folder, 'stored'))).toEqual([`${uid}.dcm`]);
    expect(readFileSync(join(folder, 'stored', `${uid}.dcm`)).equals(extra())).toBe(true);
    expect(await rows('/studies?PatientID=SYNTHETIC-7')).toHaveLength(1);
    const url = new URL(String(value(reference, '00081190')));
    const back = await ask(port, url.pathname, { headers: { accept: 'application/dicom' } });
    expect(back.body.equals(extra())).toBe(true);
  });

  test('twice is stored once; with other content under its UID it is refused and nothing is replaced', async () => {
    expect((await store([extra()])).status).toBe(200);
    const [name = ''] = readdirSync(join(folder, 'stored'));
    const { mtimeMs } = statSync(join(folder, 'stored', name));
    expect((await store([extra()])).status).toBe(200);
    const { status, body } = await store([renamed(extra(), 'Synthetic^Heart', 'Synthetic^Other')]);
    expect(status).toBe(409);
    const [failure] = ((JSON.parse(body.toString()) as Row)['00081198']?.Value ?? []) as Row[];
    expect(value(failure, '00081197')).toBe(0x0111);
    expect(statSync(join(folder, 'stored', name)).mtimeMs).toBe(mtimeMs);
    expect(readFileSync(join(folder, 'stored', name)).equals(extra())).toBe(true);
  });

  test('an image that was there before is not replaced either', async () => {
    expect((await store([renamed(fileOf(hearts[0], 0), 'Synthetic^Heart', 'Synthetic^Other')])).status).toBe(409);
  });

  test('one good instance among bad ones is stored, and the answer says which were not', async () => {
    const { status, body } = await store([Buffer.from('no DICOM'), extra()]);
    expect(status).toBe(202);
    const answer = JSON.parse(body.toString()) as Row;
    expect(answer['00081198']?.Value).toHaveLength(1);
    expect(answer['00081199']?.Value).toHaveLength(1);
  });

  test('a UID that is a path is refused', async () => {
    const [uid = ''] = /2\.26\.\d+/.exec(Buffer.from(extra()).toString('latin1')) ?? [];
    expect((await store([renamed(extra(), uid, '../../../evil'.padEnd(uid.length, '/'))])).status).toBe(409);
    expect(readdirSync(folder).sort()).toEqual(['cut.dcm', 'notes.txt', 'patient 0', 'patient 1']);
  });

  test('into another study than its own is refused', async () => {
    const { study } = await firstStudy();
    expect((await store([extra()], `/studies/${String(study)}`)).status).toBe(409);
  });

  test.each([
    ['no multipart message', { 'content-type': 'application/dicom' }, 415],
    ['parts of another kind', { 'content-type': 'multipart/related; type="application/dicom+json"; boundary=b' }, 415],
    ['no boundary', { 'content-type': 'multipart/related; type="application/dicom"' }, 400],
    ['an end that is missing', { 'content-type': 'multipart/related; type="application/dicom"; boundary=b' }, 400],
    [
      'more bytes than are taken',
      { 'content-type': 'multipart/related; type="application/dicom"; boundary=b', 'content-length': '99999999999' },
      413,
    ],
  ])('a request with %s is refused', async (_, headers, status) => {
    const body = 'content-length' in headers ? {} : { body: Buffer.from('--b\r\n\r\nx') };
    const answer = await ask(port, '/dicom-web/studies', { method: 'POST', headers, ...body });
    expect(answer.status).toBe(status);
    expect(readdirSync(folder)).not.toContain('stored');
  });

  test.each(['DELETE', 'PUT', 'PATCH'])('%s changes nothing', async (method) => {
    const { study } = await firstStudy();
    const answer = await ask(port, `/dicom-web/studies/${String(study)}`, { method });
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, POST' } });
    expect(await rows('/studies')).toHaveLength(2);
  });
});
