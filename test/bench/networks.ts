import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { measureProcess } from './measure-process.ts';
import { median } from './targets.ts';

/** One network in one runtime: medians over processes that take turns. */
export interface NetworkFigures {
  readonly network: string;
  /** [1, channels, rows, columns] of the window that it was run on. */
  readonly shape: readonly number[];
  readonly runtime: string;
  /** A window, once the runtime is warm. */
  readonly ms: number;
  /** Of the whole process, Node and the runtime included. */
  readonly peakBytes: number;
}

const TIMER = fileURLToPath(import.meta.resolve('./time-network.js'));
const timesSchema = z.object({ shape: z.array(z.number()), ms: z.number() });

/** What a window costs each of the networks, each in fresh processes, turn by turn.
 * @param folder of `.onnx` files, or of model folders */
export async function benchNetworks(folder: string, threads: number, repetitions: number): Promise<NetworkFigures[]> {
  const runtimes = [
    { runtime: `Node, ${threads} threads`, args: ['node', String(threads)] },
    { runtime: 'Node, 1 thread', args: ['node', '1'] },
    { runtime: 'WebAssembly, 1 thread', args: ['wasm', '1'] },
  ];
  const contests = (await findNetworks(folder)).flatMap((file) =>
    runtimes.map((runtime) => ({ file, ...runtime, runs: [] as Omit<NetworkFigures, 'network' | 'runtime'>[] })),
  );
  for (let n = 0; n < repetitions; n++) {
    for (const { file, args, runs } of contests) {
      const { stdout, peakBytes } = await measureProcess(process.execPath, [TIMER, ...args, file]);
      runs.push({ ...timesSchema.parse(JSON.parse(stdout)), peakBytes });
    }
  }
  return contests.map(({ file, runtime, runs }) => ({
    network: basename(file) === 'model.onnx' ? basename(dirname(file)) : basename(file, '.onnx'),
    shape: runs[0]?.shape ?? [],
    runtime,
    ms: median(runs.map(({ ms }) => ms)),
    peakBytes: median(runs.map((run) => run.peakBytes)),
  }));
}

async function findNetworks(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  const files = names.map((name) => join(folder, name.endsWith('.onnx') ? name : join(name, 'model.onnx')));
  const found = files.filter((file) => existsSync(file));
  if (found.length === 0) throw new RangeError(`${folder} has no .onnx file and no model folder`);
  return found;
}
