import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe } from 'vitest';

const execute = promisify(execFile);

/** Python with the judges: SLICEWISE_PYTHON, else the checkout's .venv, else python3. */
const python: string =
  process.env['SLICEWISE_PYTHON'] ??
  [resolve(import.meta.dirname, '../../.venv/bin/python')].find((path) => existsSync(path)) ??
  'python3';

/** Runs a script of test/judges and gives the JSON that it prints.
 * @throws Error with what the script wrote to stderr */
export async function runJudge(script: string, args: readonly string[]): Promise<unknown> {
  const path = resolve(import.meta.dirname, '../judges', script);
  const { stdout } = await execute(python, [path, ...args], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as unknown;
}

/** A suite judged by Python packages: skipped, and said so, where one is missing; failed where CI or REQUIRE_JUDGES=1
 * says they must be there. */
export function describeWithPython(name: string, modules: readonly string[], define: () => void): void {
  const found = spawnSync(python, [
    '-c',
    `import importlib.util as u, sys; sys.exit(not all(u.find_spec(m) for m in ${JSON.stringify(modules)}))`,
  ]);
  const missing = found.status === 0 ? undefined : `${python} has no ${modules.join(' and ')}: set SLICEWISE_PYTHON`;
  describeWithJudge(name, missing, define);
}

/** A suite judged by a program on the PATH; skipped or failed without it, as {@link describeWithPython}. */
export function describeWithProgram(name: string, program: string, define: () => void): void {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]);
  describeWithJudge(name, found.status === 0 ? undefined : `${program} is not installed`, define);
}

function describeWithJudge(name: string, missing: string | undefined, define: () => void): void {
  if (missing === undefined) {
    describe(name, define);
    return;
  }
  const { CI: ci = '', REQUIRE_JUDGES: required } = process.env;
  if (!['', '0', 'false'].includes(ci) || required === '1') throw new Error(`"${name}" must be judged: ${missing}.`);
  describe.skip(`${name} (${missing})`, define);
}
