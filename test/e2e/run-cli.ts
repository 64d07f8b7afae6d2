import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export const checkout = resolve(import.meta.dirname, '../..');
const bin = join(checkout, 'dist/cli/main.js');

export interface CliRun {
  /** null if a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another copy of the built bin. */
  readonly bin?: string;
  /** Ctrl-C after so many milliseconds. */
  readonly interruptAfterMs?: number;
}

/** Runs the built bin as its users do, in a process of its own with both outputs in pipes. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const child = spawn(process.execPath, [options.bin ?? bin, ...args], {
    cwd: options.cwd ?? checkout,
    env: { ...process.env, DEBUG: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const timer =
    options.interruptAfterMs === undefined
      ? undefined
      : setTimeout(() => child.kill('SIGINT'), options.interruptAfterMs);
  const code = await new Promise<number | null>((resolveCode, reject) => {
    child.on('error', reject);
    child.on('close', resolveCode);
  });
  clearTimeout(timer);
  return { code, ...written };
}

export interface TerminalRun {
  readonly code: number | null;
  /** What the terminal saw: both outputs. */
  readonly screen: string;
}

/** Whether a pseudo-terminal can be had: util-linux's `script`. */
export const hasTerminal = canRun('script', ['--version']);

/** Runs the built bin on a pseudo-terminal; Ctrl-C is pressed as soon as the screen shows a text. */
export async function runCliOnTerminal(args: readonly string[], interruptAt?: RegExp): Promise<TerminalRun> {
  const command = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', command, '/dev/null'], { cwd: checkout, stdio: ['pipe', 'pipe', 'inherit'] });
  let screen = '';
  let isInterrupted = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    if (interruptAt === undefined || isInterrupted || !interruptAt.test(screen)) return;
    isInterrupted = true;
    child.stdin.write('\u0003');
  });
  const code = await new Promise<number | null>((resolveCode, reject) => {
    child.on('error', reject);
    child.on('close', resolveCode);
  });
  return { code, screen };
}

/** Builds the bin if a source is newer; test files in other processes wait for the one that does. */
export async function buildCli(): Promise<void> {
  const lock = join(tmpdir(), 'slicewise-e2e-build.lock');
  for (;;) {
    if (existsSync(bin) && statSync(bin).mtimeMs > newestMtimeMs(join(checkout, 'src'))) return;
    try {
      mkdirSync(lock);
    } catch {
      if (Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0) > 180_000)
        rmSync(lock, { recursive: true, force: true });
      await wait(250);
      continue;
    }
    try {
      execFileSync('npm', ['run', '--silent', 'build'], { cwd: checkout, stdio: 'inherit' });
      return;
    } finally {
      rmSync(lock, { recursive: true });
    }
  }
}

function newestMtimeMs(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

function canRun(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
