import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EnvironmentError, InputError, InternalError } from '../../src/errors.ts';
import { commandSpecs } from '../../src/cli/commands.ts';
import { exitCodeOf, formatError } from '../../src/cli/print.ts';
import { runCli } from '../../src/cli/run-cli.ts';

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(argv, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    catchInterrupts: () => new AbortController().signal,
    debug: false,
  });
  return { code, ...written };
}

test.each([[], ['--help'], ['-h'], ['help']])('slicewise %s names every command', async (...argv) => {
  const { code, stdout, stderr } = await run(...argv);
  expect(code).toBe(0);
  for (const { name } of commandSpecs) expect(stdout).toContain(`  ${name} `);
  expect(stdout).toContain('Research use only');
  expect(stderr).toBe('');
});

test.each(commandSpecs)('slicewise $name --help names every option and an example', async (spec) => {
  const { code, stdout } = await run(spec.name, '--help');
  expect(code).toBe(0);
  for (const option of Object.keys(spec.options)) expect(stdout).toContain(`--${option}`);
  for (const example of spec.examples) expect(stdout).toContain(example);
});

test('help <command> is <command> --help', async () => {
  expect(await run('help', 'segment')).toEqual(await run('segment', '--help'));
  expect(await run('help', 'segmnet')).toMatchObject({ code: 2, stdout: '' });
});

test('--help after -- is no option', async () => {
  const { code, stderr } = await run('info', '--', '--help');
  expect(code).toBe(2);
  expect(stderr).toContain('--help');
});

test('--version is the one of package.json', async () => {
  const { code, stdout } = await run('--version');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('an unknown command is an input error with the nearest name', async () => {
  const { code, stdout, stderr } = await run('segmnet');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toBe('error: There is no command segmnet.\n  Did you mean: slicewise segment?\n');
});

test('an unknown option stops before anything is read', async () => {
  const { code, stderr } = await run('segment', '/nonexistent', '--model', 'm', '--ouput', 'x.dcm');
  expect(code).toBe(2);
  expect(stderr).toContain('Did you mean --output?');
});

test.each([
  ['segment', 'segment', '/nonexistent', '--output', join(tmpdir(), 'x.dcm')],
  ['segment --output-dir', 'segment', '/nonexistent', '--output-dir', '/nonexistent/either'],
  ['convert', 'convert', '/nonexistent.nii', join(tmpdir(), 'x.dcm'), '--reference', '/nonexistent'],
])('%s tells of an unknown model, with the nearest name, before anything is read', async (_, ...argv) => {
  const { code, stderr } = await run(...argv, '--model', 'cardiac_mr');
  expect(code).toBe(2);
  expect(stderr).toContain('"cardiac_mr" is neither a model');
  expect(stderr).toContain('Did you mean cardiac-mr?');
});

test('an interrupted command says so, whatever error it ends in', async () => {
  const written: string[] = [];
  const code = await runCli(['convert', '/nonexistent', join(tmpdir(), 'x.nii')], {
    stdout: { write: (text) => written.push(text) },
    stderr: { write: (text) => written.push(text) },
    catchInterrupts: () => AbortSignal.abort(new Error('Interrupted')),
    debug: false,
  });
  expect({ code, written }).toEqual({ code: 130, written: ['Interrupted: nothing was written.\n'] });
});

test('exit codes tell input, environment and our bugs apart', () => {
  const options = { remedy: 'Do it.' };
  expect(exitCodeOf(new InputError('no-images', 'No.', options))).toBe(2);
  expect(exitCodeOf(new EnvironmentError('backend-unavailable', 'No.', options))).toBe(3);
  expect(exitCodeOf(new InternalError('verification-failed', 'No.', options))).toBe(1);
  expect(exitCodeOf(new TypeError('x is undefined'))).toBe(1);
});

test('an error shows its remedy, and its stack and causes only on request', () => {
  const error = new InputError('no-images', 'The folder is empty.', { remedy: 'Fill it.', cause: new Error('deep') });
  expect(formatError(error, { withStack: false })).toEqual(['error: The folder is empty.', '  Fill it.']);
  const withStack = formatError(error, { withStack: true }).join('\n');
  expect(withStack).toContain('run-cli.test.ts');
  expect(withStack).toContain('Error: deep');
  expect(formatError(new TypeError('x is undefined'), { withStack: false }).join('\n')).not.toContain(
    'run-cli.test.ts',
  );
});
