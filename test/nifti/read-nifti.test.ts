import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readNiftiLabelmap } from '../../src/nifti/read-nifti.ts';
import type { VoxelArray } from '../../src/volume/volume.ts';
import { textContaining } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { niftiPairPhantom, niftiPhantom, phantom, type NiftiOptions } from '../support/phantom.ts';
import { niftiReader } from '../support/whole-reader.ts';

const cube = phantom([2, 3, 2]);
const read = async (options: NiftiOptions, source = cube) => niftiReader.read([niftiPhantom(source, options)]);

/** Writes fields of the header in the file's byte order. */
const int16 =
  (offset: number, ...values: number[]): NiftiOptions['change'] =>
  (header, littleEndian) => {
    values.forEach((value, n) => {
      header.setInt16(offset + 2 * n, value, littleEndian);
    });
  };
const float32 =
  (offset: number, ...values: number[]): NiftiOptions['change'] =>
  (header, littleEndian) => {
    values.forEach((value, n) => {
      header.setFloat32(offset + 4 * n, value, littleEndian);
    });
  };
const all =
  (...changes: NiftiOptions['change'][]): NiftiOptions['change'] =>
  (header, littleEndian) => {
    for (const change of changes) change?.(header, littleEndian);
  };

const DIMENSIONS = 40;
const DATATYPE = 70;
const PIXDIM = 76;
const VOXEL_OFFSET = 108;
const SLOPE = 112;
const FORM_CODES = 252;
const QUATERNION = 256;
const SROW_Y = 296;

describe('voxel types', () => {
  it.each<[string, number, VoxelArray]>([
    ['uint8', 2, new Uint8Array(12).map((_, n) => 250 + n)],
    ['int8', 256, new Int8Array(12).map((_, n) => n - 6)],
    ['uint16', 512, new Uint16Array(12).map((_, n) => 65_530 + n)],
    ['int16', 4, new Int16Array(12).map((_, n) => n * 1000 - 6000)],
    ['uint32', 768, new Uint32Array(12).map((_, n) => 4e9 + n)],
    ['int32', 8, new Int32Array(12).map((_, n) => n * 1e8 - 6e8)],
    ['float32', 16, new Float32Array(12).map((_, n) => n / 3 - 2)],
    ['float64', 64, new Float64Array(12).map((_, n) => n / 3 - 2)],
  ])('%s is kept, in either byte order', async (_, code, voxels) => {
    const little = new Uint8Array(voxels.buffer);
    const width = voxels.BYTES_PER_ELEMENT;
    const big = little.map((__, at) => little[at - (at % width) + (width - 1 - (at % width))] ?? 0);
    for (const [littleEndian, content] of [
      [true, little],
      [false, big],
    ] as const) {
      const { volume } = await read({ littleEndian, content, change: int16(DATATYPE, code) });
      expect(volume.voxels).toEqual(voxels);
    }
  });

  it.each([
    [1, 'single bits'],
    [32, 'complex numbers'],
    [128, 'colours'],
    [1536, '128-bit floats'],
    [77, 'unknown type 77'],
  ])('%i is refused: %s', async (code, what) => {
    await expect(read({ change: int16(DATATYPE, code) })).rejects.toMatchObject({
      code: 'unsupported-nifti',
      message: textContaining(what),
    });
  });
});

