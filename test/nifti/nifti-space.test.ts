import { describe, expect, test } from 'vitest';
import { encodeNiftiImage, encodeNiftiLabelmap } from '../../src/nifti/encode-nifti.ts';
import { regridVolume } from '../../src/labelmap/regrid.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import type { Volume } from '../../src/volume/volume.ts';
import { obliqueGeometry, testLabelmap } from '../support/labelled-series.ts';
import { memoryFile } from '../support/memory-file.ts';

/** Offsets of nifti1.h that say where voxels are: pixdim, units, codes, both forms. */
const PLACES: readonly (readonly [from: number, to: number])[] = [
  [76, 92],
  [123, 124],
  [252, 328],
];

/** An image file whose header was changed after it was written. */
async function imageFile(change: (view: DataView) => void): Promise<Uint8Array<ArrayBuffer>> {
  const geometry = obliqueGeometry();
  const bytes = await encodeNiftiImage({ geometry, voxels: new Uint8Array(140).fill(7) }, { gzip: false });
  change(new DataView(bytes.buffer));
  return bytes;
}

async function read(bytes: Uint8Array<ArrayBuffer>): Promise<{ volume: Volume; codes: string[] }> {
  const { volume, warnings } = await readVolume([memoryFile('a.nii', bytes)]);
  return { volume, codes: warnings.map(({ code }) => code) };
}

describe('a labelmap of a NIfTI image', () => {
  test.each<[string, string[], (view: DataView) => void]>([
    [
      'both codes 0',
      ['position-assumed'],
      (v) => {
        v.setInt32(252, 0, true);
      },
    ],
    [
      'sform code 4',
      [],
      (v) => {
        v.setInt16(254, 4, true);
      },
    ],
    [
      'forms that differ',
      ['forms-differ'],
      (v) => {
        v.setFloat32(268, 55, true);
      },
    ],
    [
      'the sform alone',
      [],
      (v) => {
        v.setInt16(252, 0, true);
      },
    ],
    [
      'the qform alone',
      [],
      (v) => {
        v.setInt16(254, 0, true);
      },
    ],
    [
      'no units',
      ['units-assumed'],
      (v) => {
        v.setUint8(123, 0);
      },
    ],
    [
      'a negative voxel size beside an sform',
      ['voxel-sizes-not-usable'],
      (v) => {
        v.setFloat32(80, -1.25, true);
      },
    ],
    [
      'voxel sizes of NaN beside an sform',
      ['voxel-sizes-not-usable'],
      (v) => {
        v.setFloat32(84, NaN, true);
      },
    ],
    [
      'an sform of zeros beside a qform',
      ['sform-not-usable'],
      (v) => {
        for (let at = 280; at < 328; at += 4) v.setFloat32(at, 0, true);
      },
    ],
    [
      'an sform of NaN beside a qform',
      ['sform-not-usable'],
      (v) => {
        v.setFloat32(284, NaN, true);
      },
    ],
  ])('carries %s', async (_, codes, change) => {
    const bytes = await imageFile(change);
    const { volume, codes: found } = await read(bytes);
    expect(found).toEqual(codes);
    const labels = await encodeNiftiLabelmap(testLabelmap([0, 1], { geometry: volume.geometry }), {
      gzip: false,
      space: volume.niftiSpace,
    });
    for (const [from, to] of PLACES) expect(labels.subarray(from, to)).toEqual(bytes.subarray(from, to));
    const again = await encodeNiftiImage(volume, { gzip: false });
    for (const [from, to] of PLACES) expect(again.subarray(from, to)).toEqual(bytes.subarray(from, to));
  });

  test.each<[string, (view: DataView) => void]>([
    [
      'sform nor qform',
      (v) => {
        v.setInt16(252, 0, true);
        v.setFloat32(284, NaN, true);
      },
    ],
    [
      'voxel sizes nor sform',
      (v) => {
        v.setInt16(254, 0, true);
        v.setFloat32(80, 0, true);
      },
    ],
  ])('is none where neither %s can be used', async (_, change) => {
    await expect(read(await imageFile(change))).rejects.toMatchObject({ code: 'invalid-geometry' });
  });

  test('has forms of its own once the voxels are in another order', async () => {
    const { volume } = await read(await imageFile(() => undefined));
    const { origin, direction, ...rest } = volume.geometry;
    const [i, j, k] = direction;
    const last = [0, 1, 2].map((n) => (origin[n] ?? 0) + 6 * 1.25 * i[n as 0 | 1 | 2]);
    const turned = {
      ...rest,
      origin: last as [number, number, number],
      direction: [[-i[0], -i[1], -i[2]], j, k] as const,
    };
    expect(volume.niftiSpace).toBeDefined();
    expect(regridVolume(volume, turned).niftiSpace).toBeUndefined();
    expect(regridVolume(volume, volume.geometry).niftiSpace).toBe(volume.niftiSpace);
  });
});
