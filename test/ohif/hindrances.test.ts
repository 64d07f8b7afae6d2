import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart, type ShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { buildCli } from '../e2e/run-cli.ts';
import { tinyModelFolder } from '../support/models.ts';
import { launchChromium } from './chromium.ts';
import { writeCompressedPhase } from './compressed-series.ts';
import { agreementOf, labelsOfCli } from './reference.ts';
import { fetchStudies, serveOhif, type ServedOhif, type ServedOhifOptions } from './served-ohif.ts';
import {
  chooseLayout,
  colouredShare,
  notices,
  openStudy,
  openViewer,
  readLabels,
  runModel,
  save,
  showPanel,
  startModel,
  waitForEndOfRun,
  waitForSlices,
  type LabelsByImage,
} from './viewer-page.ts';

const work = join(tmpdir(), `slicewise-hindrances-${process.pid}`);
const heart = join(work, 'heart');
/** For a graphics card that is imitated: each slice takes seconds there. */
const fewSlices = join(work, 'few-slices');
let expected: LabelsByImage;
let browser: Browser;
beforeAll(async () => {
  mkdirSync(work);
  await buildCli();
  const draw = (slices: number): ShortAxisHeart =>
    createShortAxisHeart({ size: 64, slices, phases: 1, supersampling: [1, 1, 1] });
  const drawn = draw(24);
  await writeDicomPhase(fewSlices, draw(5), 0);
  await writeDicomPhase(heart, drawn, 0);
  await writeCompressedPhase(join(work, 'compressed'), drawn);
  expected = await labelsOfCli(heart, tinyModelFolder);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  rmSync(work, { recursive: true });
});

/** Lets the test do something to our worker in the middle of a run. */
const OBEY_THE_TEST = `
  const devices = [];
  if (typeof GPUAdapter !== 'undefined') {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await requestDevice.apply(this, args);
      devices.push(device);
      return device;
    };
  }
  new BroadcastChannel('slicewise test').onmessage = ({ data }) => {
    if (data === 'destroy device') for (const device of devices) device.destroy();
    if (data === 'end worker') self.close();
  };
`;

/** The processor is done with the tiny model before a page has drawn its progress. */
const TAKE_TIME = `
  const { postMessage } = self;
  self.postMessage = (message, transfer) => {
    const end = performance.now() + (message.kind === 'slice' ? 300 : 0);
    while (performance.now() < end);
    postMessage.call(self, message, transfer);
  };
`;

function tellWorker(page: Page, what: 'destroy device' | 'end worker'): Promise<void> {
  return page.evaluate((message) => {
    new BroadcastChannel('slicewise test').postMessage(message);
  }, what);
}

/** Opens the study of what is served, lets the test use it, and checks that nothing left the origin. */
async function withStudy(
  options: Partial<ServedOhifOptions>,
  use: (page: Page, served: ServedOhif) => Promise<void>,
  chosen = browser,
): Promise<void> {
  const served = await serveOhif({ data: [heart], ...options });
  const { page, foreignRequests, close } = await openViewer(chosen, served.url);
  try {
    const [study = ''] = await fetchStudies(served.url);
    await openStudy(page, served.url, study);
    await use(page, served);
    expect(foreignRequests).toEqual([]);
  } finally {
    await close();
    await served.close();
  }
}

async function expectLabelsOfCli(page: Page, reference = expected): Promise<void> {
  const { voxels, labelled, differing } = agreementOf(await readLabels(page), reference);
  expect(labelled).toBeGreaterThan(100);
  expect(differing / voxels).toBeLessThanOrEqual(1e-4);
}

async function expectOverlay(page: Page, viewports: readonly number[]): Promise<void> {
  for (const viewport of viewports) {
    await expect.poll(() => colouredShare(page, viewport), { timeout: 30_000 }).toBeGreaterThan(0.001);
  }
}

