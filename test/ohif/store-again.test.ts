import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Download, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { readDicomSeg, readVolume, type ReadDicomSegResult, type Segment, type Volume } from '../../src/index.ts';
import { openFiles } from '../../src/node/index.ts';
import { buildCli, runCli } from '../e2e/run-cli.ts';
import { dciodvfyErrors } from '../support/dciodvfy.ts';
import { tinyModelFolder } from '../support/models.ts';
import { launchChromium } from './chromium.ts';
import { agreementOf } from './reference.ts';
import { fetchStudies, serveOhif, type ServedOhif, type ServedOhifOptions } from './served-ohif.ts';
import {
  brush,
  notices,
  openStoredSegmentation,
  openStudy,
  openViewer,
  readLabels,
  runModel,
  save,
  type LabelsByImage,
  type ViewerPage,
} from './viewer-page.ts';

const work = join(tmpdir(), `slicewise-store-again-${process.pid}`);
const heart = join(work, 'heart');
let volume: Volume;
beforeAll(async () => {
  mkdirSync(work);
  await buildCli();
  await writeDicomPhase(heart, createShortAxisHeart({ size: 64, phases: 1, supersampling: [1, 1, 1] }), 0);
  ({ volume } = await readVolume(openFiles([heart])));
});
afterAll(() => {
  rmSync(work, { recursive: true });
});

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function serve(options: Partial<ServedOhifOptions> = {}): Promise<ServedOhif> {
  const served = await serveOhif({ data: [heart], ...options });
  cleanUps.push(served.close);
  return served;
}

/** The study in a browser with nothing from before. */
async function openFresh({ url }: ServedOhif): Promise<ViewerPage> {
  const browser: Browser = await launchChromium();
  cleanUps.push(() => browser.close());
  const viewer = await openViewer(browser, url);
  const [study = ''] = await fetchStudies(url);
  await openStudy(viewer.page, url, study);
  return viewer;
}

