import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rescaleVoxels } from '../../src/dicom/modality-values.ts';
import type { VoxelArray } from '../../src/volume/volume.ts';

/** More than one piece of what is rescaled at a time, and a rest. */
const LENGTH = 2 ** 14 + 5;

const storedTypes = [
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
] as const;

/** Values over the whole range of a type. */
const stored = fc.tuple(fc.constantFrom(...storedTypes), fc.nat()).map(([Type, seed]): VoxelArray => {
  const values = new Type(LENGTH);
  const bytes = new Uint8Array(values.buffer);
  if (values instanceof Float32Array || values instanceof Float64Array) {
    for (let n = 0; n < LENGTH; n++) values[n] = Math.sin(seed + n) * 1e5;
  } else {
    for (let n = 0; n < bytes.length; n++) bytes[n] = Math.imul(seed + n, 0x9e3779b1) >>> 24;
  }
  return values;
});

const whole = fc.integer({ min: -3000, max: 3000 });
const real = fc.double({ min: -3000, max: 3000, noNaN: true });

describe('rescaled voxels', () => {
  it.each([
    ['whole slopes and intercepts', whole],
    ['any slopes and intercepts', real],
  ])('of every stored type have the values of double precision: %s', (_, number) => {
    fc.assert(
      fc.property(stored, number, number, (values, slope, intercept) => {
        fc.pre(slope !== 0);
        const rescaled = rescaleVoxels(values, { slope, intercept });
        const isFloat = rescaled instanceof Float32Array || rescaled instanceof Float64Array;
        const exact = Float64Array.from(values, (value) => {
          const result = value * slope + intercept;
          return rescaled instanceof Float32Array ? Math.fround(result) : result;
        });
        // Not toEqual, which takes longer for each of the values than all else.
        expect(rescaled.findIndex((value, n) => value !== exact[n])).toBe(-1);
        if (!isFloat) expect(Number.isInteger(slope) && Number.isInteger(intercept)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
