import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_CPU_MS, MAX_GROWTH_BYTES, type Finding, type RangeReport } from './findings.ts';

/** What came of all inputs of one target. */
export interface TargetReport {
  readonly target: string;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly slowestCpuMs: number;
  readonly mostGrowthBytes: number;
  readonly findings: readonly Finding[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  /** The first input's number. Default: 0. */
  readonly from?: number;
  /** No new process is started once it is true. */
  readonly isOver?: () => boolean;
}

/** Inputs that one process runs: its memory is judged against its own start. */
const INPUTS_A_PROCESS = 20_000;
const POLL_MS = 50;
/** What waits for ever takes no CPU time; a busy machine is slow. */
const MAX_WAIT_MS = 120_000;

/** Feeds a target with inputs, in processes that are ended where they hang or grow, and goes on behind such an input. */
export async function fuzzTarget(
  target: string,
  { seed, inputs, from = 0, isOver }: FuzzOptions,
): Promise<TargetReport> {
  const folder = mkdtempSync(join(tmpdir(), 'slicewise-fuzz-'));
  const reports: RangeReport[] = [];
  try {
    const end = from + inputs;
    let next = from;
    while (next < end && isOver?.() !== true) {
      const report = await runRange(target, seed, next, Math.min(end, next + INPUTS_A_PROCESS), join(folder, 'at'));
      reports.push(report);
      next = report.next;
    }
    return summed(target, next - from, reports);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function summed(target: string, inputs: number, reports: readonly RangeReport[]): TargetReport {
  const sum = (of: (report: RangeReport) => number): number => reports.reduce((all, report) => all + of(report), 0);
  const most = (of: (report: RangeReport) => number): number => Math.max(0, ...reports.map(of));
  return {
    target,
    inputs,
    accepted: sum(({ accepted }) => accepted),
    refused: sum(({ refused }) => Object.values(refused).reduce((all, count) => all + count, 0)),
    slowestCpuMs: most(({ slowestCpuMs }) => slowestCpuMs),
    mostGrowthBytes: most(({ mostGrowthBytes }) => mostGrowthBytes),
    findings: reports.flatMap(({ findings }) => findings),
  };
}

/** Runs a range in one process. What one that had to be ended has lost is run again, as far as to the input that ended it. */
async function runRange(
  target: string,
  seed: number,
  from: number,
  to: number,
  progress: string,
): Promise<RangeReport> {
  const child = fork(new URL('./run-range.ts', import.meta.url), [target, ...[seed, from, to].map(String), progress], {
    execArgv: ['--import', 'tsx', '--max-old-space-size=2048'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let report: RangeReport | undefined;
  let words = '';
  child.on('message', (message) => (report = message as RangeReport));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-2000)));
  const watch = watchProcess(child, () => indexIn(progress));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      resolve(exitCode ?? signal ?? 'unknown');
    });
  });
  const ended = watch.stop();
  if (report !== undefined) return report;
  const index = indexIn(progress);
  if (index === undefined) throw new Error(`${target} did not start: ${words}`);
  const finding: Finding = ended ?? {
    kind: 'end',
    index,
    message: `${code}: ${words.trim().split('\n').at(-1) ?? ''}`,
  };
  const before = index > from ? await runRange(target, seed, from, index, progress) : NOTHING;
  return {
    ...before,
    next: index + 1,
    slowestCpuMs: Math.max(before.slowestCpuMs, finding.kind === 'hang' ? MAX_CPU_MS : 0),
    mostGrowthBytes: Math.max(before.mostGrowthBytes, finding.kind === 'memory' ? MAX_GROWTH_BYTES : 0),
    findings: [...before.findings, finding],
  };
}

const NOTHING = { accepted: 0, refused: {}, slowestCpuMs: 0, mostGrowthBytes: 0, findings: [] } as const;

/** Ends a process whose input takes twice the CPU time that it may, or twice the memory, which its own checks would say
 * in between. */
function watchProcess(child: ChildProcess, indexNow: () => number | undefined) {
  let finding: Finding | undefined;
  let [last, cpuAtLast, restBytes]: [number | undefined, number, number | undefined] = [undefined, 0, undefined];
  let begunAt = performance.now();
  const timer = setInterval(() => {
    const index = indexNow();
    const now = usageOf(child.pid);
    if (index === undefined || now === undefined) return;
    restBytes ??= now.bytes;
    if (index !== last) [last, cpuAtLast, begunAt] = [index, now.cpuMs, performance.now()];
    const isHanging = now.cpuMs - cpuAtLast > 2 * MAX_CPU_MS || performance.now() - begunAt > MAX_WAIT_MS;
    const isGrowing = now.bytes - restBytes > 1.5 * MAX_GROWTH_BYTES;
    if (!isHanging && !isGrowing) return;
    finding ??= isHanging
      ? { kind: 'hang', index, message: `more than ${2 * MAX_CPU_MS} ms of CPU, or no end` }
      : { kind: 'memory', index, message: `more than ${1.5 * (MAX_GROWTH_BYTES / 2 ** 20)} MiB` };
    child.kill('SIGKILL');
  }, POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return finding;
    },
  };
}

function indexIn(progress: string): number | undefined {
  try {
    const bytes = readFileSync(progress);
    return bytes.length < 8 ? undefined : bytes.readDoubleLE();
  } catch {
    return undefined; // it has not begun
  }
}

const TICKS_A_SECOND = 100;
const PAGE_BYTES = 4096;

/** By Linux's /proc; elsewhere a process is judged by its own checks alone. */
function usageOf(pid: number | undefined): { readonly cpuMs: number; readonly bytes: number } | undefined {
  try {
    const fields =
      readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
        .split(') ')[1]
        ?.split(' ') ?? [];
    const [user, system, pages] = [fields[11], fields[12], fields[21]].map(Number);
    return { cpuMs: (((user ?? 0) + (system ?? 0)) * 1000) / TICKS_A_SECOND, bytes: (pages ?? 0) * PAGE_BYTES };
  } catch {
    return undefined;
  }
}