/** Files stored into a folder archive, in the order of their series numbers. */
async function storedFiles({ folder }: ServedOhif): Promise<{ file: string; seg: ReadDicomSegResult }[]> {
  const files = readdirSync(join(folder, 'stored'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const read = await Promise.all(
    files.map(async (file) => ({ file, seg: await readDicomSeg(readFileSync(file), { reference: volume }) })),
  );
  return read.sort((a, b) => (a.seg.identity.seriesNumber ?? 0) - (b.seg.identity.seriesNumber ?? 0));
}

function byImage(seg: ReadDicomSegResult | undefined): LabelsByImage {
  if (seg === undefined) throw new Error('nothing was stored');
  const { voxels } = seg.labelmap;
  const instances = volume.source?.instances ?? [];
  const size = voxels.length / instances.length;
  return new Map(
    instances.map(({ sopInstanceUID, sliceIndex: k }) => [
      sopInstanceUID,
      Uint8Array.from(voxels.subarray(k * size, (k + 1) * size)),
    ]),
  );
}

function saveState(page: Page): Promise<string> {
  return page.locator('[data-cy="slicewise-save-state"]').innerText();
}

describe('a segmentation that was stored', () => {
  test('is corrected in a fresh browser and stored as a new one that refers to it', async () => {
    const served = await serve();
    const first = await openFresh(served);
    await runModel(first.page, 'tiny-heart');
    expect(await save(first.page)).toMatch(/^Saved/m);
    await expect.poll(() => saveState(first.page)).toMatch(/^Saved/);
    const [before] = await storedFiles(served);
    const bytesBefore = readFileSync(before?.file ?? '');

    const second = await openFresh(served);
    await openStoredSegmentation(second.page);
    expect(agreementOf(await readLabels(second.page), byImage(before?.seg)).differing).toBe(0);
    await expect.poll(() => saveState(second.page)).toMatch(/^Saved/);
    await brush(second.page, { x: 0.3, y: 0.25 });
    await expect.poll(() => saveState(second.page)).toMatch(/^Changed/);
    expect(await save(second.page)).toMatch(/^Saved/m);
    const corrected = await readLabels(second.page);

    const [same, after, ...more] = await storedFiles(served);
    expect(more).toEqual([]);
    expect(readFileSync(same?.file ?? '').equals(bytesBefore)).toBe(true);
    expect(after?.seg.identity).toMatchObject({
      predecessorSOPInstanceUID: before?.seg.identity.sopInstanceUID,
      seriesNumber: (before?.seg.identity.seriesNumber ?? 0) + 1,
    });
    expect(agreementOf(byImage(after?.seg), corrected).differing).toBe(0);
    // The brush painted the first segment over others and over background.
    const [one, ...others] = after?.seg.labelmap.segments ?? [];
    expect(one).toMatchObject({ algorithmType: 'SEMIAUTOMATIC', isEdited: true });
    expect(others.length).toBeGreaterThan(0);
    expect(identities(after)).toEqual(identities(before));
    expect(dciodvfyErrors(after?.file ?? '')).toEqual([]);
    expect([...first.errors, ...second.errors]).toEqual([]);
  });

  test('is listed without a reload, and opens beside the one that was saved', async () => {
    const served = await serve();
    const { page } = await openFresh(served);
    await runModel(page, 'tiny-heart');
    expect(await page.locator('[data-cy="study-browser-thumbnail-no-image"]').count()).toBe(0);
    expect(await save(page)).toMatch(/^Saved/m);
    await expect
      .poll(() => page.locator('[data-cy="study-browser-thumbnail-no-image"]').allInnerTexts())
      .toEqual(expect.arrayContaining([expect.stringMatching(/S:300/)]) as string[]);
  });
});

/** What of a segment survives every correction. */
function identities(stored: { seg: ReadDicomSegResult } | undefined): unknown {
  return stored?.seg.labelmap.segments.map(({ trackingUID, segmentedPropertyType, algorithms }) => [
    trackingUID,
    segmentedPropertyType,
    algorithms,
  ]);
}

describe('what cannot be saved says why, and can be downloaded', () => {
  test.each<[string, NonNullable<ServedOhifOptions['intercept']>, RegExp]>([
    [
      'a PACS that answers 500 to the store',
      (request, response) => {
        if (request.method !== 'POST') return false;
        request.resume();
        response.writeHead(500).end();
        return true;
      },
      /refuses \(HTTP 500\)/,
    ],
    [
      'a PACS that says yes and keeps nothing',
      (request, response) => {
        if (request.method !== 'POST') return false;
        request.resume();
        response.writeHead(200, { 'Content-Type': 'application/dicom+json' }).end('{}');
        return true;
      },
      /does not have it/,
    ],
  ])('%s', async (_, intercept, message) => {
    const served = await serve({ intercept });
    const { page } = await openFresh(served);
    await runModel(page, 'tiny-heart');
    await save(page);
    await expect.poll(async () => (await notices(page).allInnerTexts()).join('\n')).toMatch(message);
    expect(await saveState(page)).toMatch(/^Not saved/);

    const shown = await readLabels(page);
    const downloaded = await download(page, 'seg-binary');
    const seg = await readDicomSeg(downloaded, { reference: volume });
    expect(agreementOf(byImage(seg), shown).differing).toBe(0);
  });
});

describe('a download', () => {
  let page: Page;
  beforeEach(async () => {
    ({ page } = await openFresh(await serve()));
    await runModel(page, 'tiny-heart');
  });

  test('is what the command line writes, UIDs and times aside', async () => {
    const output = join(work, 'cli.dcm');
    const { code } = await runCli([
      'segment',
      heart,
      '--model',
      tinyModelFolder,
      '--output',
      output,
      '--quiet',
      '--force',
    ]);
    expect(code).toBe(0);
    const ofCli = await readDicomSeg(readFileSync(output), { reference: volume });
    const ours = await readDicomSeg(await download(page, 'seg-binary'), { reference: volume });
    expect(agreementOf(byImage(ours), byImage(ofCli)).differing).toBe(0);
    expect(ours.labelmap.segments.map(withoutTracking)).toEqual(ofCli.labelmap.segments.map(withoutTracking));
    const { sopInstanceUID, seriesInstanceUID, ...description } = ofCli.identity;
    expect(ours.identity).toMatchObject(description);
    expect(ours.identity.sopInstanceUID).not.toBe(sopInstanceUID);
    expect(ours.identity.seriesInstanceUID).not.toBe(seriesInstanceUID);
    expect(ours.frames).toEqual(ofCli.frames);
  });

  test('of each format has the labels that are shown', async () => {
    const shown = await readLabels(page);
    const labels = await readDicomSeg(await download(page, 'seg-labelmap'), { reference: volume });
    expect(labels.segmentationType).toBe('LABELMAP');
    expect(agreementOf(byImage(labels), shown).differing).toBe(0);

    const nifti = join(work, 'labels.nii.gz');
    writeFileSync(nifti, await download(page, 'nifti'));
    const converted = join(work, 'labels.dcm');
    const { code } = await runCli(['convert', nifti, converted, '--reference', heart, '--quiet']);
    expect(code).toBe(0);
    const back = await readDicomSeg(readFileSync(converted), { reference: volume });
    expect(agreementOf(byImage(back), shown).differing).toBe(0);
  });
});

function withoutTracking({ trackingUID, ...segment }: Segment): Partial<Segment> {
  expect(trackingUID).toMatch(/^2\.25\./);
  return segment;
}

async function download(page: Page, format: string): Promise<Uint8Array> {
  const waiting: Promise<Download> = page.waitForEvent('download', { timeout: 60_000 });
  await page.locator('[data-cy="slicewise-download"]').click();
  await page.locator(`[data-cy="slicewise-download-${format}"]`).click();
  const path = await (await waiting).path();
  return readFileSync(path);
}
