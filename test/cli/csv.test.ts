import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCsv } from '../../src/cli/csv.ts';
import { parseCsv } from '../support/csv.ts';

const field = fc.oneof(fc.string(), fc.constantFrom('', 'a,b', 'say "x"', 'two\r\nlines', '"', ','));

test('any text comes back from a table', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ first: field, second: field, third: field }), { maxLength: 5 }), (rows) => {
      expect(parseCsv(formatCsv(['first', 'second', 'third'], rows))).toEqual(rows.map((row) => ({ ...row })));
    }),
  );
});

test('what is not there is an empty field, and lines end as RFC 4180 says', () => {
  expect(formatCsv(['a', 'b', 'c'], [{ a: 1, c: null }])).toBe('a,b,c\r\n1,,\r\n');
});
