import { describe, expect, test } from 'vitest';
import { evaluateSpec, infoSpec, segmentSpec } from '../../src/cli/commands.ts';
import { formatError, wordAdvice, wordRemedy } from '../../src/cli/print.ts';
import { InputError } from '../../src/errors.ts';

describe('a remedy in the words of the command line', () => {
  test.each([
    ['a range of numbers', { option: 'phase', choices: [1, 2, 3] }, 'Do it (--phase 1 … 3).'],
    ['a single number', { option: 'phase', choices: [1] }, 'Do it (--phase 1).'],
    [
      'a few words',
      { option: 'seg-type', choices: ['binary', 'labelmap'] },
      'Do it (--seg-type binary or --seg-type labelmap).',
    ],
    [
      'identifiers, which the message lists',
      { option: 'series', choices: ['1.2.840.113619.2.5.17', '1.2.3'] },
      'Do it (--series <UID>).',
    ],
    ['no known value', { option: 'reference' }, 'Do it (--reference <folder>).'],
    ['a switch', { option: 'resample' }, 'Do it (--resample).'],
    ['a limit', { option: 'limit', choices: ['voxels'] }, 'Do it (--limit voxels=N).'],
    ['no option', {}, 'Do it.'],
  ] as const)('names the option with %s', (_, advice, worded) => {
    expect(wordRemedy({ remedy: 'Do it.', ...advice }, segmentSpec)).toBe(worded);
  });

  test('names no option that the command at hand lacks', () => {
    expect(wordRemedy({ remedy: 'Choose one.', option: 'phase', choices: [1, 2] }, evaluateSpec)).toBe('Choose one.');
    expect(wordRemedy({ remedy: 'Go on.', option: 'force' }, infoSpec)).toBe('Go on.');
    expect(wordAdvice('Go on.', { option: 'force' })).toBe('Go on.');
  });

  test('an error is told by each command with the options that it has', () => {
    const error = new InputError('several-volumes', 'The series holds 2 volumes.', {
      remedy: 'Choose one of the volumes.',
      details: { option: 'phase', choices: [1, 2] },
    });
    const told = (spec?: typeof segmentSpec | typeof evaluateSpec): string[] =>
      formatError(error, { withStack: false, spec });
    expect(told(segmentSpec)).toEqual([
      'error: The series holds 2 volumes.',
      '  Choose one of the volumes (--phase 1 … 2).',
    ]);
    expect(told(evaluateSpec)).toEqual(['error: The series holds 2 volumes.', '  Choose one of the volumes.']);
  });
});
