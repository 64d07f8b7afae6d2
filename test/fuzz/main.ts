/** `npm run fuzz`: inputs that nobody checked, for everything that meets some. Ends with 1 if one of them ended in an untyped
 * error, a hang, too much memory or the end of the process. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzzTarget, type TargetReport } from './fuzz.ts';
import { randomOf } from './target.ts';
import { fuzzTargets } from './targets.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    inputs: { type: 'string', default: '100000' },
    from: { type: 'string', default: '0' },
    target: { type: 'string', multiple: true },
    minutes: { type: 'string' },
    reproduce: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(`Usage: npm run fuzz -- [options]
  --inputs <n>      of all targets together, by their shares; 100000 unless said
  --seed <n>        other inputs; 1 unless said
  --from <n>        of each target, the number of its first input
  --target <name>   this one alone; may be given several times: ${fuzzTargets.map(({ name }) => name).join(', ')}
  --minutes <n>     start nothing more after so long
  --reproduce <target>:<seed>:<index>   run one input here, and keep it in fuzz-input.bin`);
} else if (values.reproduce !== undefined) await reproduce(values.reproduce);
else await runAll();

async function runAll(): Promise<void> {
  const [seed, inputs, from] = [values.seed, values.inputs, values.from].map(Number) as [number, number, number];
  const chosen = fuzzTargets.filter(({ name }) => values.target?.includes(name) ?? true);
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const end = values.minutes === undefined ? Infinity : performance.now() + 60_000 * Number(values.minutes);
  const isOver = (): boolean => performance.now() > end;
  const reports: TargetReport[] = [];
  console.log('target             inputs  accepted  refused  slowest  most memory  findings');
  for (const { name, share } of chosen) {
    const report = await fuzzTarget(name, { seed, inputs: Math.ceil((inputs * share) / shares), from, isOver });
    reports.push(report);
    console.log(lineOf(report));
    for (const { kind, index, message } of report.findings) {
      console.log(`  ${kind}: --reproduce ${name}:${seed}:${index}  ${message}`);
    }
  }
  const total = reports.reduce((sum, report) => sum + report.inputs, 0);
  const findings = reports.reduce((sum, report) => sum + report.findings.length, 0);
  console.log(`${total} inputs, ${findings} findings`);
  process.exitCode = findings > 0 ? 1 : 0;
}

function lineOf({ target, inputs, accepted, refused, slowestCpuMs, mostGrowthBytes, findings }: TargetReport): string {
  const mebibytes = `${Math.round(mostGrowthBytes / 2 ** 20)} MiB`;
  const counts = [String(inputs).padStart(8), String(accepted).padStart(10), String(refused).padStart(9)].join('');
  const most = `${String(Math.round(slowestCpuMs)).padStart(6)} ms  ${mebibytes.padStart(11)}`;
  return `${target.padEnd(17)}${counts}${most}  ${String(findings.length).padStart(8)}`;
}

async function reproduce(which: string): Promise<void> {
  const [name, seed = '', index = ''] = which.split(':');
  const target = fuzzTargets.find((one) => one.name === name);
  if (target === undefined) throw new RangeError(`There is no target ${String(name)}.`);
  const { make, run } = await target.open();
  const input = make(randomOf(Number(seed), Number(index)));
  writeFileSync('fuzz-input.bin', input.bytes);
  console.log(`${input.name}, ${input.bytes.length} bytes, kept in fuzz-input.bin`);
  try {
    console.log('accepted', await run(input));
  } catch (error) {
    console.log(error);
  }
}
