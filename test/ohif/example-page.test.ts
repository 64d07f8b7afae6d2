import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import {
  encodeNiftiImage,
  indexToWorld,
  readDicomSeg,
  readNiftiLabelmap,
  readVolume,
  segmentVolume,
  sliceView,
  type SourceFile,
  type Volume,
} from '../../src/index.ts';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import { memoryFile } from '../support/memory-file.ts';
import { loadTinyModel } from '../support/models.ts';
import { launchChromium } from './chromium.ts';
import { serveOhif, type ServedOhif } from './served-ohif.ts';
import { openViewer, type ViewerPage } from './viewer-page.ts';

const work = join(tmpdir(), `slicewise-example-${process.pid}`);
const dicom = join(work, 'dicom');
const nifti = join(work, 'left-handed.nii');

let served: ServedOhif;
let browser: Browser;
let viewer: ViewerPage;
beforeAll(async () => {
  mkdirSync(work);
  const heart = createShortAxisHeart({ size: 64, phases: 1, supersampling: [1, 1, 1] });
  await writeDicomPhase(dicom, heart, 0);
  const { geometry, phases } = heart;
  writeFileSync(nifti, await leftHandedNifti({ geometry, voxels: phases[0]?.voxels ?? new Uint16Array(0) }));
  served = await serveOhif({ data: [dicom] });
  browser = await launchChromium();
  viewer = await openViewer(browser, served.url);
});
afterAll(async () => {
  await browser.close();
  await served.close();
  rmSync(work, { recursive: true });
});

describe('the example page', () => {
  test('opens a DICOM folder, runs a model, lets it be corrected and exports what is shown', async () => {
    const { page } = viewer;
    await runOn(page, dicomFiles());
    const { volume: reference } = await readVolume(dicomFiles().map((path) => fileOf(path)));
    const expected = await expectedLabels(reference);
    const given = await readDicomSeg(await exported(page, 'dicom-seg'), { reference });
    expect(differing(given.labelmap.voxels, expected)).toBeLessThanOrEqual(1e-4 * expected.length);
    expect(given.labelmap.segments.map(({ algorithmType }) => algorithmType)).not.toContain('SEMIAUTOMATIC');

    await page.locator('[data-segment="2"]').click();
    await page.locator('[data-button="brush"]').click();
    await strokeInTheMiddle(page);
    const edited = page.locator('[data-segment="2"] .edited', { hasText: 'edited' });
    await edited.waitFor();
    const corrected = await readDicomSeg(await exported(page, 'dicom-seg'), { reference });
    expect(corrected.labelmap.segments.find(({ segmentNumber }) => segmentNumber === 2)?.algorithmType).toBe(
      'SEMIAUTOMATIC',
    );
    expect(differing(corrected.labelmap.voxels, given.labelmap.voxels)).toBeGreaterThan(0);
    const asNifti = await readNiftiLabelmap(memoryFile('export.nii.gz', await exported(page, 'nifti')));
    expect(asNifti.voxels).toEqual(corrected.labelmap.voxels);

    await page.locator('#undo').click();
    await edited.waitFor({ state: 'detached' });
    const undone = await readDicomSeg(await exported(page, 'dicom-seg'), { reference });
    expect(undone.labelmap.voxels).toEqual(given.labelmap.voxels);
    await page.locator('#redo').click();
    await edited.waitFor();

    await page.locator('[data-layout="mpr"]').click();
    await expect.poll(() => colouredPixels(page, 'axial'), { timeout: 20_000 }).toBeGreaterThan(50);
    await page.locator('#undo').click();
    await page.locator('#undo').click();
    await expect.poll(() => colouredPixels(page, 'axial'), { timeout: 20_000 }).toBe(0);
    expect(viewer.foreignRequests).toEqual([]);
  });

  test('opens a left-handed NIfTI file and exports labels on its own grid', async () => {
    const { page } = viewer;
    await page.locator('[data-layout="slices"]').click();
    await runOn(page, [nifti]);
    const { volume } = await readVolume([fileOf(nifti)]);
    const { geometry, voxels } = await readNiftiLabelmap(memoryFile('e.nii.gz', await exported(page, 'nifti')));
    expect(geometry.direction.flat().map((cosine) => cosine.toFixed(4))).toEqual(
      volume.geometry.direction.flat().map((cosine) => cosine.toFixed(4)),
    );
    const expected = await expectedLabels(volume);
    expect(differing(voxels, expected)).toBeLessThanOrEqual(1e-4 * expected.length);
    await expect(page.locator('[data-export="dicom-seg"]').isDisabled()).resolves.toBe(true);
  });
});

