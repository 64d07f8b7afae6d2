import type { Browser, Locator, Page } from 'playwright';

/** OHIF in a browser with nothing from before, as a user drives it. */
export interface ViewerPage {
  readonly page: Page;
  /** What the page wrote as an error, and errors that it did not catch. */
  readonly errors: readonly string[];
  /** Requests for anything but the server that the page came from. */
  readonly foreignRequests: readonly string[];
  readonly close: () => Promise<void>;
}

export async function openViewer(
  browser: Browser,
  origin: string,
  { width = 1280, height = 800 } = {},
): Promise<ViewerPage> {
  const context = await browser.newContext({ viewport: { width, height } });
  const page = await context.newPage();
  const errors: string[] = [];
  const foreignRequests: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !/^(data|blob):/.test(request.url()))
      foreignRequests.push(request.url());
  });
  return { page, errors, foreignRequests, close: () => context.close() };
}

/** Opens a study in our mode and waits for its first image and for the panel. */
export async function openStudy(page: Page, origin: string, studyInstanceUID: string): Promise<void> {
  await page.goto(`${origin}/slicewise?StudyInstanceUIDs=${studyInstanceUID}`);
  await page.locator('[data-cy="slicewise-run"]').waitFor({ timeout: 60_000 });
  await page.locator('.cornerstone-canvas').first().waitFor({ timeout: 60_000 });
}

/** Chooses a model and runs it to the end. */
export async function runModel(page: Page, modelId: string): Promise<void> {
  await startModel(page, modelId);
  await waitForEndOfRun(page);
}

export async function startModel(page: Page, modelId: string): Promise<void> {
  await page.locator(`[data-cy="slicewise-model-${modelId}"] input[type=radio]`).click();
  await page.locator('[data-cy="slicewise-run"]').click();
  await page.locator('[data-cy="slicewise-progress"]').waitFor();
}

/** Waits until so many slices of the run are done. */
export async function waitForSlices(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (count) => {
      const bar = document.querySelector('[data-cy="slicewise-progress"] progress');
      return bar instanceof HTMLProgressElement && bar.max > 1 && bar.value >= count;
    },
    count,
    { timeout: 120_000 },
  );
}

export async function waitForEndOfRun(page: Page): Promise<void> {
  await page.locator('[data-cy="slicewise-progress"]').waitFor({ state: 'detached', timeout: 240_000 });
}

export function notices(page: Page): Locator {
  return page.locator('[data-cy="slicewise-notice"]');
}

/** Shows one of the tabs at the right: our panel, or OHIF's own tools for labelmaps. */
export async function showPanel(page: Page, panel: 'slicewise' | 'panelSegmentationWithToolsLabelMap'): Promise<void> {
  await page.locator(`[data-cy="${panel}-btn"]`).click();
}

/** Changes OHIF's layout as its menu does; two viewports then show the same series. */
export async function chooseLayout(page: Page, layout: 'mpr' | 'two viewports'): Promise<void> {
  if (layout === 'mpr') {
    await page.evaluate(() => {
      (window as unknown as HostWindow).commandsManager.run('setHangingProtocol', { protocolId: 'mpr' });
    });
    await page.locator('canvas.cornerstone-canvas').nth(2).waitFor({ timeout: 60_000 });
    return;
  }
  const shown = await page.evaluate(() => {
    const { commandsManager, services } = window as unknown as HostWindow;
    const grid = services.viewportGridService;
    const displaySets = grid.getDisplaySetsUIDsForViewport(grid.getActiveViewportId());
    commandsManager.run('setViewportGridLayout', { numRows: 1, numCols: 2 });
    return displaySets;
  });
  await page.waitForFunction(
    () => (window as unknown as HostWindow).services.viewportGridService.getState().viewports.size === 2,
  );
  await page.evaluate((displaySetInstanceUIDs) => {
    const grid = (window as unknown as HostWindow).services.viewportGridService;
    const [, viewportId = ''] = [...grid.getState().viewports.keys()];
    grid.setDisplaySetsForViewports([{ viewportId, displaySetInstanceUIDs }]);
  }, shown);
  await page.locator('canvas.cornerstone-canvas').nth(1).waitFor({ timeout: 60_000 });
}

/** The share of a viewport's pixels that have a colour: of its overlay, for the images are grey.
 * @param viewport as they come in the page */
export function colouredShare(page: Page, viewport: number): Promise<number> {
  return page
    .locator('canvas.cornerstone-canvas')
    .nth(viewport)
    .evaluate((canvas) => {
      if (!(canvas instanceof HTMLCanvasElement)) throw new Error('the viewport has no canvas');
      const { width, height } = canvas;
      const pixels = canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
      let coloured = 0;
      for (let at = 0; at < pixels.length; at += 4) {
        const [red = 0, green = 0, blue = 0] = pixels.subarray(at, at + 3);
        if (Math.max(red, green, blue) - Math.min(red, green, blue) > 20) coloured++;
      }
      return coloured / (width * height);
    });
}

