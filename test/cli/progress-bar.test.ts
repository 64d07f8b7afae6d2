import { expect, test } from 'vitest';
import { createProgressBar, formatProgress } from '../../src/cli/print.ts';

test('a pipe gets no progress at all', () => {
  const written: string[] = [];
  const bar = createProgressBar({ write: (text) => written.push(text) });
  bar.update(1, 2);
  bar.update(2, 2);
  bar.clear();
  expect(written).toEqual([]);
});

test('a terminal gets one line, redrawn at most ten times a second and cleared at the end', () => {
  const written: string[] = [];
  let time = 0;
  const bar = createProgressBar({ write: (text) => written.push(text), isTTY: true, columns: 100 }, () => time);
  for (let done = 1; done <= 100; done++) {
    time += 10;
    bar.update(done, 100);
  }
  bar.clear();
  expect(written.length).toBeGreaterThan(8);
  expect(written.length).toBeLessThanOrEqual(12);
  expect(written.every((text) => text.startsWith('\r') && !text.includes('\n'))).toBe(true);
  expect(written.at(-1)).toBe('\r\u001B[K');
});

test('the line is cut to the width of the terminal, so that it does not wrap', () => {
  const written: string[] = [];
  const bar = createProgressBar({ write: (text) => written.push(text), isTTY: true, columns: 30 });
  bar.update(1, 2);
  expect(written.join('').replace('\r\u001B[K', '').length).toBeLessThan(30);
});

test('a terminal that does not know its width is taken to have 80 columns', () => {
  const written: string[] = [];
  createProgressBar({ write: (text) => written.push(text), isTTY: true, columns: 0 }).update(1, 2);
  expect(written.join('')).toContain('1/2 slices');
});

test('slices, rate and time left are told', () => {
  expect(formatProgress(30, 120, 2000)).toBe('━━━━━━━───────────────────── 30/120 slices · 15 slices/s · 6 s left');
  expect(formatProgress(1, 301, 2000)).toContain('0.5 slices/s · 10 min 0 s left');
  expect(formatProgress(0, 120, 0)).toBe(`${'─'.repeat(28)} 0/120 slices`);
});
