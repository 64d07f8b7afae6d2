/** A process of its own that feeds one target with the inputs of a range, so that a hang, a crash or a lack of memory ends
 * no more than itself. Tells its parent before each input which one it is, in a file: a process that hangs sends nothing. */
import { openSync, writeSync } from 'node:fs';
import { plantedTargets } from './planted-targets.ts';
import { MAX_CPU_MS, MAX_GROWTH_BYTES, type Finding, type RangeReport } from './findings.ts';
import { randomOf, typedCode } from './target.ts';
import { fuzzTargets } from './targets.ts';

const [name = '', seed = '', from = '', to = '', progressPath = ''] = process.argv.slice(2);
const target = [...fuzzTargets, ...plantedTargets].find((one) => one.name === name);
if (target === undefined) throw new RangeError(`no target ${name}`);
const { make, run } = await target.open();

const progress = openSync(progressPath, 'w');
const at = new Float64Array(1);
const findings: Finding[] = [];
const refused: Record<string, number> = {};
let [accepted, slowestCpuMs, mostGrowthBytes] = [0, 0, 0];
const restBytes = peakBytes();

for (let index = Number(from); index < Number(to); index++) {
  at[0] = index;
  writeSync(progress, at, 0, 8, 0);
  const input = make(randomOf(Number(seed), index));
  const begin = process.cpuUsage();
  try {
    await run(input);
    accepted++;
  } catch (error) {
    const code = typedCode(error);
    if (code === undefined) findings.push({ kind: 'untyped', index, message: describe(error) });
    else refused[code] = (refused[code] ?? 0) + 1;
  }
  const { user, system } = process.cpuUsage(begin);
  const cpuMs = (user + system) / 1000;
  const growthBytes = peakBytes() - restBytes;
  slowestCpuMs = Math.max(slowestCpuMs, cpuMs);
  mostGrowthBytes = Math.max(mostGrowthBytes, growthBytes);
  if (cpuMs > MAX_CPU_MS) findings.push({ kind: 'slow', index, message: `${Math.round(cpuMs)} ms of CPU` });
  if (growthBytes > MAX_GROWTH_BYTES) {
    findings.push({ kind: 'memory', index, message: `${Math.round(growthBytes / 2 ** 20)} MiB` });
    break; // what follows would be blamed for it
  }
}

const report: RangeReport = { next: (at[0] ?? 0) + 1, accepted, refused, slowestCpuMs, mostGrowthBytes, findings };
process.send?.(report);
process.disconnect();

/** Also of what an input took and gave back. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' | ') : String(error);
}
