import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cielabToColour, colourToCielab } from '../../src/labelmap/labelmap.ts';

test('every sRGB colour survives being written as CIELab', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(byte, byte, byte, (red, green, blue) => {
      expect(cielabToColour(colourToCielab([red, green, blue]))).toEqual([red, green, blue]);
    }),
  );
});

// 32896 is the zero of a* and b* (PS3.3 C.10.7.1.1).
test.each([
  ['black', [0, 0, 0], [0, 32896, 32896]],
  ['white', [255, 255, 255], [65535, 32896, 32896]],
] as const)('%s has no colour', (_, colour, cielab) => {
  expect(colourToCielab(colour)).toEqual(cielab);
});

test('a colour is what dcmqi writes for it, but for the rounding of its white point', () => {
  const [liver, expected] = [colourToCielab([221, 130, 101]), [41984, 41604, 40995]];
  liver.forEach((value, at) => {
    expect(Math.abs(value - (expected[at] ?? 0)) / 257).toBeLessThan(3);
  });
});
