import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { createAccessToken } from '../../server/access-token.ts';
import { launchChromium } from './chromium.ts';
import { serveOhif, type ServedOhif } from './served-ohif.ts';
import { openStudy, openViewer, runModel, save } from './viewer-page.ts';

const work = join(tmpdir(), `slicewise-access-token-${process.pid}`);
const token = createAccessToken();
let served: ServedOhif;
let browser: Browser;
beforeAll(async () => {
  mkdirSync(work);
  const heart = createShortAxisHeart({ size: 64, slices: 4, phases: 1, supersampling: [1, 1, 1] });
  await writeDicomPhase(join(work, 'heart'), heart, 0);
  served = await serveOhif({ data: [join(work, 'heart')], token });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await served.close();
  rmSync(work, { recursive: true });
});

/** OHIF's list of studies, with ours in it. */
const list = (page: Page): Promise<void> => page.getByText('Synthetic, Heart').waitFor({ timeout: 60_000 });

test('a browser without the token is told where it stands, and gets nothing of the archive', async () => {
  const { page, close } = await openViewer(browser, served.url);
  const archive: number[] = [];
  page.on('response', (response) => {
    if (response.url().includes('/dicom-web')) archive.push(response.status());
  });
  for (const address of ['/', '/?token=wrong', '/slicewise?StudyInstanceUIDs=1.2']) {
    await page.goto(`${served.url}${address}`);
    await page.getByText('This viewer opens by its whole address').waitFor();
    expect(page.url()).toBe(`${served.url}/slicewise/access`);
  }
  expect(archive.filter((status) => status !== 401)).toEqual([]);
  await close();
});

test('with the address that was printed studies are listed, opened, segmented and stored; later without the token too', async () => {
  const { page, errors, foreignRequests, close } = await openViewer(browser, served.url);
  await page.goto(`${served.url}/?token=${token}`);
  await list(page);
  expect(page.url()).not.toContain(token);
  const answer = await fetch(`${served.url}/dicom-web/studies`, { headers: { authorization: `Bearer ${token}` } });
  const [row] = (await answer.json()) as Readonly<Record<string, { Value: string[] }>>[];
  const study = row?.['0020000D']?.Value[0] ?? '';
  await openStudy(page, served.url, study);
  await runModel(page, 'tiny-heart');
  expect(await save(page)).toContain('Saved');
  await page.reload();
  await page.locator('[data-cy="slicewise-run"]').waitFor({ timeout: 60_000 });
  await page.goto(served.url);
  await list(page);
  expect({ errors, foreignRequests }).toEqual({ errors: [], foreignRequests: [] });
  await close();
});

test('a link with a wrong token takes the right one from nobody', async () => {
  const { page, close } = await openViewer(browser, served.url);
  await page.goto(`${served.url}/?token=${token}`);
  await list(page);
  await page.goto(`${served.url}/?token=wrong`);
  await page.getByText('This viewer opens by its whole address').waitFor();
  await page.goto(served.url);
  await list(page);
  await close();
});
