import { expect, test, vi } from 'vitest';
import { InputError } from '../../src/index.ts';
import { print, printError, printFault } from '../../server/terminal.ts';

const HOSTILE = 'a\u001b[2J\u202eb\nerror: c\u009b';
const VISIBLE = 'a\\x1b[2J\\u202eb\\nerror: c\\x9b';

function printed(stream: 'log' | 'error', run: () => void): string[] {
  const spy = vi.spyOn(console, stream).mockImplementation(() => undefined);
  run();
  const lines = spy.mock.calls.map((call) => call.join(' '));
  spy.mockRestore();
  return lines;
}

test('lines are printed as they are, and what a terminal obeys within one is visible', () => {
  expect(
    printed('log', () => {
      print('', HOSTILE, 'Müller 山田');
    }),
  ).toEqual([`\n${VISIBLE}\nMüller 山田`]);
  expect(
    printed('error', () => {
      printError(HOSTILE);
    }),
  ).toEqual([VISIBLE]);
});

test('an error that can be mended is printed with its remedy', () => {
  const error = new InputError('file-not-found', HOSTILE, { remedy: `Check ${HOSTILE}.` });
  expect(
    printed('error', () => {
      printFault(error);
    }),
  ).toEqual([`error: ${VISIBLE}\n  Check ${VISIBLE}.`]);
});

test('any other with its places and its causes, and no line of it is faked by a message', () => {
  const error = new TypeError(HOSTILE, { cause: new RangeError(`inner ${HOSTILE}`) });
  const [text = ''] = printed('error', () => {
    printFault(error);
  });
  const lines = text.split('\n');
  expect(lines[0]).toBe(`TypeError: ${VISIBLE}`);
  expect(lines[1]).toMatch(/^ {4}at .*terminal\.test\.ts/);
  expect(lines).toContain(`  caused by RangeError: inner ${VISIBLE}`);
  expect(text).not.toContain('\u001b');
  expect(
    printed('error', () => {
      printFault(HOSTILE);
    }),
  ).toEqual([VISIBLE]);
});
