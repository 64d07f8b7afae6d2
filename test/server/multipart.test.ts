import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeMultipart, parseMultipart } from '../../server/dicom-web/multipart.ts';
import { startCpuClock } from '../support/cpu-clock.ts';

const parse = (text: string, contentType = 'multipart/related; boundary=b'): [string, string][] =>
  parseMultipart(contentType, Buffer.from(text, 'latin1')).map(({ contentType, body }) => [
    contentType,
    Buffer.from(body).toString('latin1'),
  ]);

describe('multipart messages', () => {
  test('what is encoded is parsed back, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }), (bodies) => {
        const parts = bodies.map((body) => ({ contentType: 'application/dicom', body }));
        const { contentType, body } = encodeMultipart(parts, 'application/dicom');
        const parsed = parseMultipart(contentType, Buffer.concat(body));
        expect(parsed.map(({ body }) => Uint8Array.from(body))).toEqual(bodies);
      }),
    );
  });

  test.each([
    ['a quoted boundary', 'multipart/related; type="application/dicom"; boundary="b"'],
    ['a plain boundary', 'multipart/related; type=application/dicom; boundary=b'],
    ['a parameter behind it', 'multipart/related; boundary=b; start="<1>"'],
  ])('%s is understood', (_, contentType) => {
    expect(parse('--b\r\nContent-Type: application/dicom\r\n\r\nx\r\n--b--', contentType)).toEqual([
      ['application/dicom', 'x'],
    ]);
  });

  test('preamble, padding behind the boundary, parts without headers and empty parts are understood', () => {
    expect(
      parse('preamble\r\n--b  \r\nX-Other: 1\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b\r\n\r\n\r\n--b--\r\nepilogue'),
    ).toEqual([
      ['application/octet-stream', 'x'],
      ['application/octet-stream', 'y'],
      ['application/octet-stream', ''],
    ]);
  });

  test.each([
    ['without a boundary in the type', '--b\r\n\r\nx\r\n--b--', 'multipart/related'],
    ['cut off', '--b\r\n\r\nx', undefined],
    ['empty', '', undefined],
    ['of another boundary', '--c\r\n\r\nx\r\n--c--', undefined],
    ['whose part has no blank line', '--b\r\nX: 1\r\n--b--', undefined],
  ])('a message %s is refused', (_, text, contentType) => {
    expect(() => parse(text, contentType)).toThrow(/./);
  });

  test('any bytes are parsed or refused in little time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        try {
          parseMultipart('multipart/related; boundary=b', bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
    const many = Buffer.from('--b\r\n\r\n\r\n'.repeat(200_000));
    const cpuMs = startCpuClock();
    expect(() => parseMultipart('multipart/related; boundary=b', many)).toThrow();
    expect(cpuMs()).toBeLessThan(5000);
  });
});
