import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesValue } from '../../server/dicom-web/value-matching.ts';
import { matchesWildcard } from '../../server/dicom-web/wildcard.ts';
import { startCpuClock } from '../support/cpu-clock.ts';

describe('wild cards', () => {
  test('match as a regular expression of the same meaning does', () => {
    const character = fc.constantFrom('a', 'b', 'B', '.', '[');
    const pattern = fc.array(fc.constantFrom('*', '?', 'a', 'b', '.', '['), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(character, { maxLength: 8 }), pattern, (text, wanted) => {
        const source = wanted.map((each) =>
          each === '*' ? '.*' : each === '?' ? '.' : `\\${each}`.replace(/\\([ab])/, '$1'),
        );
        const expected = new RegExp(`^${source.join('')}$`, 'is').test(text.join(''));
        expect(matchesWildcard(text.join(''), wanted.join(''))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(['*?', '*a', '?*', '**a*'])('of many pairs %s against long text take milliseconds', (pair) => {
    const cpuMs = startCpuClock();
    expect(matchesWildcard('a'.repeat(10_000), `${pair.repeat(12)}!`)).toBe(false);
    expect(matchesWildcard('a'.repeat(48), `${pair.repeat(12)}!`)).toBe(false);
    expect(cpuMs()).toBeLessThan(500);
  });
});

const NAME = [{ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }];

describe('values', () => {
  // PS3.4 C.2.2.2 says what each form of a key matches.
  test.each([
    ['PN', NAME, 'yamada^tarou', true],
    ['PN', NAME, 'Yamada^Tarou^^^', true],
    ['PN', NAME, 'Yamada^*', true],
    ['PN', NAME, 'Yamada*', true],
    ['PN', NAME, 'Yamada', false],
    ['PN', NAME, '山田*', true],
    ['PN', NAME, '=山田^太郎', true],
    ['PN', NAME, 'Yamada^Tarou=山田^太郎=やまだ^たろう', true],
    ['PN', NAME, 'Yamada^Tarou=田中*', false],
    ['PN', NAME, '=Yamada*', false],
    ['PN', [{ Alphabetic: 'Doe' }], 'Doe^*', true],
    ['PN', [], 'Doe', false],
    ['TM', ['101530.25'], '101530.25', true],
    ['TM', ['101530.25'], '1015', true],
    ['TM', ['101530.25'], '10:15:30', true],
    ['TM', ['101530.25'], '10', true],
    ['TM', ['101530.25'], '1016', false],
    ['TM', ['101530'], '1000-1100', true],
    ['TM', ['101530'], '10-', true],
    ['TM', ['101530'], '-1015', true],
    ['TM', ['10:15:30'], '101500-101559', true],
    ['TM', ['101530'], '1016-1017', false],
    ['DA', ['20240229'], '20240229', true],
    ['DA', ['2024.02.29'], '20240229', true],
    ['DA', ['20240229'], '20240201-20240301', true],
    ['DA', ['20240229'], '2024.02.01-2024.03.01', true],
    ['DA', ['20240229'], '-2024-02-28', false],
    ['DA', ['20240229'], '2024*', true],
    ['DA', ['20120000'], '20120000', true],
    ['UI', ['1.2.3'], '1.2\\1.2.3', true],
    ['UI', ['1.2.3'], '1.2,1.2.3', true],
    ['UI', ['1.2.3'], '1.2.?', false],
    ['CS', ['MR', 'SEG'], 'CT,SEG', true],
    ['LO', ['Doe, Jane'], 'Doe, Jane', true],
    ['LO', ['Doe'], 'Jane\\Doe', true],
    ['IS', [5], '05', true],
    ['DS', [2.5], '2.50', true],
    ['LO', [], '""', true],
    ['LO', ['x'], '""', false],
    ['LO', [], '*', true],
    ['LO', [], 'x*', false],
  ])('%s %j asked for as %s: %s', (vr, values, wanted, matches) => {
    expect(matchesValue(vr, values, wanted)).toBe(matches);
  });
});
