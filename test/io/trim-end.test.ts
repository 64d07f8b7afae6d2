import { expect, test } from 'vitest';
import { trimEnd } from '../../src/io/bytes.ts';
import { startCpuClock } from '../support/cpu-clock.ts';

test.each([
  ['text  ', ' ', 'text'],
  [' te xt \0 ', ' \0', ' te xt'],
  ['', ' ', ''],
  ['   ', ' ', ''],
  ['a=b==', '=', 'a=b'],
])('%j loses its last %j', (text, characters, trimmed) => {
  expect(trimEnd(text, characters)).toBe(trimmed);
});

test('a megabyte of runs that do not end the text takes milliseconds', () => {
  const text = `${' '.repeat(2 ** 20)}x`;
  const cpuMs = startCpuClock();
  expect(trimEnd(text, ' ')).toBe(text);
  expect(cpuMs()).toBeLessThan(100);
});
