import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeRle, encodeRle } from '../../src/codecs/rle.ts';

/** Rows with runs and literals of every length around the limits of PackBits. */
const anyRow = fc
  .array(
    fc.tuple(fc.nat({ max: 0xffff }), fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 126, max: 260 }))),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((runs) => runs.flatMap(([value, length]) => Array<number>(length).fill(value)));

function decoded(bytes: Uint8Array, rows: number, columns: number, bits: 8 | 16): number[] {
  const format = { rows, columns, bitsAllocated: bits, bitsStored: bits, isSigned: false } as const;
  return [...decodeRle({ bytes, format, fileName: 'test' })];
}

test.each([8, 16] as const)('any frame of %i bits comes back from its RLE', (bits) => {
  fc.assert(
    fc.property(anyRow, fc.integer({ min: 1, max: 3 }), (row, rows) => {
      const values = Array.from({ length: rows }, (_, n) => row.map((value) => (value + n) % 2 ** bits)).flat();
      const pixels = bits === 8 ? Uint8Array.from(values) : Uint16Array.from(values);
      const bytes = encodeRle(pixels, row.length);
      expect(bytes.length % 2).toBe(0);
      expect(decoded(bytes, rows, row.length, bits)).toEqual(values);
    }),
  );
});

test('noise of the worst kind fits', () => {
  const columns = 257;
  const noise = Uint16Array.from({ length: 5 * columns }, (_, at) => (at * 40503) % 65536);
  expect(decoded(encodeRle(noise, columns), 5, columns, 16)).toEqual([...noise]);
});

test('an empty frame of 512 × 512 takes 4 KB, 8 bytes a row', () => {
  expect(encodeRle(new Uint8Array(512 * 512), 512)).toHaveLength(64 + 512 * 8);
});
