import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, BrowserContext } from 'playwright';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createFolderArchive } from '../../server/dicom-web/folder-archive.ts';
import { encodeMultipart } from '../../server/dicom-web/multipart.ts';
import { openStudyIndex } from '../../server/dicom-web/study-index.ts';
import { startOrthanc } from '../../server/orthanc.ts';
import { createPacsProxy } from '../../server/pacs-proxy.ts';
import { createSlicewiseHandler } from '../../server/server.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomPhase } from '../../sample-data/write-dicom.ts';
import { listen, serveStandIns, temporaryFolder } from '../server/served.ts';
import { describeWithProgram } from '../support/python.ts';
import { runVectors } from './attack-vectors.ts';
import { launchChromium } from './chromium.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly vector: string;
  readonly destination: string;
  readonly site: string;
  readonly status: number;
}

const CONTROL_PAGE = '/control-page';
const REDIRECT = '/redirect?to=';
/** Without a header but a type: such a page may do whatever its origin may. */
const PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>a page</title><body>';
let asked: Asked[] = [];
let askedOfPacs = 0;
let folder: string;
let instance: { readonly contentType: string; readonly body: string };
let browser: Browser;
let context: BrowserContext;
let otherPort: number;
const ports = { folder: 0, pacs: 0 };

beforeAll(async () => {
  folder = temporaryFolder();
  const size = { size: 16, slices: 2, phases: 1, supersampling: [1, 1, 1] as const };
  const [first, second] = encodeDicomPhase(createShortAxisHeart(size), 0).map(({ bytes }) => bytes);
  mkdirSync(join(folder, 'heart'));
  writeFileSync(join(folder, 'heart/0.dcm'), first ?? '');
  const message = encodeMultipart(
    [{ contentType: 'application/dicom', body: second ?? new Uint8Array() }],
    'application/dicom',
  );
  instance = { contentType: message.contentType, body: Buffer.concat(message.body).toString('latin1') };

  const pacs = await listen((_, response) => {
    askedOfPacs += 1;
    response
      .writeHead(200, { 'content-type': 'application/dicom+json' })
      .end('[{"00100020":{"vr":"LO","Value":["SYNTHETIC"]}}]');
  });
  ports.folder = await serve(createFolderArchive(await openStudyIndex(folder)));
  ports.pacs = await serve(
    createPacsProxy({ root: new URL(`http://127.0.0.1:${pacs}/dicom-web`), authorization: 'Basic x' }),
  );
  otherPort = await listen((request, response) => {
    if (!sendPage(request, response)) response.writeHead(404).end();
  });
  browser = await launchChromium();
});
afterAll(() => browser.close());

beforeEach(async () => {
  asked = [];
  askedOfPacs = 0;
  context = await browser.newContext();
  return () => context.close();
});

/** What `npm start` answers, watched; beside it a page of the same origin that may do everything. */
async function serve(dicomWeb: Parameters<typeof serveStandIns>[0]): Promise<number> {
  const standIns = await serveStandIns(dicomWeb);
  const handler = createSlicewiseHandler({
    ohif: join(standIns.folder, 'ohif'),
    extension: join(standIns.folder, 'extension'),
    models: new Map([['heart', join(standIns.folder, 'models/heart')]]),
    dicomWeb,
  });
  return listen((request, response) => {
    if (sendPage(request, response)) return;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    response.on('close', () => {
      asked.push({
        method: request.method ?? '',
        path: pathname,
        vector: searchParams.get('v') ?? '',
        destination: String(request.headers['sec-fetch-dest']),
        site: String(request.headers['sec-fetch-site']),
        status: response.statusCode,
      });
    });
    handler(request, response);
  });
}

function sendPage({ url = '' }: IncomingMessage, response: ServerResponse): boolean {
  const type = { 'content-type': 'text/html' };
  if (url.startsWith(REDIRECT)) {
    const [, to = '', keep] = /to=([^&]*)(&keep)?/.exec(url) ?? [];
    response.writeHead(keep === undefined ? 302 : 307, { location: decodeURIComponent(to) }).end();
  } else if (url.startsWith(CONTROL_PAGE)) response.writeHead(200, type).end(PAGE);
  else if (url.startsWith('/sandboxed')) {
    response
      .writeHead(200, { ...type, 'content-security-policy': 'sandbox allow-scripts allow-forms allow-popups' })
      .end(PAGE);
  } else return false;
  return true;
}

const TARGETS = ['/dicom-web/studies', '/slicewise/models/heart/manifest.json', '/'];

async function attack(page: string, root: string, paths: readonly string[]): Promise<Record<string, string>> {
  const opened = await context.newPage();
  await opened.goto(page);
  const origin = page.startsWith('data:') ? `http://evil.localhost:${otherPort}` : new URL(page).origin;
  return opened.evaluate(runVectors, {
    targets: paths.map((path) => `${root}${path}?from=page`),
    redirect: `${origin}${REDIRECT}`,
    instance,
  });
}

/** Until a second passes without another request: a busy machine sends the less urgent ones late. */
async function untilQuiet(): Promise<void> {
  for (let before = -1; before !== asked.length;) {
    before = asked.length;
    await wait(1000);
  }
}

