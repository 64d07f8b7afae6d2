import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run-cli.ts';
import { formatJson, formatTable, printLines, printWarnings } from '../../src/cli/print.ts';
import { phantom, sliceAttributes } from '../support/phantom.ts';
import { encodePart10 } from '../support/part10.ts';

/** A window title, red, a C1 sequence, a line of its own, a turned-round rest, nothing to be seen. */
const HOSTILE = 'a\u001b]0;x\u0007\u001b[31m\u009b2J\nerror: b\r\u202eexe\u200b';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-text-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(argv, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    catchInterrupts: () => new AbortController().signal,
    debug: true,
  });
  return { code, ...written };
}

/** Nothing for a terminal but lines, and none that a text of others began. */
function expectHarmless(printed: string): void {
  expect(printed).not.toMatch(/[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Bidi_Control}\u200B]/u);
  expect(printed).not.toMatch(/^error: b/m);
}

describe('what others wrote is shown, not obeyed', () => {
  test('in file names and DICOM text that info prints, and in its JSON, whose values stay the same', async () => {
    const source = phantom();
    const series = join(folder, 'series');
    await mkdir(series);
    for (let k = 0; k < source.geometry.dimensions[2]; k++) {
      const bytes = encodePart10({ ...sliceAttributes(source, k), SeriesDescription: 'T1\u001b[31m\nerror: b' });
      await writeFile(join(series, `${String(k)}.dcm`), bytes);
    }
    await writeFile(join(folder, `${HOSTILE}.nii`), new Uint8Array(400));
    await writeFile(join(folder, `${HOSTILE}.dcm`), encodePart10({ Rows: 3 }).subarray(0, 200));
    const shown = await run('info', folder);
    expectHarmless(shown.stdout);
    expect(shown.stdout).toContain('T1\\x1b[31m\\nerror: b');
    expect(shown.stdout).toContain('\\x1b]0;x\\x07');
    const json = await run('info', folder, '--json');
    expectHarmless(json.stdout);
    const values = JSON.parse(json.stdout) as unknown;
    expect(JSON.stringify(values)).toContain(JSON.stringify('T1\u001b[31m\nerror: b'));
    expect(JSON.stringify(values)).toContain(JSON.stringify(`${HOSTILE}.nii`));
  });

  test.each([
    ['a command', [HOSTILE]],
    ['an option', ['segment', 'x', `--${HOSTILE}`]],
    ['an argument too many', ['evaluate', 'a', 'b', HOSTILE]],
    ['a model', ['segment', 'x', '--model', HOSTILE, '--output', join(tmpdir(), 'x.dcm')]],
    ['an input that is not there', ['info', HOSTILE]],
    ['an output', ['convert', 'x.nii', `/nonexistent/${HOSTILE}.nii`]],
    ['a value', ['segment', 'x', '--model', 'cardiac-mr', '--output', 'x.dcm', '--threads', HOSTILE]],
  ])('in %s of the command line, with the stack too', async (_, argv) => {
    const { code, stdout, stderr } = await run(...argv);
    expect(code).toBeGreaterThan(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('\\x1b[31m');
    expectHarmless(stderr);
  });

  test('in warnings, tables and lines, and in the messages of documents', () => {
    let printed = '';
    const sink = { write: (text: string) => (printed += text) };
    printWarnings(sink, [{ code: 'x', message: `The node ${HOSTILE} is odd.` }]);
    printLines(sink, [
      ...formatTable([
        [HOSTILE, '1'],
        ['plain', '22'],
      ]),
      HOSTILE,
    ]);
    printed += formatJson({ problem: { message: HOSTILE, remedy: HOSTILE } });
    expectHarmless(printed);
    expect(printed.split('\n')).toHaveLength(1 + 2 + 1 + 6 + 1);
    const { problem } = JSON.parse(formatJson({ problem: { message: HOSTILE } })) as { problem: { message: string } };
    expectHarmless(problem.message);
  });

  test('columns stand under each other by what is seen', () => {
    const [first = '', second = ''] = formatTable([
      ['a\u001b', '1'],
      ['plain', '22'],
    ]);
    expect(first).toHaveLength(second.length);
  });
});