describe('the device', () => {
  test('without any WebGPU the processor runs the model, and the reason is said', async () => {
    const workerPrelude = "Object.defineProperty(navigator, 'gpu', { value: undefined });";
    await withStudy({ workerPrelude }, async (page) => {
      await runModel(page, 'tiny-heart');
      expect((await notices(page).allInnerTexts()).join()).toMatch(/WebGPU is not used/);
      await expectLabelsOfCli(page);
    });
  });

  test('a graphics device that is lost in the middle costs a notice and no slice', async () => {
    const withGpu = await launchChromium({ webGpu: 'software' });
    try {
      await withStudy(
        { data: [fewSlices], workerPrelude: OBEY_THE_TEST, acceptSoftwareAdapter: true },
        async (page) => {
          await startModel(page, 'tiny-heart');
          await waitForSlices(page, 1);
          await tellWorker(page, 'destroy device');
          await waitForEndOfRun(page);
          expect(await notices(page).count()).toBeGreaterThan(0);
          await expectLabelsOfCli(page, await labelsOfCli(fewSlices, tinyModelFolder));
        },
        withGpu,
      );
    } finally {
      await withGpu.close();
    }
  });

  test('a worker that ends in the middle costs a notice and no slice', async () => {
    await withStudy({ workerPrelude: OBEY_THE_TEST + TAKE_TIME }, async (page) => {
      await startModel(page, 'tiny-heart');
      await waitForSlices(page, 2);
      await tellWorker(page, 'end worker');
      await waitForEndOfRun(page);
      expect(await notices(page).count()).toBeGreaterThan(0);
      await expectLabelsOfCli(page);
    });
  });
});

describe('the model', () => {
  test('with another SHA-256 than its manifest says is refused; others still run', async () => {
    const folder = join(work, 'wrong-hash');
    cpSync(tinyModelFolder, folder, { recursive: true });
    const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8');
    writeFileSync(join(folder, 'manifest.json'), manifest.replace('"id": "tiny-heart"', '"id": "wrong-hash"'));
    const model = readFileSync(join(folder, 'model.onnx'));
    model.writeUInt8(model.readUInt8(1000) ^ 1, 1000);
    writeFileSync(join(folder, 'model.onnx'), model);
    await withStudy({ models: new Map([['wrong-hash', folder]]) }, async (page) => {
      await runModel(page, 'wrong-hash');
      expect((await notices(page).allInnerTexts()).join()).toMatch(/SHA-256/);
      await runModel(page, 'tiny-heart');
      await expectLabelsOfCli(page);
    });
  });
});

describe('the archive', () => {
  test('that answers 500 has stored nothing, which is said; later it can be saved', async () => {
    let isBroken = true;
    const intercept: ServedOhifOptions['intercept'] = (request, response) => {
      if (!isBroken || request.method !== 'POST') return false;
      request.resume();
      response.writeHead(500).end();
      return true;
    };
    await withStudy({ intercept }, async (page) => {
      await runModel(page, 'tiny-heart');
      const said = await save(page);
      expect(said).toMatch(/500/);
      expect(said).not.toContain('every voxel is the same');
      await expect
        .poll(() => page.locator('[data-cy="slicewise-save-state"]').innerText(), { timeout: 10_000 })
        .toMatch(/^Not saved/);
      expect(await page.locator('[data-cy="slicewise-download"]').isVisible()).toBe(true);
      isBroken = false;
      expect(await save(page)).toContain('every voxel is the same');
    });
  });

  test('with a series in JPEG 2000 gives the labels of the same series without compression', async () => {
    await withStudy({ data: [join(work, 'compressed')] }, async (page) => {
      await runModel(page, 'tiny-heart');
      await expectLabelsOfCli(page);
    });
  });
});

describe('the layout', () => {
  test('MPR shows the overlay, opened before the run or after it', async () => {
    await withStudy({}, async (page) => {
      await chooseLayout(page, 'mpr');
      await runModel(page, 'tiny-heart');
      await expectLabelsOfCli(page);
      await expectOverlay(page, [0, 1, 2]);
    });
    await withStudy({}, async (page) => {
      await runModel(page, 'tiny-heart');
      await chooseLayout(page, 'mpr');
      await expectOverlay(page, [0, 1, 2]);
      await expectLabelsOfCli(page);
    });
  });

  test('two viewports on one series both show the overlay', async () => {
    await withStudy({}, async (page) => {
      await chooseLayout(page, 'two viewports');
      await runModel(page, 'tiny-heart');
      await expectOverlay(page, [0, 1]);
      await expectLabelsOfCli(page);
    });
  });

  test('a run goes on while the panel is closed', async () => {
    await withStudy({}, async (page) => {
      await startModel(page, 'tiny-heart');
      await showPanel(page, 'panelSegmentationWithToolsLabelMap');
      await expect.poll(() => page.locator('.slicewise').count(), { timeout: 10_000 }).toBe(0);
      await expect
        .poll(async () => agreementOf(await readLabels(page), expected).differing, { timeout: 120_000 })
        .toBeLessThan(10);
      await showPanel(page, 'slicewise');
      await waitForEndOfRun(page);
      await expectLabelsOfCli(page);
    });
  });
});
