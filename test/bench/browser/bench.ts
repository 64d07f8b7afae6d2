import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright';
import { build } from 'vite';
import { ISOLATION_HEADERS } from '../../../server/headers.ts';
import { findFile, sendFile } from '../../../server/static-files.ts';
import { megabytes, seconds, type Verdict } from '../targets.ts';
import type { BenchPage, PageFigures, PageJob } from './page.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** The largest run that the promises name, and a small one. */
const JOBS: readonly Omit<PageJob, 'modelUrl'>[] = [
  { dimensions: [256, 256, 60], spacing: 1.4 },
  { dimensions: [512, 512, 300], spacing: 0.7 },
];

interface BrowserFigures extends PageFigures {
  readonly dimensions: readonly number[];
  /** Resident set of the page's process. */
  readonly beforeBytes: number;
  readonly peakBytes: number;
}

/** Runs the worker's client on a page of its own in Chromium and holds it to what is promised of it.
 * @param webGpu on the graphics card; else on WebAssembly */
export async function benchBrowser(model: string, webGpu: boolean): Promise<Verdict[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'slicewise-bench-page-'));
  await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: 'error',
    base: './',
    worker: { format: 'es' },
    build: { outDir: scratch, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 1e5 },
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    for (const [name, value] of Object.entries(ISOLATION_HEADERS)) response.setHeader(name, value);
    const folder = pathname.startsWith('/models/') ? ROOT : scratch;
    void findFile(folder, pathname === '/' ? '/index.html' : pathname).then(async (file) => {
      if (file === undefined) response.writeHead(404).end();
      else await sendFile(request, response, file);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  try {
    const url = `http://localhost:${address.port}/`;
    const verdicts: Verdict[] = [];
    for (const job of JOBS) {
      const figures = await measure(url, { ...job, modelUrl: `${url}models/${model}/` }, webGpu);
      print(figures);
      verdicts.push(...judge(figures));
    }
    return verdicts;
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function measure(url: string, job: PageJob, webGpu: boolean): Promise<BrowserFigures> {
  const server = await chromium.launchServer({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-quic', ...(webGpu ? ['--enable-unsafe-webgpu', '--enable-features=Vulkan'] : [])],
  });
  const browser = await chromium.connect(server.wsEndpoint());
  try {
    const context = await browser.newContext();
    const firstVisit = await visit(context, url, job);
    await firstVisit.evaluate(() => (globalThis as unknown as { benchPage: BenchPage }).benchPage.open());
    await firstVisit.close();
    const tab = await visit(context, url, job); // the browser has the model now
    const memoryOfRun = await watchMemory(server.process().pid ?? 0);
    await tab.evaluate(() => (globalThis as unknown as { benchPage: BenchPage }).benchPage.open());
    const figures = await tab.evaluate(() => (globalThis as unknown as { benchPage: BenchPage }).benchPage.run());
    return { ...figures, dimensions: job.dimensions, ...memoryOfRun() };
  } finally {
    await browser.close();
    await server.close();
  }
}

async function visit(context: BrowserContext, url: string, job: PageJob): Promise<Page> {
  const tab = await context.newPage();
  tab.setDefaultTimeout(0);
  await tab.goto(url);
  await tab.waitForFunction('globalThis.benchPage');
  await tab.evaluate((given) => {
    (globalThis as unknown as { benchPage: BenchPage }).benchPage.prepare(given);
  }, job);
  return tab;
}

function judge({ dimensions, medianSliceMs, ...figures }: BrowserFigures): Verdict[] {
  const name = dimensions.join(' × ');
  const ratio = figures.wholeRunMs / figures.inferenceMs;
  const extra = figures.peakBytes - figures.beforeBytes;
  const firstLimit = 3 * medianSliceMs + 100;
  const longest = Math.max(0, ...figures.longTasksMs);
  return [
    {
      kind: 'must',
      claim: `${name}: whole run at most 1.15 of the sum of inference`,
      found: ratio.toFixed(3),
      holds: ratio <= 1.15,
    },
    {
      kind: 'must',
      claim: `${name}: first slice within 3 slices' inference and 100 ms (${seconds(firstLimit)})`,
      found: seconds(figures.firstSliceMs),
      holds: figures.firstSliceMs <= firstLimit,
    },
    {
      kind: 'must',
      claim: `${name}: no task of the page's thread over 50 ms`,
      found: longest === 0 ? 'none' : `${figures.longTasksMs.length}, the longest ${longest} ms`,
      holds: longest === 0,
    },
    {
      kind: 'must',
      claim: `${name}: runtime, open model and run take at most 300 MB over volume and labelmap`,
      found: megabytes(extra),
      holds: extra <= 300e6,
    },
  ];
}

function print({ dimensions, summary, wholeRunMs, inferenceMs, medianSliceMs, labelled }: BrowserFigures): void {
  console.log(
    `${dimensions.join(' × ')}: ${summary}; whole run ${seconds(wholeRunMs)}, inference ${seconds(inferenceMs)}, ` +
      `a slice ${medianSliceMs.toFixed(1)} ms; ${labelled} voxels labelled`,
  );
}

/** Reads the resident set of the browser's largest page process again and again. */
async function watchMemory(browserPid: number): Promise<() => Pick<BrowserFigures, 'beforeBytes' | 'peakBytes'>> {
  await new Promise((resolve) => setTimeout(resolve, 1000)); // what the page dropped is collected
  const beforeBytes = await largestPage(browserPid);
  let peakBytes = beforeBytes;
  const poll = setInterval(() => {
    void largestPage(browserPid).then((bytes) => (peakBytes = Math.max(peakBytes, bytes)));
  }, 100);
  return () => {
    clearInterval(poll);
    return { beforeBytes, peakBytes };
  };
}

async function largestPage(browserPid: number): Promise<number> {
  const parents = new Map<number, number>();
  const pages = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const status = await readFile(`/proc/${name}/status`, 'utf8');
      parents.set(pid, Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]));
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8');
      if (command.includes('--type=renderer')) pages.set(pid, 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // it has ended
    }
  }
  const isOfBrowser = (pid: number): boolean => pid === browserPid || (pid > 1 && isOfBrowser(parents.get(pid) ?? 0));
  return Math.max(0, ...[...pages].filter(([pid]) => isOfBrowser(pid)).map(([, bytes]) => bytes));
}
