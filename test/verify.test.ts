import { describe, expect, test } from 'vitest';
import { encodeDicomSeg } from '../src/seg/encode-dicom-seg.ts';
import { encodeNiftiLabelmap } from '../src/nifti/encode-nifti.ts';
import { verifyDicomSeg, verifyNifti } from '../src/verify.ts';
import type { Labelmap } from '../src/labelmap/labelmap.ts';
import type { SourceSeries } from '../src/volume/volume.ts';
import { obliqueGeometry, seriesOn, testLabelmap, testProvenance, testUid } from './support/labelled-series.ts';

const labelmap = testLabelmap([0, 0, 1, 2, 2, 0, 3, 3, 3, 0, 0]);
const source = seriesOn(labelmap.geometry);

async function encoded(written: Labelmap = labelmap, from: SourceSeries = source): Promise<Uint8Array[]> {
  const { parts } = await encodeDicomSeg(written, from, { provenance: testProvenance, now: new Date() });
  return [...parts];
}

function failing(message: RegExp): Error {
  return expect.objectContaining({
    code: 'verification-failed',
    message: expect.stringMatching(message) as string,
  }) as Error;
}

/** The labelmap with some voxels or its grid changed: what the file must not be taken for. */
function changed(change: Partial<Labelmap> & { voxel?: [at: number, label: number] }): Labelmap {
  const voxels = labelmap.voxels.slice();
  if (change.voxel) voxels[change.voxel[0]] = change.voxel[1];
  return { ...labelmap, voxels, ...change };
}

describe('verifyDicomSeg', () => {
  test('a file that was just encoded passes, whole or in parts', async () => {
    const [file = new Uint8Array()] = await encoded();
    await verifyDicomSeg([file], labelmap, source);
    await verifyDicomSeg([file.subarray(0, 1000), file.subarray(1000)], labelmap, source);
  });

  test('a file with omitted slices at both ends passes', async () => {
    const middle = changed({});
    const [columns, rows, slices] = middle.geometry.dimensions;
    middle.voxels.fill(0, 0, columns * rows);
    middle.voxels.fill(0, (slices - 1) * columns * rows);
    await verifyDicomSeg(await encoded(middle), middle, source);
  });

  test('an empty labelmap passes, one slice does', async () => {
    const empty = testLabelmap([0]);
    await verifyDicomSeg(await encoded(empty), empty, source);
    const single = testLabelmap([1, 0], { geometry: obliqueGeometry([5, 3, 1]) });
    await verifyDicomSeg(await encoded(single, seriesOn(single.geometry)), single, seriesOn(single.geometry));
  });

  const { geometry, segments } = labelmap;
  test.each<[string, RegExp, Labelmap]>([
    ['a voxel too many', /voxel \(3, 1, 0\) is 0, not 1/, changed({ voxel: [10, 1] })],
    ['a voxel too few', /voxel \(2, 0, 0\) is 1, not 0/, changed({ voxel: [2, 0] })],
    ['another label', /voxel \(2, 0, 0\) is 1, not 2/, changed({ voxel: [2, 2] })],
    [
      'another origin',
      /its grid is 1\.00 mm away/,
      changed({ geometry: { ...geometry, origin: [geometry.origin[0], geometry.origin[1] + 1, geometry.origin[2]] } }),
    ],
    [
      'another gap',
      /its grid is .* mm away/,
      changed({ geometry: { ...geometry, spacing: [geometry.spacing[0], geometry.spacing[1], 8.2] } }),
    ],
    [
      'another pixel spacing, too little to move a corner',
      /segment 1 has .* ml, not/,
      changed({ geometry: { ...geometry, spacing: [1.2502, 1.5, 8] } }),
    ],
    [
      'another segment',
      /segment 2 is missing or described otherwise/,
      changed({ segments: segments.map((s) => (s.segmentNumber === 2 ? { ...s, trackingUID: testUid(999) } : s)) }),
    ],
    ['a segment fewer', /it has 3 segments, not 2/, changed({ segments: segments.slice(0, 2) })],
  ])('%s is found', async (_, message, expected) => {
    await expect(verifyDicomSeg(await encoded(), expected, source)).rejects.toThrow(failing(message));
  });

  test('references to another series or to other images are found', async () => {
    const otherSeries = { ...source, seriesInstanceUID: testUid(4) };
    await expect(verifyDicomSeg(await encoded(labelmap, otherSeries), labelmap, source)).rejects.toThrow(
      failing(/another series/),
    );
    const instances = source.instances.map((instance, k) => ({ ...instance, sopInstanceUID: testUid(100 + (k ^ 1)) }));
    await expect(verifyDicomSeg(await encoded(labelmap, { ...source, instances }), labelmap, source)).rejects.toThrow(
      failing(/a frame of slice 0 refers to another image/),
    );
  });

  test('every flipped bit of the pixel data is found', async () => {
    const [file = new Uint8Array()] = await encoded();
    const pixelBits = 3 * geometry.dimensions.reduce((product, n) => product * n, 1);
    const start = file.length - 2 * Math.ceil(pixelBits / 16);
    for (let bit = 0; bit < pixelBits; bit += 7) {
      const damaged = file.slice();
      const at = start + (bit >> 3);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
      await expect(verifyDicomSeg([damaged], labelmap, source)).rejects.toThrow(failing(/./));
    }
  });

  test('a file that ends early is found, with the reason as cause', async () => {
    const [file = new Uint8Array()] = await encoded();
    await expect(verifyDicomSeg([file.subarray(0, -20)], labelmap, source)).rejects.toThrow(failing(/cannot be read/));
    await expect(verifyDicomSeg([file.subarray(0, 700)], labelmap, source)).rejects.toThrow(failing(/cannot be read/));
  });
});

describe('verifyNifti', () => {
  test.each([true, false])('a file that was just encoded passes (gzip %s)', async (gzip) => {
    await verifyNifti(await encodeNiftiLabelmap(labelmap, { gzip }), labelmap);
  });

  test('a file of 16-bit labels that all fit 8 passes', async () => {
    const wide = { ...labelmap, voxels: Uint16Array.from(labelmap.voxels) };
    await verifyNifti(await encodeNiftiLabelmap(wide, { gzip: true }), wide);
  });

  test.each<[string, RegExp, Labelmap]>([
    ['a voxel', /voxel \(2, 0, 0\) is 1, not 3/, changed({ voxel: [2, 3] })],
    ['the grid', /its grid is/, changed({ geometry: { ...labelmap.geometry, origin: [0, 0, 0] } })],
  ])('%s that differs is found', async (_, message, expected) => {
    const bytes = await encodeNiftiLabelmap(labelmap, { gzip: true });
    await expect(verifyNifti(bytes, expected)).rejects.toThrow(failing(message));
  });

  test('a file that ends early is found', async () => {
    const bytes = await encodeNiftiLabelmap(labelmap, { gzip: false });
    await expect(verifyNifti(bytes.subarray(0, -9), labelmap)).rejects.toThrow(failing(/cannot be read/));
  });
});
