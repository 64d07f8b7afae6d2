import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright';
import { buildExtension } from '../../../extension/server/build-extension.ts';
import { ISOLATION_HEADERS } from '../../../extension/server/headers.ts';
import { findFile, sendFile } from '../../../extension/server/static-files.ts';
import { encodeNiftiImage } from '../../../src/export/nifti.ts';
import { createGeometry } from '../../../src/volume/geometry.ts';
import { tinyModelFolder } from '../../support/models.ts';
import { seconds, type Verdict } from '../targets.ts';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const SIZES = [
  [256, 256, 120],
  [512, 512, 300],
] as const;

/** Measures the bridge on the example page, in a viewer that draws: a click to its first overlay, the whole run, and how
 * long our own code keeps the page's thread. The model is a tiny one, so that what is around it shows. */
export async function benchViewer(): Promise<Verdict[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'slicewise-bench-viewer-'));
  const extension = await buildExtension(() => undefined);
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(ISOLATION_HEADERS)) response.setHeader(name, value);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/models/index.json') {
      response.setHeader('Content-Type', 'application/json').end('["tiny-heart"]');
      return;
    }
    const model = /^\/models\/tiny-heart(?<file>\/.*)$/.exec(pathname)?.groups?.['file'];
    void findFile(model === undefined ? extension : tinyModelFolder, model ?? pathname).then(async (file) => {
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
      await runOnce(page); // the model is loaded and tested by the first run
      verdicts.push(...judge(dimensions.join(' × '), await runOnce(page)));
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

interface RunFigures {
  /** From the click until the page was told of the first slices. */
  readonly firstOverlayMs: number;
  readonly runMs: number;
  readonly inferenceMs: number;
  readonly slices: number;
  /** The longest piece of our own work, by name; telling the page, which then draws, apart. */
  readonly longest: readonly (readonly [name: string, ms: number])[];
}

async function runOnce(page: Page): Promise<RunFigures> {
  await page.locator('#run:not([disabled])').waitFor();
  await page.evaluate(() => {
    performance.clearMeasures();
  });
  await page.locator('#run').click();
  await page.waitForFunction(() => performance.getEntriesByName('slicewise:run').length > 0);
  return page.evaluate(() => {
    const measures = performance
      .getEntriesByType('measure')
      .filter((entry): entry is PerformanceMeasure => entry.name.startsWith('slicewise:'));
    const click = performance.getEntriesByName('slicewise:click').at(-1)?.startTime ?? NaN;
    const run = measures.find(({ name }) => name === 'slicewise:run');
    const first = measures.find(({ name }) => name === 'slicewise:show-slices');
    const detail = run?.detail as { inferenceMs: number; slices: number };
    const longest = new Map<string, number>();
    for (const { name, duration } of measures) {
      if (name !== 'slicewise:run') longest.set(name, Math.max(longest.get(name) ?? 0, duration));
    }
    return {
      firstOverlayMs: (first?.startTime ?? NaN) + (first?.duration ?? NaN) - click,
      runMs: run?.duration ?? NaN,
      ...detail,
      longest: [...longest],
    };
  });
}

function judge(name: string, { firstOverlayMs, runMs, inferenceMs, slices, longest }: RunFigures): Verdict[] {
  const limit = (3 * inferenceMs) / slices + 100;
  const own = longest.filter(([what]) => what !== 'slicewise:show-slices').sort(([, a], [, b]) => b - a);
  const [what, ms] = own[0] ?? ['', NaN];
  console.log(
    `${name}: ${longest.map(([part, most]) => `${part.slice(10)} ${most.toFixed(1)} ms`).join(', ')} at most`,
  );
  return [
    {
      kind: 'must',
      claim: `${name} in a viewer: click to first overlay within 3 slices' inference and 100 ms (${seconds(limit)})`,
      found: seconds(firstOverlayMs),
      holds: firstOverlayMs <= limit,
    },
    {
      kind: 'target',
      claim: `${name} in a viewer that draws in software: whole run at most 1.15 of the sum of inference`,
      found: (runMs / inferenceMs).toFixed(3),
      holds: runMs <= 1.15 * inferenceMs,
    },
    {
      kind: 'must',
      claim: `${name} in a viewer: no piece of our work over 50 ms`,
      found: `${what.slice(10)} ${ms.toFixed(1)} ms`,
      holds: ms <= 50,
    },
  ];
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
    spacing: [1.4, 1.4, 3],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  });
  return encodeNiftiImage({ geometry, voxels }, { gzip: false });
}
