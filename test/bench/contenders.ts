import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { measureProcess } from './measure-process.ts';

/** One segmentation of one series by one program. */
export interface RunFigures {
  /** Inside session.run. */
  readonly inferenceMs: number;
  /** Everything else, on the wall's clock. Ours: of the whole process, start-up included. The peer's: without its
   * start-up and imports, as it reports it. */
  readonly outsideMs: number;
  /** From the start of the process to its end. */
  readonly wallMs: number;
  readonly peakBytes: number;
  readonly labelledVoxels: number;
}

export interface Job {
  readonly series: string;
  /** A folder with manifest.json and model.onnx. */
  readonly modelFolder: string;
  readonly onnxFile: string;
  readonly threads: number;
  /** A folder for what is written. */
  readonly scratch: string;
}

export type Contender = (job: Job) => Promise<RunFigures>;

const ROOT = join(import.meta.dirname, '..', '..');
const CLI = join(ROOT, 'dist', 'cli', 'main.js');
const TIMER = import.meta.resolve('./time-session-run.js');

const reportSchema = z.object({
  peakMemoryBytes: z.number(),
  segments: z.array(z.object({ voxelCount: z.number() })),
});

/** The built CLI, as a user runs it. */
export const runSlicewise: Contender = async ({ series, modelFolder, threads, scratch }) => {
  const [output, reportPath, times] = ['ours.dcm', 'ours.json', 'run-times.txt'].map((name) => join(scratch, name));
  if (output === undefined || reportPath === undefined || times === undefined) throw new RangeError('three names');
  await rm(times, { force: true });
  const args = ['segment', series, '--model', modelFolder, '--output', output, '--report', reportPath];
  const figures = await measureProcess(
    process.execPath,
    ['--import', TIMER, CLI, ...args, '--threads', String(threads), '--quiet'],
    { SLICEWISE_RUN_TIMES: times },
  );
  const runs = (await readFile(times, 'utf8')).trim().split('\n').map(Number);
  const inferenceMs = runs.reduce((sum, ms) => sum + ms, 0);
  const report = reportSchema.parse(JSON.parse(await readFile(reportPath, 'utf8')));
  return {
    inferenceMs,
    outsideMs: figures.wallMs - inferenceMs,
    wallMs: figures.wallMs,
    peakBytes: Math.max(figures.peakBytes, report.peakMemoryBytes),
    labelledVoxels: report.segments.reduce((sum, { voxelCount }) => sum + voxelCount, 0),
  };
};

/** The time until Node has loaded what `segment` uses, with nothing else going on. */
export async function measureStartUp(): Promise<number> {
  const modules = ['cli/segment.js', 'pipeline/segment-volume.js', 'seg/encode-dicom-seg.js', 'verify.js'].map(
    (path) => `await import(${JSON.stringify(join(ROOT, 'dist', path))});`,
  );
  const script = `process.env.ORT_DISABLE_TELEMETRY = '1'; ${modules.join('')} await import('onnxruntime-node');`;
  return (await measureProcess(process.execPath, ['--input-type=module', '--eval', script])).wallMs;
}

const peerSchema = z.object({
  run_s: z.number(),
  outside_s: z.number(),
  peak_mb: z.number().describe('MiB'),
  labelled_voxels: z.number(),
});

/** python_stack.py: pydicom, onnxruntime, highdicom. Undefined where the script is missing. */
export function findPythonStack(): Contender | undefined {
  const script = join(process.env['SLICEWISE_PEERS'] ?? join(ROOT, '..', 'shared', 'peers'), 'python_stack.py');
  if (!existsSync(script)) return undefined;
  const virtual = join(ROOT, '.venv', 'bin', 'python');
  const python = process.env['SLICEWISE_PYTHON'] ?? (existsSync(virtual) ? virtual : 'python3');
  return async ({ series, onnxFile, threads, scratch }) => {
    const json = join(scratch, 'peer.json');
    const args = [script, series, onnxFile, join(scratch, 'peer.dcm'), '--threads', String(threads), '--json', json];
    const { wallMs, peakBytes } = await measureProcess(python, args);
    const peer = peerSchema.parse(JSON.parse(await readFile(json, 'utf8')));
    return {
      inferenceMs: 1000 * peer.run_s,
      outsideMs: 1000 * peer.outside_s,
      wallMs,
      peakBytes: Math.max(peakBytes, peer.peak_mb * 2 ** 20),
      labelledVoxels: peer.labelled_voxels,
    };
  };
}
