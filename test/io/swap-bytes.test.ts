import fc from 'fast-check';
import { expect, it } from 'vitest';
import { swapBytes } from '../../src/io/bytes.ts';

it.each([Uint8Array, Int16Array, Uint32Array, Float32Array, Float64Array])(
  'the bytes of every element are reversed, and no others: %o',
  (Type) => {
    const width = Type.BYTES_PER_ELEMENT;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 80, maxLength: 80 }), fc.nat(4), fc.nat(5), (bytes, skipped, length) => {
        const offset = skipped * width;
        const expected = bytes.slice();
        for (let n = 0; n < length; n++) expected.subarray(offset + n * width, offset + (n + 1) * width).reverse();
        const swapped = bytes.slice();
        swapBytes(new Type(swapped.buffer, offset, length));
        expect(swapped).toEqual(expected);
      }),
    );
  },
);
