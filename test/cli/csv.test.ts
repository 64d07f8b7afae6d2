import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCsv } from '../../src/cli/documents.ts';
import { visibleText } from '../../src/visible-text.ts';
import { parseCsv } from '../support/csv.ts';

const field = fc.oneof(fc.string(), fc.constantFrom('', 'a,b', 'say "x"', 'two\r\nlines', '"', ','));

test('any text that begins no formula comes back from a table, with its line breaks visible', () => {
  const harmless = field.filter((text) => !/^\s*[=+@-]/.test(text));
  fc.assert(
    fc.property(
      fc.array(fc.record({ first: harmless, second: harmless, third: harmless }), { maxLength: 5 }),
      (rows) => {
        const shown = rows.map(({ first, second, third }) => ({
          first: visibleText(first),
          second: visibleText(second),
          third: visibleText(third),
        }));
        expect(parseCsv(formatCsv(['first', 'second', 'third'], rows))).toEqual(shown);
      },
    ),
  );
});

test('a row is one line, whatever its texts hold', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (texts) => {
      const table = formatCsv(
        ['a'],
        texts.map((a) => ({ a })),
      );
      expect(table.split(/\r\n|\r|\n/)).toHaveLength(texts.length + 2);
    }),
  );
});

// The list of OWASP's page on CSV Injection, and the same behind a space.
test.each([
  '=1+1',
  '+1',
  '-1',
  '@SUM(1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '＝1',
  '＋1',
  '－1',
  '＠x',
  ' =1',
  '=HYPERLINK("http://x","y")',
])('a text that a spreadsheet would compute is text: %j', (text) => {
  const [row] = parseCsv(formatCsv(['text'], [{ text }]));
  expect(row?.['text']).toMatch(/^['\\]/);
  expect(row?.['text']?.replace(/^'/, '')).toBe(visibleText(text));
});

test('numbers stay numbers', () => {
  expect(formatCsv(['a', 'b', 'c'], [{ a: -1.5, b: 1e-7, c: -0.25 }])).toBe('a,b,c\r\n-1.5,1e-7,-0.25\r\n');
});

test('what is not there is an empty field, and lines end as RFC 4180 says', () => {
  expect(formatCsv(['a', 'b', 'c'], [{ a: 1, c: null }])).toBe('a,b,c\r\n1,,\r\n');
});
