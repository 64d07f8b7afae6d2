import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { encodeNiftiImage, encodeNiftiLabelmap } from '../../src/nifti/encode-nifti.ts';
import { indexToWorld, type IndexPoint, type VolumeGeometry } from '../../src/volume/geometry.ts';
import { anyGeometry } from '../support/any-geometry.ts';
import { testLabelmap } from '../support/labelled-series.ts';
import { describeWithPython, runJudge } from '../support/python.ts';
import { readVoxels, temporaryFolder, testEachSeries } from './judged-series.ts';

const nibabelSaid = z.object({
  shape: z.array(z.number()),
  type: z.string(),
  affine: z.array(z.array(z.number())),
  qform: z.array(z.array(z.number())),
  codes: z.array(z.number()),
  units: z.string(),
  spacing: z.array(z.number()),
  intent: z.string(),
});

async function readWithNibabel(bytes: Uint8Array, name = 'file.nii.gz') {
  const folder = temporaryFolder();
  const [file, voxels] = [join(folder, name), join(folder, 'voxels.bin')];
  writeFileSync(file, bytes);
  const said = nibabelSaid.parse(await runJudge('read_nifti.py', [file, voxels]));
  return { ...said, voxels: readVoxels(voxels) };
}

/** Largest distance in mm between where an affine (to RAS) and a geometry (in LPS) put the corners of a grid. */
function affineErrorMm(affine: number[][], geometry: VolumeGeometry): number {
  const [i, j, k] = geometry.dimensions;
  const corners = [0, i - 1].flatMap((a) => [0, j - 1].flatMap((b) => [0, k - 1].map((c): IndexPoint => [a, b, c])));
  return Math.max(
    ...corners.map((index) => {
      const [x, y, z] = indexToWorld(geometry, index);
      const [rx = 0, ry = 0, rz = 0] = affine.map(
        (row) => (row[3] ?? 0) + index.reduce((sum, n, axis) => sum + n * (row[axis] ?? 0), 0),
      );
      return Math.hypot(rx + x, ry + y, rz - z);
    }),
  );
}

describeWithPython('nibabel', ['nibabel'], () => {
  testEachSeries('the labelmap has its affine and every voxel', async ({ labelmap }) => {
    const read = await readWithNibabel(await encodeNiftiLabelmap(labelmap, { gzip: true }));
    expect(read).toMatchObject({ type: 'uint8', codes: [1, 1], units: 'mm', intent: 'label' });
    expect(read.shape).toEqual(labelmap.geometry.dimensions);
    // float32 holds coordinates to 3e-5 mm, and the last corner sums three products.
    expect(affineErrorMm(read.affine, labelmap.geometry)).toBeLessThan(1e-3);
    // The quaternion loses up to 1e-3 rad only next to half turns; real series are not there.
    expect(affineErrorMm(read.qform, labelmap.geometry)).toBeLessThan(0.05);
    expect(Buffer.compare(read.voxels, Uint8Array.from(labelmap.voxels))).toBe(0);
  });

  test('oblique and left-handed grids of any kind', async () => {
    const geometries = fc.sample(anyGeometry({ dimensions: [4, 3, 3], leftHanded: true }), { numRuns: 8, seed: 1 });
    for (const geometry of geometries) {
      const labelmap = testLabelmap([0, 1, 2, 3, 0], { geometry });
      const read = await readWithNibabel(await encodeNiftiLabelmap(labelmap, { gzip: false }), 'file.nii');
      expect(affineErrorMm(read.affine, geometry)).toBeLessThan(1e-3);
      expect(affineErrorMm(read.qform, geometry)).toBeLessThan(0.05);
      expect(Buffer.compare(read.voxels, Uint8Array.from(labelmap.voxels))).toBe(0);
    }
  });

  test('an image keeps its signed values', async () => {
    const { geometry } = testLabelmap([0]);
    const voxels = Int16Array.from({ length: 140 }, (_, at) => 50 * at - 1024);
    const read = await readWithNibabel(await encodeNiftiImage({ geometry, voxels }, { gzip: true }));
    expect(read.type).toBe('int16');
    expect(read.spacing.map((mm) => mm.toFixed(3))).toEqual(['1.250', '1.500', '8.000']);
    expect(Buffer.compare(read.voxels, new Uint8Array(voxels.buffer))).toBe(0);
  });
});
