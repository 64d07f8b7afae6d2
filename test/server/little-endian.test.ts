import { expect, test } from 'vitest';
import { swapped } from '../../server/dicom-web/little-endian.ts';

test.each([
  [2, [2, 1, 4, 3]],
  [4, [4, 3, 2, 1]],
] as const)('bytes of a Buffer that lies within others are swapped by %i, and it stays as it is', (width, expected) => {
  const around = Buffer.from([9, 1, 2, 3, 4, 5, 9]);
  const bytes = around.subarray(1, 6);
  expect([...swapped(bytes, width)]).toEqual(expected);
  expect([...around]).toEqual([9, 1, 2, 3, 4, 5, 9]);
});
