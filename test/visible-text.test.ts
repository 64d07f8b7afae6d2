import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visibleJson, visibleText } from '../src/visible-text.ts';

describe('text that a terminal would obey or hide is made visible', () => {
  test.each([
    ['a line break', 'a\nerror: b', 'a\\nerror: b'],
    ['return and tab', 'a\rb\tc', 'a\\rb\\tc'],
    ['an escape sequence', '\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['a C1 sequence', '\u009b31mred', '\\x9b31mred'],
    ['DEL and NUL', '\u007f\u0000', '\\x7f\\x00'],
    ['next line', 'a\u0085b', 'a\\x85b'],
    ['line and paragraph separators', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
    ['an override of direction', 'gpj.\u202eexe', 'gpj.\\u202eexe'],
    ['isolates and marks of direction', '\u2066a\u2069\u200e\u061c', '\\u2066a\\u2069\\u200e\\u061c'],
    ['signs without width', 'a\u200bb\u2060\ufeff\u00ad', 'a\\u200bb\\u2060\\ufeff\\xad'],
    ['a blank letter', '\u3164', '\\u3164'],
    ['tags of a plane above', '\u{e0041}', '\\u{e0041}'],
    ['half of a pair', 'a\ud800b', 'a\\ud800b'],
  ])('%s', (_, text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });

  test.each([
    'Müller–Straße',
    '心臓 (右)',
    'لب',
    'C:\\scans\\new',
    '1 × 2 µm',
    '葛\u{e0100}',
    '❤\ufe0f',
    'e\u0301',
    '',
  ])('%s stays as it is', (text) => {
    expect(visibleText(text)).toBe(text);
  });

  // Unicode's own categories and properties, by the engine's tables.
  test('of any text nothing that is a control, a separator of lines or a mark of direction is left', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(visibleText(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
        expect(visibleText(visibleText(text))).toBe(visibleText(text));
      }),
    );
  });
});

test('JSON is the same document, and holds nothing that a terminal would obey', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'binary' }), (key, value) => {
      const document = { list: [{ [`k${key}`]: value }] };
      const json = visibleJson(document, { indent: 2 });
      expect(JSON.parse(json)).toEqual(document);
      expect(json).not.toMatch(/[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
      expect(json.split('\n')).toHaveLength(7);
    }),
  );
});
