import { expect, test } from 'vitest';
import { fillPolygon, parseContour } from './contours.ts';

test('a contour point of 1, 1 is the centre of the first pixel', () => {
  expect(parseContour('1.00 1.00\n5.5 2.25\n')).toEqual([
    [0, 0],
    [4.5, 1.25],
  ]);
});

test('a pixel belongs to a contour if its centre lies inside, the outline itself does not', () => {
  const square = [
    [0.5, 0.5],
    [3.5, 0.5],
    [3.5, 2.5],
    [0.5, 2.5],
  ] as const;
  const filled = fillPolygon(square, 5, 4);
  expect(filled.filter(Boolean)).toHaveLength(6);
  expect([filled[0], filled[6], filled[8], filled[9]]).toEqual([false, true, true, false]);
});

test('a line that is no point is refused', () => {
  expect(() => parseContour('1 x')).toThrow('no contour point');
});
