import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startOrthanc, type Orthanc } from '../../server/orthanc.ts';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { ask } from '../server/served.ts';
import { describeWithProgram } from '../support/python.ts';
import { launchChromium } from './chromium.ts';

const work = mkdtempSync(join(tmpdir(), 'slicewise-foreign-'));
let browser: Browser;
let page: Page;
let closePage: () => Promise<void>;
beforeAll(async () => {
  await writeDicomPhase(
    join(work, 'heart'),
    createShortAxisHeart({ size: 16, slices: 2, phases: 1, supersampling: [1, 1, 1] }),
    0,
  );
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>another site</title>'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  browser = await launchChromium();
  page = await browser.newPage();
  // Another site than 127.0.0.1 for a browser, though it is this computer.
  await page.goto(`http://evil.localhost:${address.port}/`);
  closePage = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
});
afterAll(async () => {
  await browser.close();
  await closePage();
  rmSync(work, { recursive: true });
});

describeWithProgram('a page of another site, and the port of Orthanc', 'Orthanc', () => {
  let orthanc: Orthanc;
  let root: string;
  const authorized = (path: string): Promise<Response> =>
    fetch(`${root}${path}`, { headers: { authorization: orthanc.pacs.authorization ?? '' } });
  const count = async (): Promise<unknown> => (await authorized('/statistics')).json();
  beforeAll(async () => {
    orthanc = await startOrthanc(join(work, 'orthanc'), [join(work, 'heart')]);
    root = orthanc.pacs.root.origin;
  });
  afterAll(() => orthanc.stop());

  test('reads, stores and ends nothing', async () => {
    const before = await count();
    const got = await page.evaluate(async (root) => {
      const paths = ['/tools/shutdown', '/tools/reset', '/tools/execute-script', '/instances', '/dicom-web/studies'];
      const outcomes: string[] = [];
      for (const path of paths) {
        for (const mode of ['no-cors', 'cors'] as const) {
          outcomes.push(
            await fetch(root + path, { method: 'POST', mode, body: 'x', credentials: 'include' }).then(
              async (answer) => `${answer.type} ${(await answer.text()).length}`,
              () => 'refused',
            ),
          );
        }
        const form = document.createElement('form');
        Object.assign(form, { method: 'post', action: root + path, target: 'frame' });
        const frame = document.createElement('iframe');
        frame.name = 'frame';
        document.body.append(frame, form);
        form.submit();
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      for (const path of ['/instances', '/dicom-web/studies', '/system']) {
        outcomes.push(
          await fetch(root + path, { credentials: 'include' }).then(
            async (answer) => answer.text(),
            () => 'refused',
          ),
        );
      }
      return outcomes;
    }, root);
    for (const outcome of got) expect(['refused', 'opaque 0']).toContain(outcome);
    expect(await count()).toEqual(before);
    expect((await authorized('/system')).status).toBe(200);
  });

  test.each(['evil.example', 'localhost.evil.example'])('nor by the name %s', async (host) => {
    const port = Number(new URL(root).port);
    for (const [method, path] of [
      ['GET', '/dicom-web/studies'],
      ['GET', '/instances'],
      ['POST', '/tools/shutdown'],
      ['DELETE', '/studies/x'],
    ] as const) {
      const { status, body } = await ask(port, path, { method, headers: { host } });
      expect(status).toBe(401);
      expect(body.toString()).not.toContain('SYNTHETIC');
    }
    expect((await authorized('/system')).status).toBe(200);
  });
});

describe('the page that attacks', () => {
  test('is of another origin', async () => {
    expect(await page.evaluate(() => location.hostname)).toBe('evil.localhost');
  });
});
