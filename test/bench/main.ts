import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { parseManifest } from '../../src/models/manifest.ts';
import {
  findPythonStack,
  measureStartUp,
  runSlicewise,
  type Contender,
  type Job,
  type RunFigures,
} from './contenders.ts';
import { benchNetworks } from './networks.ts';
import { benchSegmentations } from './segmentations.ts';
import { judge, median, medianOf, megabytes, seconds, type SeriesFigures, type Verdict } from './targets.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    slices: { type: 'string', default: '60,120,240' },
    size: { type: 'string', default: '256' },
    repetitions: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    model: { type: 'string', default: 'cardiac-mr' },
    /** The networks' part: a folder of .onnx files, or of model folders. */
    networks: { type: 'string', default: join(ROOT, 'models') },
    output: { type: 'string', default: join(ROOT, 'out', 'bench.json') },
    /** The browser's part on the graphics card. */
    webgpu: { type: 'boolean', default: false },
    /** Exit code 1 if a must is missed. */
    strict: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** `npm run bench -- segment`: Slicewise and python_stack.py on the same synthetic series, model and threads, turn by turn. */
async function bench(): Promise<Verdict[]> {
  const slices = options.slices
    .split(',')
    .map(Number)
    .toSorted((a, b) => a - b);
  const [size, threads, repetitions] = [options.size, options.threads, options.repetitions].map(Number);
  if (size === undefined || threads === undefined || repetitions === undefined) throw new RangeError('three numbers');
  const model = await findModel(options.model);
  const peer = findPythonStack();
  if (peer === undefined) console.log('python_stack.py is not there (SLICEWISE_PEERS): measuring Slicewise alone.');
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`;
  console.log(`${machine}; ${threads} threads; load ${loadNow()} (a load near 0 gives figures that mean something)`);

  const scratch = await mkdtemp(join(tmpdir(), 'slicewise-bench-'));
  try {
    const startUpMs = median(await repeat(repetitions, measureStartUp));
    const figures: SeriesFigures[] = [];
    const runs: object[] = [];
    for (const count of slices) {
      const series = join(scratch, `series-${count}`);
      await writeSeries(series, count, size);
      const job: Job = { series, ...model, threads, scratch };
      const measured = await takeTurns(job, repetitions, peer, (name, run) => {
        runs.push({ slices: count, name, load: loadavg()[0], ...run });
      });
      figures.push({ slices: count, voxels: count * size * size, ...measured });
      await rm(series, { recursive: true });
    }
    const verdicts = judge(figures);
    printTable(figures, startUpMs);
    printVerdicts(verdicts);
    const document = { machine, threads, size, repetitions, startUpMs, medians: figures, verdicts, runs };
    await mkdir(join(ROOT, 'out'), { recursive: true });
    await writeFile(options.output, `${JSON.stringify(document, null, 2)}\n`);
    console.log(`\nLoad at the end ${loadNow()}. Wrote ${options.output}`);
    return verdicts;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Writing and reading DICOM-SEG against the adapters, dcmqi, highdicom and pydicom. */
async function segmentations(): Promise<Verdict[]> {
  console.log(`\nSegmentations; load ${loadNow()}`);
  const { medians, verdicts } = await benchSegmentations(Number(options.repetitions));
  printVerdicts(verdicts);
  await mkdir(join(ROOT, 'out'), { recursive: true });
  const path = options.output.replace(/(\.json)?$/, '-segmentations.json');
  await writeFile(path, `${JSON.stringify({ medians, verdicts }, null, 2)}\n`);
  return verdicts;
}

/** What a window costs each network. */
async function networks(): Promise<Verdict[]> {
  console.log(`\nNetworks; load ${loadNow()}`);
  const figures = await benchNetworks(options.networks, Number(options.threads), Number(options.repetitions));
  for (const { network, shape, runtime, ms, peakBytes } of figures) {
    const columns = [
      network.padEnd(28),
      shape.join(' × ').padEnd(18),
      runtime.padEnd(22),
      `${ms.toFixed(1)} ms`.padStart(9),
    ];
    console.log([...columns, megabytes(peakBytes).padStart(8)].join('  '));
  }
  await mkdir(join(ROOT, 'out'), { recursive: true });
  await writeFile(options.output.replace(/(\.json)?$/, '-networks.json'), `${JSON.stringify(figures, null, 2)}\n`);
  return [];
}

async function findModel(idOrFolder: string): Promise<Pick<Job, 'modelFolder' | 'onnxFile'>> {
  const own = join(ROOT, 'models', idOrFolder);
  const modelFolder = existsSync(join(own, 'manifest.json')) ? own : resolve(idOrFolder);
  const { file } = parseManifest(JSON.parse(await readFile(join(modelFolder, 'manifest.json'), 'utf8')));
  return { modelFolder, onnxFile: join(modelFolder, file.path) };
}

/** One phase, one sample a voxel: what the programs read is as large and as varied as the full picture. */
async function writeSeries(folder: string, slices: number, size: number): Promise<void> {
  const heart = createShortAxisHeart({ slices, size, phases: 1, supersampling: [1, 1, 1] });
  await writeDicomPhase(folder, heart, 0);
}

/** A slow minute of the machine hits both. */
async function takeTurns(
  job: Job,
  repetitions: number,
  peer: Contender | undefined,
  note: (name: string, run: RunFigures) => void,
): Promise<Pick<SeriesFigures, 'ours' | 'peer'>> {
  const [ours, theirs]: [RunFigures[], RunFigures[]] = [[], []];
  for (let n = 0; n < repetitions; n++) {
    const own = await runSlicewise(job);
    note('slicewise', own);
    ours.push(own);
    if (peer === undefined) continue;
    const other = await peer(job);
    note('python_stack', other);
    theirs.push(other);
  }
  return { ours: medianOf(ours), ...(peer && { peer: medianOf(theirs) }) };
}

function printTable(figures: readonly SeriesFigures[], startUpMs: number): void {
  const header = ['slices', 'program', 'a slice’s inference', 'inference', 'outside', 'whole process', 'peak'];
  const rows = figures.flatMap(({ slices, ours, peer }) =>
    [['slicewise', ours] as const, ...(peer ? [['python', peer] as const] : [])].map(([name, run]) => [
      String(slices),
      name,
      `${(run.inferenceMs / slices).toFixed(1)} ms`,
      seconds(run.inferenceMs),
      seconds(run.outsideMs),
      seconds(run.wallMs),
      megabytes(run.peakBytes),
    ]),
  );
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  console.log('');
  for (const row of [header, ...rows]) {
    console.log(row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '));
  }
  console.log(
    `\nOutside: wall time that is not inside session.run. Slicewise's has the start of Node and all modules in it ` +
      `(${seconds(startUpMs)} alone), the Python stack's leaves its imports out.`,
  );
}