const isRefused = ({ status }: Asked): boolean => status === 403 || status === 421;

const FOREIGN_PAGES = {
  'another site': () => `http://evil.localhost:${otherPort}${CONTROL_PAGE}`,
  'another port of this computer': () => `http://127.0.0.1:${otherPort}${CONTROL_PAGE}`,
  'a sandbox, whose origin is null': () => `http://evil.localhost:${otherPort}/sandboxed`,
  'a data: address': () => `data:text/html,${encodeURIComponent(PAGE)}`,
} as const;

test.each([
  ['another site', 'folder'],
  ['another port of this computer', 'folder'],
  ['a sandbox, whose origin is null', 'folder'],
  ['a data: address', 'folder'],
  ['another site', 'pacs'],
] as const)('a page of %s reads, stores and ends nothing of a %s by any vector', async (page, archive) => {
  const root = `http://127.0.0.1:${ports[archive]}`;
  const read = JSON.stringify(await attack(FOREIGN_PAGES[page](), root, TARGETS));
  await untilQuiet();
  // Of a data: page Chromium itself keeps most.
  expect(asked.length).toBeGreaterThan(page === 'a data: address' ? 10 : 50);
  // A link may open a page, which the page that has it cannot look into.
  const isLink = ({ destination, path, method }: Asked): boolean =>
    destination === 'document' && !path.startsWith('/dicom-web') && method === 'GET';
  // What a page of ours that a link opened asks for itself.
  const isOurs = ({ site, vector }: Asked): boolean => vector === '' && site === 'same-origin';
  expect(asked.filter((one) => !isRefused(one) && !isLink(one) && !isOurs(one))).toEqual([]);
  expect(read).not.toContain('SYNTHETIC');
  expect(read).not.toContain('window.one');
  expect(askedOfPacs).toBe(0);
  expect(readdirSync(folder)).toEqual(['heart']);
  const alive = await fetch(`${root}/dicom-web/studies`);
  const hasStudy = (await alive.text()).includes('SYNTHETIC');
  expect({ status: alive.status, hasStudy }).toEqual({ status: 200, hasStudy: true });
});

test('the same vectors of our own origin all reach the archive: the tests above can fail', async () => {
  const root = `http://127.0.0.1:${ports.folder}`;
  const read = await attack(`${root}${CONTROL_PAGE}`, root, ['/dicom-web/studies']);
  const silent = (): string[] => {
    const passed = new Set(asked.filter((one) => !isRefused(one)).map(({ vector }) => vector));
    return Object.keys(read).filter((name) => !passed.has(name));
  };
  await expect.poll(silent).toEqual([]);
  expect(read['fetch cors']).toContain('SYNTHETIC');
  expect(readdirSync(folder).toSorted()).toEqual(['heart', 'stored']);
});

describeWithProgram('the port of Orthanc', 'Orthanc', () => {
  test('gives, stores and ends nothing by any vector', async () => {
    const orthanc = await startOrthanc(join(temporaryFolder(), 'orthanc'), [join(folder, 'heart')]);
    onTestFinished(() => orthanc.stop());
    const root = orthanc.pacs.root.origin;
    const authorized = async (path: string): Promise<string> =>
      (await fetch(`${root}${path}`, { headers: { authorization: orthanc.pacs.authorization ?? '' } })).text();
    const before = await authorized('/statistics');
    expect(await authorized('/dicom-web/studies')).toContain('SYNTHETIC');
    const paths = ['/dicom-web/studies', '/instances', '/tools/shutdown'];
    const read = JSON.stringify(await attack(FOREIGN_PAGES['another site'](), root, paths));
    expect(read).not.toContain('SYNTHETIC');
    expect(await authorized('/statistics')).toBe(before);
  });
});

test.each(['evil.localhost', 'localhost.evil.localhost'])(
  'by the name %s, which leads here, nothing is read',
  async (name) => {
    const page = await context.newPage();
    for (const path of TARGETS) {
      const answer = await page.goto(`http://${name}:${ports.folder}${path}`);
      expect(answer?.status()).toBe(421);
      expect(await page.content()).not.toContain('SYNTHETIC');
    }
  },
);

test('a page that opens the viewer has no hold on it, and its messages do not arrive', async () => {
  await context.addInitScript(() => {
    addEventListener('message', ({ data }) => {
      document.documentElement.dataset['got'] = String(data);
    });
  });
  const page = await context.newPage();
  await page.goto(`http://evil.localhost:${otherPort}${CONTROL_PAGE}`);
  const open = async (address: string) => {
    const [popup, isClosed] = await Promise.all([
      context.waitForEvent('page'),
      page.evaluate(async (to) => {
        const opened = window.open(to);
        for (let n = 0; n < 20; n++) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          opened?.postMessage('told', '*');
        }
        return opened?.closed;
      }, address),
    ]);
    await popup.waitForLoadState();
    return { isClosed, got: await popup.evaluate(() => document.documentElement.dataset['got']) };
  };
  expect(await open(`http://evil.localhost:${otherPort}${CONTROL_PAGE}`)).toEqual({ isClosed: false, got: 'told' });
  expect(await open(`http://127.0.0.1:${ports.folder}/`)).toEqual({ isClosed: true, got: undefined });
});
