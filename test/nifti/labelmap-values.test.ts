import { describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/nifti/labelmap-values.ts';

const read = (values: Parameters<typeof labelsOf>[0], areLabels = false, row = 64) =>
  labelsOf(values, { name: 'a.nii', row, areLabels });

/** Pieces of 16 voxels of each of `count` labels. */
const pieces = (count: number): number[] => Array.from({ length: 16 * count }, (_, at) => Math.floor(at / 16));
/** Every value in turn, as noise has them. */
const noise = (count: number): number[] => Array.from({ length: 16 * count }, (_, at) => (at * 7919) % count);

describe('labelsOf', () => {
  test('takes whole numbers of any type as they are, and tells of nothing', () => {
    expect(read(Int16Array.from([0, 1, 2]))).toEqual({ voxels: Uint8Array.from([0, 1, 2]), notices: [] });
    expect(read(Float32Array.from([0, 300]))).toEqual({ voxels: Uint16Array.from([0, 300]), notices: [] });
  });

  test('rounds what is within 0.001 of whole numbers, and says how many', () => {
    const { voxels, notices } = read(Float32Array.from([0, 0.9999, 2.0000458, 3, -0.0004]));
    expect([...voxels]).toEqual([0, 1, 2, 3, 0]);
    expect(notices).toEqual([{ code: 'labels-rounded', message: expect.stringContaining('3 values') as string }]);
  });

  test.each([0.5, 1.002, -1, -0.5, 65536, NaN, Infinity])('refuses %d, which is not a label', (value) => {
    expect(() => read(Float64Array.from([0, value]))).toThrow(
      expect.objectContaining({
        code: 'not-segmentation',
        message: expect.stringContaining(`the value ${value}`) as string,
      }) as Error,
    );
  });

  test.each([256, 1900])('refuses an image of %i values by its noise', (count) => {
    expect(() => read(Uint16Array.from(noise(count)))).toThrow(/is an image, not a labelmap: it holds/);
  });

  test('takes as many labels in pieces, and any labels that the file calls so', () => {
    expect(read(Uint16Array.from(pieces(1900))).voxels).toHaveLength(16 * 1900);
    expect(read(Uint16Array.from(noise(1900)), true).voxels).toHaveLength(16 * 1900);
    expect(read(Uint8Array.from(noise(32))).voxels).toHaveLength(16 * 32);
  });
});