function printVerdicts(verdicts: readonly Verdict[]): void {
  console.log('');
  for (const { kind, claim, found, holds } of verdicts) {
    console.log(`${holds ? 'holds ' : 'MISSED'}  ${kind.padEnd(6)}  ${claim}: ${found}`);
  }
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < times; n++) results.push(await work());
  return results;
}

function loadNow(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

const parts: Readonly<Record<string, () => Promise<Verdict[]>>> = {
  segment: bench,
  segmentations,
  networks,
  decoding: async () => {
    const { benchDecoding } = await import('./decoding.ts');
    await benchDecoding({ strict: options.strict, repetitions: Number(options.repetitions) });
    return [];
  },
  headers: async () => {
    const { benchHeaders } = await import('./headers.ts');
    const verdicts = await benchHeaders(ROOT);
    printVerdicts(verdicts);
    return verdicts;
  },
  browser: async () => {
    // Only now: it loads a bundler and a browser's driver.
    const { benchBrowser } = await import('./browser/bench.ts');
    const verdicts = await benchBrowser(options.model, options.webgpu);
    printVerdicts(verdicts);
    return verdicts;
  },
  viewer: async () => {
    const { benchViewer } = await import('./browser/viewer.ts');
    const verdicts = await benchViewer(options.model);
    printVerdicts(verdicts);
    return verdicts;
  },
};
const HELP = `npm run bench -- [part …] [options]

Measures speed and memory as ratios in one run. Parts (default: all): ${Object.keys(parts).join(', ')}

  --slices <n,n,…>   of the series (${options.slices})      --size <pixels>    of a slice (${options.size})
  --repetitions <n>  of each measurement (${options.repetitions})       --threads <n>      of the model (${options.threads})
  --model <id>       ${options.model}                  --networks <folder> with .onnx files or model folders
  --output <file>    ${relative(process.cwd(), options.output)}
  --webgpu           the browser's part on the graphics card
  --strict           exit code 1 if a must is missed`;

const chosen = options.help ? [] : positionals.length > 0 ? positionals : Object.keys(parts);
if (options.help) console.log(HELP);
for (const name of chosen) {
  const part = parts[name];
  if (part === undefined) throw new RangeError(`no part ${name}: ${Object.keys(parts).join(', ')}`);
  const verdicts = await part();
  if (options.strict && verdicts.some(({ kind, holds }) => kind === 'must' && !holds)) process.exitCode = 1;
}
