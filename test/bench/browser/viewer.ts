import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright';
import { buildExtension } from '../../../server/build-extension.ts';
import { ISOLATION_HEADERS } from '../../../server/headers.ts';
import { findFile, sendFile } from '../../../server/static-files.ts';
import { encodeNiftiImage } from '../../../src/nifti/encode-nifti.ts';
import { createGeometry } from '../../../src/volume/geometry.ts';
import { tinyModelFolder } from '../../support/models.ts';
import { seconds, type Verdict } from '../targets.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const SIZES = [
  [256, 256, 120],
  [512, 512, 300],
] as const;
const FIELD_OF_VIEW_MM = 350;

/** Measures the bridge on the example page, in a viewer that draws: a click to its first overlay, and how long our own
 * code keeps the page's thread, at its busiest: with a tiny model. */
export async function benchViewer(model: string): Promise<Verdict[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'slicewise-bench-viewer-'));
  const extension = await buildExtension(() => undefined);
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(ISOLATION_HEADERS)) response.setHeader(name, value);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/models/index.json') {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(['tiny-heart', model]));
      return;
    }
    const tiny = /^\/models\/tiny-heart(?<file>\/.*)$/.exec(pathname)?.groups?.['file'];
    const [folder, path] =
      tiny !== undefined ? [tinyModelFolder, tiny] : [pathname.startsWith('/models/') ? ROOT : extension, pathname];
    void findFile(folder, path).then(async (file) => {
      if (file === undefined) response.writeHead(404).end();
      else await sendFile(request, response, file);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-quic', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  });
  try {
    const verdicts: Verdict[] = [];
    for (const dimensions of SIZES) {
      const file = join(scratch, `${dimensions.join('x')}.nii`);
      await writeFile(file, await drawnNifti(dimensions));
      const page = await browser.newPage();
      page.setDefaultTimeout(0);
      await page.goto(`http://localhost:${address.port}/example/index.html?models=/models/`);
      await page.locator('#files').setInputFiles(file);
      const name = `${dimensions.join(' × ')} in a viewer`;
      await page.locator('#model').selectOption(model);
      await untilFirstOverlay(page); // loads and tests the model
      verdicts.push(judgeFirstOverlay(`${name}, ${model}`, await untilFirstOverlay(page)));
      await page.locator('#model').selectOption('tiny-heart');
      await runOnce(page);
      verdicts.push(judge(name, await runOnce(page)));
      await page.close();
      await rm(file);
    }
    return verdicts;
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

interface FirstOverlay {
  /** From the click until the page was told of the first slices. */
  readonly firstOverlayMs: number;
  readonly sliceMs: number;
}

/** Clicks on Run, and on Cancel at the third slice. */
async function untilFirstOverlay(page: Page): Promise<FirstOverlay> {
  await click(page);
  await page.waitForFunction(
    () =>
      performance.getEntriesByName('slicewise:click').length > 0 &&
      performance.getEntriesByName('slicewise:write-slice').length > 2,
  );
  const figures = await page.evaluate(() => {
    const click = performance.getEntriesByName('slicewise:click').at(-1)?.startTime ?? NaN;
    const [shown] = performance.getEntriesByName('slicewise:show-slices');
    const [first, , third] = performance.getEntriesByName('slicewise:write-slice');
    return {
      firstOverlayMs: (shown?.startTime ?? NaN) + (shown?.duration ?? NaN) - click,
      sliceMs: ((third?.startTime ?? NaN) - (first?.startTime ?? NaN)) / 2,
    };
  });
  await page.locator('#cancel').click();
  return figures;
}

function judgeFirstOverlay(name: string, { firstOverlayMs, sliceMs }: FirstOverlay): Verdict {
  const limit = 3 * sliceMs + 100;
  return {
    kind: 'must',
    claim: `${name}: click to first overlay within 3 slices and 100 ms (${seconds(limit)})`,
    found: seconds(firstOverlayMs),
    holds: firstOverlayMs <= limit,
  };
}

/** The longest piece of our own work, by name, in ms; telling the page, which then draws, apart. */
type LongestPieces = readonly (readonly [name: string, ms: number])[];

async function click(page: Page): Promise<void> {
  await page.locator('#run:not([disabled])').waitFor();
  await page.evaluate(() => {
    performance.clearMarks();
    performance.clearMeasures();
  });
  await page.locator('#run').click();
}

async function runOnce(page: Page): Promise<LongestPieces> {
  await click(page);
  await page.waitForFunction(() => performance.getEntriesByName('slicewise:run').length > 0);
  return page.evaluate(() => {
    const longest = new Map<string, number>();
    for (const { name, duration } of performance.getEntriesByType('measure')) {
      if (!name.startsWith('slicewise:') || name === 'slicewise:run') continue;
      longest.set(name, Math.max(longest.get(name) ?? 0, duration));
    }
    return [...longest];
  });
}

function judge(name: string, longest: LongestPieces): Verdict {
  const own = longest.filter(([what]) => what !== 'slicewise:show-slices').sort(([, a], [, b]) => b - a);
  const [what, ms] = own[0] ?? ['', NaN];
  console.log(
    `${name}: ${longest.map(([part, most]) => `${part.slice(10)} ${most.toFixed(1)} ms`).join(', ')} at most`,
  );
  return {
    kind: 'must',
    claim: `${name}: no piece of our work over 50 ms`,
    found: `${what.slice(10)} ${ms.toFixed(1)} ms`,
    holds: ms <= 50,
  };
}

/** A bright disc on noise in every slice: something to find and to draw. */
function drawnNifti(dimensions: readonly [number, number, number]): Promise<Uint8Array> {
  const [columns, rows, slices] = dimensions;
  const voxels = new Int16Array(columns * rows * slices);
  const random = (at: number): number => ((at * 2654435761) >>> 20) & 63;
  for (let at = 0; at < voxels.length; at++) {
    const [i, j] = [at % columns, Math.floor(at / columns) % rows];
    const isInDisc = (i - columns / 2) ** 2 + (j - rows / 2) ** 2 < (columns / 6) ** 2;
    voxels[at] = random(at) + (isInDisc ? 400 : 60);
  }
  const geometry = createGeometry({
    dimensions,
    spacing: [FIELD_OF_VIEW_MM / columns, FIELD_OF_VIEW_MM / rows, 3],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  });
  return encodeNiftiImage({ geometry, voxels }, { gzip: false });
}