describe('64-bit integers', () => {
  const wide = (...values: bigint[]): Uint8Array =>
    new Uint8Array(BigInt64Array.from({ length: 12 }, (_, n) => values[n] ?? 0n).buffer);

  it('become Int32 where they fit, else doubles', async () => {
    const small = await read({ content: wide(-5n, 2147483647n), change: int16(DATATYPE, 1024) });
    expect(small.volume.voxels).toEqual(Int32Array.of(-5, 2147483647, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    const large = await read({ content: wide(2147483648n), change: int16(DATATYPE, 1280) });
    expect(large.volume.voxels).toEqual(Float64Array.of(2147483648, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  });
});

describe('scaling', () => {
  const content = new Uint8Array(Int16Array.of(0, 1, 2, 3, -4, 5, 6, 7, 8, 9, 10, 3000).buffer);

  it.each<[string, number, number, VoxelArray]>([
    [
      'by integers gives Int16',
      2,
      -1024,
      Int16Array.of(-1024, -1022, -1020, -1018, -1032, -1014, -1012, -1010, -1008, -1006, -1004, 4976),
    ],
    [
      'by integers gives Int32 where Int16 is too small',
      20,
      1,
      Int32Array.of(1, 21, 41, 61, -79, 101, 121, 141, 161, 181, 201, 60_001),
    ],
    [
      'by fractions gives Float32',
      0.5,
      0.25,
      Float32Array.of(0.25, 0.75, 1.25, 1.75, -1.75, 2.75, 3.25, 3.75, 4.25, 4.75, 5.25, 1500.25),
    ],
    ['by zero is none', 0, 5, Int16Array.of(0, 1, 2, 3, -4, 5, 6, 7, 8, 9, 10, 3000)],
    ['by NaN is none', NaN, NaN, Int16Array.of(0, 1, 2, 3, -4, 5, 6, 7, 8, 9, 10, 3000)],
  ])('%s', async (_, slope, intercept, expected) => {
    expect((await read({ content, change: float32(SLOPE, slope, intercept) })).volume.voxels).toEqual(expected);
  });

  it('by an infinite intercept is refused', async () => {
    await expect(read({ change: float32(SLOPE, 2, Infinity) })).rejects.toMatchObject({ code: 'invalid-attribute' });
  });
});

describe('geometry', () => {
  it('comes from the sform where both forms are there, even with the lower code', async () => {
    const { volume } = await read({ change: int16(FORM_CODES, 3, 1) });
    volume.geometry.origin.forEach((x, axis) => {
      expect(x).toBeCloseTo(cube.geometry.origin[axis] ?? NaN, 4);
    });
  });

  it('comes from the qform without an sform, left-handed where qfac is -1', async () => {
    // A quarter turn about z: i runs to the front, j to the left (RAS: i = +y, j = -x).
    const half = Math.SQRT1_2;
    const qform = all(
      int16(FORM_CODES, 1, 0),
      float32(QUATERNION, 0, 0, half, 10, 20, 30),
      float32(PIXDIM, -1, 2, 3, 4),
    );
    const { geometry } = (await read({ change: qform })).volume;
    expect(geometry.spacing).toEqual([2, 3, 4]);
    expect(geometry.origin).toEqual([-10, -20, 30]);
    const expected = [
      [0, -1, 0],
      [1, 0, 0],
      [0, 0, -1],
    ];
    geometry.direction.flat().forEach((cosine, n) => {
      expect(cosine).toBeCloseTo(expected.flat()[n] ?? NaN, 6);
    });
  });

  it('without forms is voxel sizes from the origin, with a notice', async () => {
    const { volume, warnings } = await read({ change: all(int16(FORM_CODES, 0, 0), float32(PIXDIM, 1, 2, 3, 4)) });
    expect(volume.geometry).toEqual({
      dimensions: [2, 3, 2],
      spacing: [2, 3, 4],
      origin: [0, 0, 0],
      direction: [
        [-1, 0, 0],
        [0, -1, 0],
        [0, 0, 1],
      ],
    });
    expect(warnings.map(({ code }) => code)).toEqual(['position-assumed']);
  });

  it.each([
    ['metres, with a notice', 1, 1000, ['units-converted']],
    ['micrometres, with a notice', 3, 0.001, ['units-converted']],
    ['no unit, with a notice', 0, 1, ['units-assumed']],
  ])('in %s is turned into millimetres', async (_, units, factor, notices) => {
    const { volume, warnings } = await read({
      change: (header) => {
        header.setUint8(123, units + 8); // and seconds
      },
    });
    volume.geometry.spacing.forEach((mm, axis) => {
      expect(mm / factor).toBeCloseTo(cube.geometry.spacing[axis] ?? NaN, 5);
    });
    volume.geometry.origin.forEach((mm, axis) => {
      expect(mm / factor).toBeCloseTo(cube.geometry.origin[axis] ?? NaN, 4);
    });
    expect(warnings.map(({ code }) => code)).toEqual(notices);
  });

  it('whose rows and columns are sheared is refused with the angle, whatever is asked for', async () => {
    const change = all(float32(280, 1, 0, 0, 0), float32(SROW_Y, 0.2, 1, 0, 0), float32(312, 0, 0, 1, 0));
    for (const resample of [false, true]) {
      await expect(niftiReader.read([niftiPhantom(cube, { change })], { resample })).rejects.toMatchObject({
        code: 'gantry-tilt',
        message: textContaining('78.7°'),
      });
    }
  });

  it('whose slices lean is refused, or interpolated onto an upright grid', async () => {
    const ramp = phantom([6, 8, 5]);
    // A linear function of the place in the patient is what linear interpolation gives back exactly.
    const shear = 0.5;
    const content = new Uint8Array(
      Float32Array.from({ length: 240 }, (_, at) => {
        const [i, j, k] = [at % 6, Math.floor(at / 6) % 8, Math.floor(at / 48)];
        return 10 * i + 3 * (j + shear * k) + 7 * k;
      }).buffer,
    );
    const leaning = all(
      int16(DATATYPE, 16),
      float32(280, 1, 0, 0, 0),
      float32(SROW_Y, 0, 1, shear, 0),
      float32(312, 0, 0, 2, 0),
    );
    const file = niftiPhantom(ramp, { content, change: leaning });
    await expect(niftiReader.read([file])).rejects.toMatchObject({ code: 'gantry-tilt' });
    const { volume, warnings } = await niftiReader.read([file], { resample: true });
    expect(warnings.map(({ code }) => code)).toContain('resampled');
    expect(volume.geometry).toMatchObject({ dimensions: [6, 10, 5], spacing: [1, 1, 2] });
    for (let k = 0; k < 5; k++) {
      // Where slice k is, half a voxel of its edge left out.
      for (let j = Math.ceil(shear * k); j <= 7 + Math.floor(shear * k); j++) {
        for (let i = 0; i < 6; i++) expect(volume.voxels[(k * 10 + j) * 6 + i]).toBeCloseTo(10 * i + 3 * j + 7 * k, 4);
      }
    }
  });

  it.each([
    ['so far that no memory could hold the grid', 1e6, 'voxels'],
    ['so far that the grid is hardly filled', 200, 'resampleRatio'],
  ])('whose slices lean %s is refused before memory is taken', async (_, shear, limit) => {
    const change = all(float32(280, 1, 0, 0, 0), float32(SROW_Y, 0, 1e-3, shear, 0), float32(312, 0, 0, 1, 0));
    await expect(niftiReader.read([niftiPhantom(cube, { change })], { resample: true })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: textContaining(`limit ${limit}`),
      details: expect.objectContaining({ option: 'limit', choices: [limit] }) as object,
    });
  });

  it('of more leaning slices than are planned for is refused', async () => {
    const change = (header: DataView): void => {
      header.setBigInt64(16 + 8 * 3, 40_000n, true);
      header.setFloat64(400 + 8 * 2, 5, true);
    };
    const file = niftiPhantom(phantom([1, 1, 2]), { version: 2, change, content: new Uint8Array(80_000) });
    await expect(niftiReader.read([file], { resample: true })).rejects.toMatchObject({
      code: 'gantry-tilt',
      message: textContaining('40000'),
    });
  });

  it('warns where slices were hardly acquired along the third axis', async () => {
    const change = all(int16(FORM_CODES, 0, 0), float32(PIXDIM, 1, 1.5, 8, 1.5));
    expect((await read({ change })).warnings.map(({ code }) => code)).toContain('slice-axis-doubtful');
  });

  it('of a plane may leave its thickness out', async () => {
    const change = all(int16(FORM_CODES, 0, 0), int16(DIMENSIONS, 2, 4, 3, 0), float32(PIXDIM, 1, 2, 3, 0));
    expect((await read({ change })).volume.geometry).toMatchObject({ dimensions: [4, 3, 1], spacing: [2, 3, 1] });
  });

  it.each([
    ['a voxel size of zero', all(int16(FORM_CODES, 1, 0), float32(PIXDIM, 1, 0, 3, 4))],
    ['a negative voxel size', all(int16(FORM_CODES, 0, 0), float32(PIXDIM, 1, 1, -3, 4))],
    ['an sform of zeroes', float32(280, ...new Float32Array(12))],
    ['an sform that is no number', float32(SROW_Y, NaN, 0, 0, 0)],
  ])('with %s is refused', async (_, change) => {
    await expect(read({ change })).rejects.toMatchObject({ code: 'invalid-geometry' });
  });
});

describe('what is no single NIfTI-1 volume', () => {
  it('of several volumes is refused, of one in a fourth dimension read', async () => {
    await expect(read({ change: int16(DIMENSIONS, 4, 2, 3, 1, 2) })).rejects.toMatchObject({
      code: 'several-volumes',
      message: textContaining('2 volumes (2 × 3 × 1 × 2)'),
    });
    const { volume } = await read({ change: int16(DIMENSIONS, 4, 2, 3, 2, 1) });
    expect(volume.geometry.dimensions).toEqual([2, 3, 2]);
  });

  it('in several files is refused', async () => {
    await expect(niftiReader.read([niftiPhantom(), niftiPhantom()])).rejects.toMatchObject({ code: 'several-volumes' });
  });

  it('of several volumes gives the one asked for, counted from 1', async () => {
    const content = new Uint8Array(Int16Array.from({ length: 12 }, (_, n) => n).buffer);
    for (const gzip of [false, true]) {
      for (const phase of [1, 2, 3]) {
        const { volume } = await niftiReader.read(
          [niftiPhantom(cube, { gzip, content, change: int16(DIMENSIONS, 5, 2, 2, 1, 3, 1) })],
          { phase },
        );
        expect([...volume.voxels]).toEqual([0, 1, 2, 3].map((n) => 4 * (phase - 1) + n));
      }
      await expect(
        niftiReader.read([niftiPhantom(cube, { gzip, content, change: int16(DIMENSIONS, 4, 2, 2, 1, 3) })], {
          phase: 4,
        }),
      ).rejects.toMatchObject({ code: 'phase-not-found' });
    }
  });

  it('whose half is missing is refused by name', async () => {
    const [voxels, header] = niftiPairPhantom(cube);
    if (voxels === undefined || header === undefined) throw new Error('A pair is two files.');
    await expect(niftiReader.read([header])).rejects.toMatchObject({
      code: 'no-pixel-data',
      message: textContaining('phantom.hdr'),
    });
    await expect(niftiReader.read([voxels])).rejects.toMatchObject({
      code: 'no-pixel-data',
      message: textContaining('phantom.img'),
    });
    const [description] = await niftiReader.describe([header]);
    expect(description?.problem).toMatchObject({ code: 'no-pixel-data' });
    expect(niftiReader.accepts(new Uint8Array(352), 'a.img', ['a.img', 'b.hdr'])).toBe(false);
  });

  it('by its name only is no NIfTI', async () => {
    for (const bytes of [new Uint8Array(400), new Uint8Array(gzipSync(new Uint8Array(400)))]) {
      await expect(niftiReader.read([memoryFile('a.nii', bytes)])).rejects.toMatchObject({ code: 'not-nifti' });
    }
  });
});

describe('a damaged file', () => {
  it.each([
    ['eight dimensions', int16(DIMENSIONS, 8)],
    ['no dimensions', int16(DIMENSIONS, 0)],
    ['a size of zero', int16(DIMENSIONS, 3, 2, 0, 2)],
    ['a negative size', int16(DIMENSIONS, 3, 2, -3, 2)],
    ['voxels within its header', float32(VOXEL_OFFSET, 100)],
    ['voxels past its end', float32(VOXEL_OFFSET, 1e9)],
  ])('with %s is refused', async (_, change) => {
    await expect(read({ change })).rejects.toMatchObject({ code: 'damaged-file' });
  });

  it('that promises terabytes in a few compressed bytes is refused before memory is asked for', async () => {
    const change = int16(DIMENSIONS, 3, 32_767, 32_767, 32_767);
    await expect(read({ gzip: true, change })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: textContaining('limit voxels'),
    });
  });

  it('skips extensions without reading them', async () => {
    const content = new Uint8Array([...new Uint8Array(64).fill(0xff), ...new Uint8Array(cube.voxels.buffer)]);
    const { volume } = await read({ content, change: float32(VOXEL_OFFSET, 352 + 64) });
    expect(volume.voxels).toEqual(cube.voxels);
  });
});

describe('readNiftiLabelmap', () => {
  const labels = async (code: number, voxels: VoxelArray) =>
    readNiftiLabelmap(niftiPhantom(cube, { content: new Uint8Array(voxels.buffer), change: int16(DATATYPE, code) }));

  it('gives labels as Uint8Array, whatever whole numbers the file holds', async () => {
    const expected = Uint8Array.of(0, 1, 2, 3, 0, 0, 255, 4, 0, 1, 1, 1);
    expect((await labels(2, expected)).voxels).toEqual(expected);
    expect((await labels(4, Int16Array.from(expected))).voxels).toEqual(expected);
    expect((await labels(512, Uint16Array.from(expected))).voxels).toEqual(expected);
    expect((await labels(16, Float32Array.from(expected))).voxels).toEqual(expected);
    expect((await labels(64, Float64Array.from(expected))).voxels).toEqual(expected);
  });

  it('gives Uint16Array where a label exceeds 255', async () => {
    const expected = Uint16Array.of(0, 1, 2, 3, 0, 0, 256, 65_535, 0, 1, 1, 1);
    expect((await labels(512, expected)).voxels).toEqual(expected);
    expect((await labels(8, Int32Array.from(expected))).voxels).toEqual(expected);
  });

  it('refuses what is no label', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(-1, 0.5, 65_536, NaN, Infinity), fc.nat({ max: 11 }), async (value, at) => {
        const voxels = new Float32Array(12);
        voxels[at] = value;
        await expect(labels(16, voxels)).rejects.toMatchObject({ code: 'not-segmentation' });
      }),
    );
  });
});