function dicomFiles(): string[] {
  return readdirSync(dicom).map((name) => join(dicom, name));
}

function fileOf(path: string): SourceFile {
  return memoryFile(path, new Uint8Array(readFileSync(path)));
}

async function runOn(page: Page, files: readonly string[]): Promise<void> {
  if (!page.url().includes('/examples/')) await page.goto(`${served.url}/slicewise/examples/index.html`);
  await page.locator('#model:not([disabled])').waitFor();
  await page.locator('#model').selectOption('tiny-heart');
  await page.locator('#files').setInputFiles([...files]);
  await page.locator('#run:not([disabled])').waitFor();
  await page.locator('#run').click();
  await page.locator('#export-section:not([hidden])').waitFor({ timeout: 120_000 });
}

async function exported(page: Page, kind: 'dicom-seg' | 'nifti'): Promise<Uint8Array> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.locator(`[data-export="${kind}"]`).click(),
  ]);
  return new Uint8Array(readFileSync(await download.path()));
}

async function strokeInTheMiddle(page: Page): Promise<void> {
  const box = await page.locator('[data-viewport="slices"]').boundingBox();
  if (box === null) throw new Error('the page shows no viewport');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 20, y + 10, { steps: 4 });
  await page.mouse.up();
}

/** Pixels of a viewport that are no grey. */
function colouredPixels(page: Page, viewport: string): Promise<number> {
  return page.locator(`[data-viewport="${viewport}"] canvas`).evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const pixels = (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    let count = 0;
    for (let at = 0; at < pixels.length; at += 4) {
      const [red = 0, green = 0, blue = 0] = [pixels[at], pixels[at + 1], pixels[at + 2]];
      if (Math.max(red, green, blue) - Math.min(red, green, blue) > 30) count++;
    }
    return count;
  });
}

async function expectedLabels(volume: Volume): Promise<ArrayLike<number>> {
  const session = await createWasmBackend().openSession(await loadTinyModel());
  const { labelmap } = await segmentVolume(volume, { session, softwareVersion: 'test' });
  await session.dispose();
  expect(labelmap.voxels.some((label) => label > 0)).toBe(true);
  return labelmap.voxels;
}

function differing(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Array.from(actual).filter((label, at) => label !== expected[at]).length;
}

/** The image with its rows in reverse order, and a geometry that says so. */
function leftHandedNifti({ geometry, voxels }: Pick<Volume, 'geometry' | 'voxels'>): Promise<Uint8Array> {
  const [columns, rows, slices] = geometry.dimensions;
  const [i, [x, y, z], k] = geometry.direction;
  const mirrored = voxels.slice();
  const flipped: Volume['geometry'] = {
    ...geometry,
    origin: indexToWorld(geometry, [0, rows - 1, 0]),
    direction: [i, [-x, -y, -z], k],
  };
  for (let slice = 0; slice < slices; slice++) {
    const [from, to] = [sliceView(voxels, geometry, slice), sliceView(mirrored, geometry, slice)];
    for (let j = 0; j < rows; j++) to.set(from.subarray(j * columns, (j + 1) * columns), (rows - 1 - j) * columns);
  }
  return encodeNiftiImage({ geometry: flipped, voxels: mirrored }, { gzip: false });
}