/** Paints one dab of OHIF's brush, by the mouse, at a place of the first viewport.
 * @param at fractions of its width and height */
export async function brush(page: Page, at: { readonly x: number; readonly y: number }): Promise<void> {
  await showPanel(page, 'panelSegmentationWithToolsLabelMap');
  await page.locator('[data-cy="Brush-btn"]').click();
  const box = await page.locator('.cornerstone-canvas').first().boundingBox();
  if (box === null) throw new Error('there is no viewport');
  const [x, y] = [box.x + box.width * at.x, box.y + box.height * at.y];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 12, y + 4, { steps: 4 });
  await page.mouse.up();
  await showPanel(page, 'slicewise');
}

/** OHIF's own buttons. */
export async function undo(page: Page): Promise<void> {
  await page.locator('[data-cy="undo-btn"]').click();
}

export async function redo(page: Page): Promise<void> {
  await page.locator('[data-cy="redo-btn"]').click();
}

/** The volume of a segment as the panel shows it, in ml. */
export async function shownVolumeMl(page: Page, segmentNumber: number): Promise<number> {
  const segment = page.locator(`[data-cy="slicewise-segment-${segmentNumber}"]`);
  const text = await segment.locator('[data-cy="slicewise-volume"]').innerText();
  return Number.parseFloat(text.replace('≥', ''));
}

/** Saves to the archive and waits for what becomes of it.
 * @returns what the panel says of it */
export async function save(page: Page): Promise<string> {
  while ((await notices(page).count()) > 0)
    await notices(page).first().getByRole('button', { name: 'Dismiss' }).click();
  await page.locator('[data-cy="slicewise-save"]').click();
  await notices(page).first().waitFor({ timeout: 120_000 });
  return (await notices(page).allInnerTexts()).join('\n');
}

/** Opens the only stored segmentation of the study, as a user does: a double click on its thumbnail, and yes. */
export async function openStoredSegmentation(page: Page): Promise<void> {
  await page.locator('[data-cy="study-browser-thumbnail-no-image"]').first().dblclick();
  await page.locator('[data-cy="yes-hydrate-btn"]').click({ timeout: 60_000 });
  await page.locator('[data-cy="slicewise-segmentation"]').waitFor({ timeout: 60_000 });
}

/** Labels of a segmentation, slice by slice, by the SOP Instance UIDs of the images. */
export type LabelsByImage = ReadonlyMap<string, Uint8Array>;

/** The labels of the only segmentation in the viewer. */
export async function readLabels(page: Page): Promise<LabelsByImage> {
  const slices = await page.evaluate(() => {
    const { cornerstone, services } = window as unknown as HostWindow;
    const [segmentation, ...more] = services.segmentationService.getSegmentations();
    if (segmentation === undefined || more.length > 0) throw new Error('there is not one segmentation');
    return segmentation.representationData.Labelmap.imageIds.map((imageId) => {
      const image = cornerstone.cache.getImage(imageId);
      const { SOPInstanceUID } = cornerstone.metaData.get('instance', image.referencedImageId);
      const labels = Uint8Array.from(image.voxelManager.getScalarData());
      let text = '';
      for (let at = 0; at < labels.length; at += 8192) text += String.fromCharCode(...labels.subarray(at, at + 8192));
      return [SOPInstanceUID, btoa(text)] as const;
    });
  });
  return new Map(slices.map(([uid, base64]) => [uid, new Uint8Array(Buffer.from(base64, 'base64'))]));
}

/** What the tests touch of OHIF's globals. */
interface HostWindow {
  readonly commandsManager: { run(command: string, options: object): void };
  readonly cornerstone: {
    readonly cache: {
      getImage(imageId: string): {
        readonly referencedImageId: string;
        readonly voxelManager: { getScalarData(): ArrayLike<number> };
      };
    };
    readonly metaData: { get(module: 'instance', imageId: string): { readonly SOPInstanceUID: string } };
  };
  readonly services: {
    readonly viewportGridService: {
      getActiveViewportId(): string;
      getDisplaySetsUIDsForViewport(viewportId: string): readonly string[];
      getState(): { readonly viewports: ReadonlyMap<string, unknown> };
      setDisplaySetsForViewports(
        viewports: readonly { viewportId: string; displaySetInstanceUIDs: readonly string[] }[],
      ): void;
    };
    readonly segmentationService: {
      getSegmentations(): {
        readonly representationData: { readonly Labelmap: { readonly imageIds: readonly string[] } };
      }[];
    };
  };
}
