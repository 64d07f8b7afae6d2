import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCli, checkout, hasTerminal } from './run-cli.ts';
import { createWorkspace, tinyModel, type Workspace } from './workspace.ts';

let work: Workspace;
beforeAll(async () => {
  await buildCli();
  work = await createWorkspace();
});
afterAll(() => work.remove());

const quoted = (word: string): string => `'${word}'`;
const slicewise = (...args: string[]): string =>
  [process.execPath, join(checkout, 'dist/cli/main.js'), ...args].map(quoted).join(' ');

/** Runs a line of the shell; its exit code is that of the first command of a pipe. */
function shell(line: string, env: Readonly<Record<string, string>> = {}) {
  const script = `${line}; exit "\${PIPESTATUS[0]}"`;
  const run = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: { ...process.env, DEBUG: '', ...env } });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}

describe.skipIf(process.platform === 'win32')('what becomes of the outputs changes nothing of the work', () => {
  const segment = (name: string): string => {
    return slicewise(
      'segment',
      work.nifti,
      '--model',
      tinyModel,
      '--output',
      work.out(name),
      '--report',
      work.out('r.json'),
    );
  };

  test.each([
    ['a reader that takes one line of both', '2>&1 | head -1'],
    ['a reader that takes nothing', '2>&1 | true'],
    ['no stdout', '>&-'],
    ['no stderr', '2>&-'],
    ['neither', '>&- 2>&-'],
  ])('%s', (_, streams) => {
    const name = `${streams.replaceAll(/\W/g, '_')}.nii.gz`;
    const { code } = shell(`${segment(name)} ${streams}`);
    expect(code).toBe(0);
    expect(existsSync(work.out(name))).toBe(true);
  });

  test('a batch goes on without its readers', () => {
    const batch = slicewise('segment', work.nifti, '--model', tinyModel, '--output-dir', work.out('batch'));
    expect(shell(`${batch} 2>&1 | true`).code).toBe(0);
    expect(existsSync(work.out('batch'))).toBe(true);
  });

  describe.skipIf(process.platform !== 'linux')('a full disk', () => {
    test.each([['--help'], ['models', '--json'], ['models', 'show', 'cardiac-mr']])(
      'behind stdout is told: %s %s %s',
      (...args) => {
        const { code, stderr } = shell(`${slicewise(...args)} > /dev/full`);
        expect(code).toBe(3);
        expect(stderr).toMatch(/^error: The standard output cannot be written: the disk is full\.\n {2}\S/);
      },
    );

    test('behind stdout leaves the outputs of a run in their places', () => {
      const { code, stderr } = shell(`${segment('full.nii.gz')} > /dev/full`);
      expect({ code, hasOutput: existsSync(work.out('full.nii.gz')) }).toEqual({ code: 3, hasOutput: true });
      expect(stderr).toContain('the disk is full');
    });

    test('behind stderr is nobody’s concern', () => {
      expect(shell(`${segment('full-stderr.nii.gz')} 2> /dev/full`)).toMatchObject({ code: 0 });
      expect(shell(`${slicewise('info', '/nonexistent')} 2> /dev/full`).code).toBe(2);
    });
  });

  test.skipIf(!hasTerminal)('a dumb terminal gets no control codes, another one a bar', () => {
    const onTerminal = (name: string): string => `script -qefc "${segment(name)}" /dev/null`;
    const dumb = shell(onTerminal('dumb.nii.gz'), { TERM: 'dumb' });
    expect(dumb.code).toBe(0);
    // The terminal itself ends its lines with a return.
    expect(dumb.stdout.replaceAll('\r\n', '\n')).not.toMatch(/[^\P{Cc}\n]/u);
    expect(shell(onTerminal('bar.nii.gz'), { TERM: 'xterm' }).stdout).toContain('\u001B[K');
  });
});
