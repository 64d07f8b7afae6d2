import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copiedDecimalString, dateString, decimalString, shortened, timeString } from '../../src/dicom/dicom-values.ts';

test('any number fits a DS and keeps at least nine digits', () => {
  // Beyond 1e300 rounding to fewer digits can overflow; positions in mm are not there.
  fc.assert(
    fc.property(fc.double({ min: -1e300, max: 1e300, noNaN: true }), (value) => {
      const text = decimalString(value);
      expect(text).toMatch(/^[-+0-9.eE]{1,16}$/);
      // 16 characters less sign, point and an exponent like e-308.
      expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(1e-8 * Math.abs(value));
    }),
    { examples: [[-1 / 3e300], [1 / 3], [-1 / 3], [1e21], [Number.MIN_VALUE]] },
  );
});

test('a number that fits is written in its shortest form', () => {
  expect([0, 1.25, -8, 0.1, 1e-7].map(decimalString)).toEqual(['0', '1.25', '-8', '0.1', '1e-7']);
});

test("a source's own string is kept with its zeroes, and only shortened where it is too long", () => {
  expect(copiedDecimalString(' 1.500000 ')).toBe('1.500000');
  expect(copiedDecimalString('-0.12345678901234500')).toBe('-0.1234567890123');
});

test('date and time are local', () => {
  const moment = new Date(2026, 0, 2, 3, 4, 5);
  expect([dateString(moment), timeString(moment)]).toEqual(['20260102', '030405']);
});

test('text is shortened by characters, not by halves of them', () => {
  expect(shortened('heart 🫀🫀', 7)).toBe('heart 🫀');
  expect(shortened('left ventricle', 5)).toBe('left');
});
