import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessFigures {
  readonly wallMs: number;
  /** Largest resident set seen; 0 where /proc does not tell (then ask the process itself). */
  readonly peakBytes: number;
  readonly stdout: string;
}

/** How often the peak is read. The kernel keeps the maximum, so only the last moment can be missed. */
const POLL_MS = 10;

/** Runs a program to its end and measures it from outside.
 * @throws Error with the program's last words if it fails */
export async function measureProcess(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ProcessFigures> {
  const start = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let peakBytes = 0;
  const poll = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid));
  }, POLL_MS);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    const wallMs = performance.now() - start;
    if (exitCode !== 0) {
      const words = Buffer.concat(err).toString('utf8').trim().split('\n').slice(-8).join('\n');
      throw new Error(`${command} ended with ${String(exitCode)}:\n${words}`);
    }
    return { wallMs, peakBytes, stdout: Buffer.concat(out).toString('utf8') };
  } finally {
    clearInterval(poll);
  }
}

function peakOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0; // already gone, or no Linux
  }
}
