import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeNiftiImage, encodeNiftiLabelmap } from '../../src/nifti/encode-nifti.ts';
import { createGeometry, indexToWorld, type IndexPoint, type VolumeGeometry } from '../../src/volume/geometry.ts';
import type { VoxelArray } from '../../src/volume/volume.ts';
import { anyGeometry } from '../support/any-geometry.ts';
import { obliqueGeometry, testLabelmap } from '../support/labelled-series.ts';

/** The fields of a NIfTI-1 header at their offsets (nifti1.h), read by other code than what wrote them. */
function parse(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shorts = (at: number, n: number) => Array.from({ length: n }, (_, k) => view.getInt16(at + 2 * k, true));
  const floats = (at: number, n: number) => Array.from({ length: n }, (_, k) => view.getFloat32(at + 4 * k, true));
  return {
    headerSize: view.getInt32(0, true),
    dim: shorts(40, 8),
    intent: shorts(68, 1)[0],
    datatype: shorts(70, 1)[0],
    bitpix: shorts(72, 1)[0],
    pixdim: floats(76, 8),
    voxelOffset: floats(108, 1)[0],
    slope: floats(112, 1)[0],
    intercept: floats(116, 1)[0],
    units: bytes[123],
    qformCode: shorts(252, 1)[0],
    sformCode: shorts(254, 1)[0],
    quaternion: floats(256, 3),
    qoffset: floats(268, 3),
    srow: [floats(280, 4), floats(296, 4), floats(312, 4)],
    magic: String.fromCharCode(...bytes.subarray(344, 348)),
    voxels: bytes.subarray(352),
  };
}

/** The affine that the quaternion, pixdim and qfac mean; as nifti1_io.c has it, a turn within rounding of 180° is one. */
function qformAffine({ quaternion, pixdim, qoffset }: ReturnType<typeof parse>): number[][] {
  const squared = 1 - quaternion.reduce((sum, q) => sum + q * q, 0);
  const a = squared < 1e-7 ? 0 : Math.sqrt(squared);
  const scale = squared < 1e-7 ? 1 / Math.hypot(...quaternion) : 1;
  const [b = 0, c = 0, d = 0] = quaternion.map((q) => q * scale);
  const [qfac = 1, si = 1, sj = 1, sk = 1] = pixdim;
  return [
    [(a * a + b * b - c * c - d * d) * si, 2 * (b * c - a * d) * sj, 2 * (b * d + a * c) * sk * qfac, qoffset[0] ?? 0],
    [2 * (b * c + a * d) * si, (a * a + c * c - b * b - d * d) * sj, 2 * (c * d - a * b) * sk * qfac, qoffset[1] ?? 0],
    [2 * (b * d - a * c) * si, 2 * (c * d + a * b) * sj, (a * a + d * d - c * c - b * b) * sk * qfac, qoffset[2] ?? 0],
  ];
}

function cornersOf({ dimensions: [i, j, k] }: VolumeGeometry): IndexPoint[] {
  return [0, i - 1].flatMap((a) => [0, j - 1].flatMap((b) => [0, k - 1].map((c): IndexPoint => [a, b, c])));
}

describe('encodeNiftiLabelmap', () => {
  test('sform and qform take every voxel to its place in RAS, on oblique and left-handed grids too', async () => {
    await fc.assert(
      fc.asyncProperty(anyGeometry({ dimensions: [4, 3, 3], leftHanded: true }), async (geometry) => {
        const header = parse(await encodeNiftiLabelmap(testLabelmap([1], { geometry }), { gzip: false }));
        expect([header.qformCode, header.sformCode]).toEqual([1, 1]);
        for (const index of cornersOf(geometry)) {
          const [x, y, z] = indexToWorld(geometry, index);
          const errorMm = (affine: number[][]): number => {
            const ras = affine.map(
              (row) => (row[3] ?? 0) + index.reduce((sum, n, axis) => sum + n * (row[axis] ?? 0), 0),
            );
            return Math.hypot(-x - (ras[0] ?? 0), -y - (ras[1] ?? 0), z - (ras[2] ?? 0));
          };
          // float32 holds 500 mm to 3e-5 mm.
          expect(errorMm(header.srow)).toBeLessThan(2e-4);
          // The quaternion's a is the root of a difference: of float32 it has 1e-7, so near 180° up to 1e-3 rad are lost.
          const [x0, y0, z0] = geometry.origin;
          expect(errorMm(qformAffine(header))).toBeLessThan(2e-4 + 1e-3 * Math.hypot(x - x0, y - y0, z - z0));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('the file is a NIfTI-1 label volume in mm, voxels in the order they had', async () => {
    const labelmap = testLabelmap([0, 1, 2, 3, 0]);
    const header = parse(await encodeNiftiLabelmap(labelmap, { gzip: false }));
    expect(header).toMatchObject({
      headerSize: 348,
      dim: [3, 7, 5, 4, 1, 1, 1, 1],
      intent: 1002,
      datatype: 2,
      bitpix: 8,
      voxelOffset: 352,
      slope: 1,
      intercept: 0,
      units: 2,
      magic: 'n+1\0',
    });
    expect(header.pixdim.slice(1, 4)).toEqual([1.25, 1.5, 8]);
    expect([...header.voxels]).toEqual([...labelmap.voxels]);
  });

  test('gzip holds the same bytes', async () => {
    const labelmap = testLabelmap([0, 1, 2]);
    const plain = await encodeNiftiLabelmap(labelmap, { gzip: false });
    const packed = await encodeNiftiLabelmap(labelmap, { gzip: true });
    expect([...gunzipSync(packed)]).toEqual([...plain]);
  });

  test('an axis longer than an int16 is refused', async () => {
    const geometry = createGeometry({ ...obliqueGeometry(), dimensions: [32768, 1, 1] });
    await expect(encodeNiftiLabelmap(testLabelmap([1], { geometry }), { gzip: false })).rejects.toMatchObject({
      code: 'unsupported-nifti',
    });
  });
});

test.each<[number, number, VoxelArray]>([
  [2, 8, new Uint8Array([0, 255])],
  [256, 8, new Int8Array([-128, 127])],
  [512, 16, new Uint16Array([0, 65535])],
  [4, 16, new Int16Array([-1024, 32767])],
  [768, 32, new Uint32Array([0, 4294967295])],
  [8, 32, new Int32Array([-70000, 70000])],
  [16, 32, new Float32Array([-0.5, 1e-3])],
  [64, 64, new Float64Array([-0.5, 1 / 3])],
])("an image keeps its voxel type (NIfTI's %i)", async (datatype, bits, voxels) => {
  const geometry = createGeometry({ ...obliqueGeometry(), dimensions: [2, 1, 1] });
  // A view that does not begin with its buffer.
  const padded = new (voxels.constructor as new (length: number) => VoxelArray)(3);
  padded.set(voxels, 1);
  const header = parse(await encodeNiftiImage({ geometry, voxels: padded.subarray(1) }, { gzip: false }));
  expect([header.datatype, header.bitpix, header.intent]).toEqual([datatype, bits, 0]);
  expect([...header.voxels]).toEqual([...new Uint8Array(voxels.buffer)]);
});
