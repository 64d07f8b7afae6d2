import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { buildCli } from '../e2e/run-cli.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { newDciodvfyErrors } from '../support/dciodvfy.ts';
import { inFull } from '../support/full.ts';
import { describeWithProgram } from '../support/python.ts';
import { tinyModelFolder } from '../support/models.ts';
import { launchChromium, type LaunchOptions } from './chromium.ts';
import { agreementOf, countLabel, labelsOfCli, labelsOfSegByDcmqi } from './reference.ts';
import { fetchStudies, serveOhif, storedSegmentation, type ArchiveKind } from './served-ohif.ts';
import {
  brush,
  openStoredSegmentation,
  openStudy,
  openViewer,
  readLabels,
  redo,
  runModel,
  save,
  shownVolumeMl,
  undo,
} from './viewer-page.ts';

const work = join(tmpdir(), `slicewise-whole-flow-${process.pid}`);
const heart = join(work, 'heart');
const smallHeart = join(work, 'small-heart');
beforeAll(async () => {
  mkdirSync(work);
  await buildCli();
  await writeDicomPhase(heart, createShortAxisHeart({ phases: 1 }), 0);
  await writeDicomPhase(
    smallHeart,
    createShortAxisHeart({ size: 64, slices: 5, phases: 1, supersampling: [1, 1, 1] }),
    0,
  );
});
afterAll(() => {
  rmSync(work, { recursive: true });
});

interface Flow {
  /** The folder of a series. */
  readonly series: string;
  readonly archive: ArchiveKind;
  readonly model: string;
  /** For the command line, where it is not the id. */
  readonly modelFolder?: string;
  readonly webGpu?: LaunchOptions['webGpu'];
  readonly backend: RegExp;
}

/** Open, run, compare with the command line, correct, undo, redo, store, open again elsewhere. */
async function expectWholeFlow({ series, archive, model, modelFolder, webGpu, backend }: Flow): Promise<void> {
  const served = await serveOhif({ data: [series], archive, ...(webGpu && { acceptSoftwareAdapter: true }) });
  const browser = await launchChromium(webGpu && { webGpu });
  let fresh: Browser | undefined;
  try {
    const [study = ''] = await fetchStudies(served.url);
    const viewer = await openViewer(browser, served.url);
    const { page } = viewer;
    await openStudy(page, served.url, study);
    await runModel(page, model);
    await expect.poll(() => page.locator('.slicewise').innerText(), { timeout: 10_000 }).toMatch(backend);

    const ofModel = await readLabels(page);
    const { voxels, labelled, differing } = agreementOf(ofModel, await labelsOfCli(series, modelFolder ?? model));
    expect(labelled).toBeGreaterThan(100);
    expect(differing / voxels).toBeLessThanOrEqual(1e-4);

    const mlPerVoxel = (await shownVolumeMl(page, 1)) / countLabel(ofModel, 1);
    const expectVolumes = async (): Promise<void> => {
      const labels = await readLabels(page);
      for (const segment of [1, 2, 3]) {
        await expect
          .poll(() => shownVolumeMl(page, segment), { timeout: 10_000 })
          .toBeCloseTo(countLabel(labels, segment) * mlPerVoxel, 0);
      }
    };
    await expectVolumes();

    await brush(page, { x: 0.3, y: 0.25 });
    const corrected = await readLabels(page);
    expect(agreementOf(corrected, ofModel).differing).toBeGreaterThan(20);
    await expectVolumes();
    await undo(page);
    expect(agreementOf(await readLabels(page), ofModel).differing).toBe(0);
    await expectVolumes();
    await redo(page);
    expect(agreementOf(await readLabels(page), corrected).differing).toBe(0);
    await expectVolumes();

    expect(await save(page)).toContain('every voxel is the same');
    expect(viewer.foreignRequests).toEqual([]);
    expect(viewer.errors).toEqual([]);

    fresh = await launchChromium(webGpu && { webGpu });
    const again = await openViewer(fresh, served.url);
    await openStudy(again.page, served.url, study);
    await openStoredSegmentation(again.page);
    expect(agreementOf(await readLabels(again.page), corrected).differing).toBe(0);
    expect(again.foreignRequests).toEqual([]);
    expect(again.errors).toEqual([]);

    const file = join(served.folder, 'stored.dcm');
    writeFileSync(file, await storedSegmentation(served.url, study));
    expect(newDciodvfyErrors(file, filesIn(series))).toEqual([]);
    expect(agreementOf(await labelsOfSegByDcmqi(file, series), corrected).differing).toBe(0);
  } finally {
    await fresh?.close();
    await browser.close();
    await served.close();
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder).map((name) => join(folder, name));
}

describe('a study is opened, segmented, corrected, stored and opened again', () => {
  const flowsOf = (archive: ArchiveKind): Record<'heart' | 'onWebGpu' | 'realHeart', () => void> => {
    const onWasm = { archive, model: 'cardiac-mr', backend: /WebAssembly/ };
    return {
      heart() {
        test('the synthetic heart, on WASM', async () => {
          await expectWholeFlow({ series: heart, ...onWasm });
        });
      },
      onWebGpu() {
        test('a small heart, on WebGPU in software', async () => {
          await expectWholeFlow({
            series: smallHeart,
            archive,
            model: 'tiny-heart',
            modelFolder: tinyModelFolder,
            webGpu: 'software',
            backend: /WebGPU/,
          });
        });
      },
      realHeart() {
        describeWithData('of a real heart', () => {
          test('each slice in a frame of reference of its own, on WASM', async () => {
            await expectWholeFlow({ series: dataPath('dicom/cardiac-sunnybrook/SCD0000101/phase_08'), ...onWasm });
          });
        });
      },
    };
  };

  describe('from and to a folder', () => {
    const { heart: onWasm, onWebGpu, realHeart } = flowsOf('folder');
    for (const define of inFull([onWasm, onWebGpu], [realHeart])) define();
  });

  describeWithProgram('from and to Orthanc', 'Orthanc', () => {
    const { heart: onWasm, onWebGpu, realHeart } = flowsOf('orthanc');
    for (const define of inFull([realHeart], [onWasm, onWebGpu])) define();
  });
});
