import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { measureProcess } from './measure-process.ts';
import { COLUMNS, createSegSample, SLICES } from './seg-sample.ts';
import { median, megabytes, seconds, type Verdict } from './targets.ts';

const figuresSchema = z.object({
  ms: z.number(),
  extraBytes: z.number().nullable(),
  frames: z.number().optional(),
  voxels: z.number().optional(),
});

export type SegFigures = z.infer<typeof figuresSchema>;

const LABELMAP_BYTES = COLUMNS * COLUMNS * SLICES;
const ROOT = join(import.meta.dirname, '..', '..');

const OURS = { encode: 'encode: slicewise, BINARY', decode: 'decode: slicewise' } as const;
const NODE_TASKS = [
  OURS.encode,
  'encode: adapters + dcmjs, BINARY',
  OURS.decode,
  'decode: dcmqi (itk-wasm)',
  'encode: slicewise, LABELMAP',
  'encode: slicewise, LABELMAP RLE',
  'encode and verify: slicewise, BINARY',
];
const PYTHON_TASKS = ['encode: highdicom, BINARY', 'decode: pydicom + numpy'];

/** DICOM-SEG of 512 × 512 × 300 with five segments, 1,500 frames: every program writes and reads the same, turn by turn. */
export async function benchSegmentations(repetitions: number): Promise<{ medians: object; verdicts: Verdict[] }> {
  const scratch = await mkdtemp(join(tmpdir(), 'slicewise-bench-seg-'));
  const [labels, seg] = [join(scratch, 'labels.u8'), join(scratch, 'seg.dcm')];
  const python = findPython();
  if (python === undefined) console.log('No Python with highdicom (SLICEWISE_PYTHON): measuring without it.');
  const runs = new Map<string, SegFigures[]>();
  try {
    await writeFile(labels, createSegSample().labelmap.voxels);
    for (let n = 0; n < repetitions; n++) {
      for (const task of NODE_TASKS) {
        const program = join(import.meta.dirname, 'seg-task.ts');
        note(runs, task, await measured(process.execPath, ['--expose-gc', '--import', 'tsx', program, task, seg]));
      }
      for (const task of python === undefined ? [] : PYTHON_TASKS) {
        const program = join(import.meta.dirname, 'seg_peers.py');
        note(runs, task, await measured(python ?? '', [program, task, labels, seg]));
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const medians = Object.fromEntries(Array.from(runs, ([task, figures]) => [task, medianOf(figures)]));
  assertSameWork(medians);
  print(medians);
  return { medians, verdicts: judgeSegmentations(medians) };
}

/** @param medians of each task that was run */
export function judgeSegmentations(medians: Readonly<Record<string, SegFigures>>): Verdict[] {
  const compare = (kind: Verdict['kind'], ours: string, peer: string, least: number): Verdict[] => {
    const [own, other] = [medians[ours], medians[peer]];
    if (own === undefined || other === undefined) return [];
    const ratio = other.ms / own.ms;
    const claim = `${ours} at least ${least} × as fast as ${peer.replace(/^\w+: /, '')}`;
    return [{ kind, claim, found: `${ratio.toFixed(1)} ×`, holds: ratio >= least }];
  };
  const extra = medians[OURS.encode]?.extraBytes ?? undefined;
  const memory: Verdict[] =
    extra === undefined
      ? []
      : [
          {
            kind: 'must',
            claim: `${OURS.encode} takes at most twice the labelmap's ${megabytes(LABELMAP_BYTES)} beyond it`,
            found: megabytes(extra),
            holds: extra <= 2 * LABELMAP_BYTES,
          },
        ];
  return [
    ...compare('must', OURS.encode, 'encode: adapters + dcmjs, BINARY', 10),
    ...compare('must', OURS.encode, 'encode: highdicom, BINARY', 4),
    ...memory,
    ...compare('must', OURS.decode, 'decode: dcmqi (itk-wasm)', 4),
    ...compare('target', OURS.decode, 'decode: pydicom + numpy', 1),
  ];
}

async function measured(command: string, args: readonly string[]): Promise<SegFigures> {
  const { stdout } = await measureProcess(command, args);
  // What comes before is said by the libraries.
  return figuresSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

function note(runs: Map<string, SegFigures[]>, task: string, figures: SegFigures): void {
  runs.set(task, [...(runs.get(task) ?? []), figures]);
}

function medianOf(figures: readonly SegFigures[]): SegFigures {
  const [any] = figures;
  return {
    ...any,
    ms: median(figures.map(({ ms }) => ms)),
    extraBytes: median(figures.map(({ extraBytes }) => extraBytes ?? NaN)),
  };
}

/** A contender that does less would look fast. */
function assertSameWork(medians: Readonly<Record<string, SegFigures>>): void {
  for (const of of ['frames', 'voxels'] as const) {
    const found = Object.entries(medians).filter(([task]) => !task.includes('LABELMAP'));
    const distinct = new Set(found.flatMap(([, figures]) => figures[of] ?? []));
    if (distinct.size > 1) throw new Error(`The contenders found ${[...distinct].join(' and ')} ${of}.`);
  }
}

function print(medians: Readonly<Record<string, SegFigures>>): void {
  console.log('');
  for (const [task, { ms, extraBytes }] of Object.entries(medians)) {
    const memory = extraBytes === null || Number.isNaN(extraBytes) ? '' : megabytes(extraBytes);
    console.log(`${task.padEnd(40)} ${seconds(ms).padStart(9)} ${memory.padStart(9)}`);
  }
}

function findPython(): string | undefined {
  const virtual = join(ROOT, '.venv', 'bin', 'python');
  const python = process.env['SLICEWISE_PYTHON'] ?? (existsSync(virtual) ? virtual : 'python3');
  return spawnSync(python, ['-c', 'import highdicom']).status === 0 ? python : undefined;
}
