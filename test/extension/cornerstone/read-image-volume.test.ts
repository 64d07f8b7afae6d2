import { expect, test } from 'vitest';
import { readGrid, readImageVolume } from '../../../extension/cornerstone/index.ts';
import { InputError, IrregularSlicesError } from '../../../src/errors.ts';
import { indexToWorld } from '../../../src/volume/geometry.ts';
import type { Volume } from '../../../src/volume/volume.ts';
import { addSeries, host, type SeriesOptions } from '../../support/cornerstone-series.ts';
import { seriesOn, testUid } from '../../support/labelled-series.ts';
import { dicomPhantom, phantom, sliceAttributes } from '../../support/phantom.ts';
import { dicomReader } from '../../support/whole-reader.ts';

const { geometry, voxels } = phantom();
const shuffled = [2, 0, 3, 1];

/** What the DICOM reader makes of the same series in files. */
async function fromFiles(slope: number, intercept: number): Promise<Volume> {
  const attributes = { PatientName: 'Mueller', RescaleSlope: String(slope), RescaleIntercept: String(intercept) };
  const { volume } = await dicomReader.read(dicomPhantom(phantom(), () => attributes));
  return volume;
}

const VARIANTS: readonly [string, Omit<SeriesOptions, 'geometry' | 'stored'>][] = [
  ['modality values, whole data sets', {}],
  ['stored values', { scaled: false }],
  ['modules only', { whole: false }],
  ['stored values, modules only', { scaled: false, whole: false }],
  ['a CT rescale', { slope: 1, intercept: -1024 }],
  ['a CT rescale that the page leaves to us', { slope: 1, intercept: -1024, scaled: false }],
  ['a rescale with fractions', { slope: 0.5, intercept: 0.25 }],
  ['a rescale with fractions that the page leaves to us', { slope: 0.5, intercept: 0.25, scaled: false }],
];

test.each(VARIANTS)('reads what the DICOM reader reads of the files: %s', async (_, variant) => {
  const imageIds = addSeries({ geometry, stored: voxels, order: shuffled, ...variant });
  const { volume, sliceOfImage } = await readImageVolume(host, imageIds);
  const expected = await fromFiles(variant.slope ?? 1, variant.intercept ?? 0);
  expect(volume.voxels).toEqual(expected.voxels);
  expect(volume.geometry.dimensions).toEqual(expected.geometry.dimensions);
  expect(volume.geometry.origin.map((mm) => mm.toFixed(5))).toEqual(
    expected.geometry.origin.map((mm) => mm.toFixed(5)),
  );
  expect(volume.geometry.direction.flat()).toEqual(
    expected.geometry.direction.flat().map((cosine) => expect.closeTo(cosine, 5) as number),
  );
  expect(volume.modality).toBe(expected.modality);
  expect(sliceOfImage).toEqual(shuffled);
});

test('a segmentation of it can refer to its images, with the attributes that it copies', async () => {
  const { description } = await readGrid(host, addSeries({ geometry, stored: voxels, order: shuffled }));
  expect(description.source).toEqual({
    ...seriesOn(geometry),
    attributes: { ...seriesOn(geometry).attributes, PatientBirthDate: undefined },
  });
});

test('the grid is read without loading an image', async () => {
  const imageIds = addSeries({ geometry, stored: voxels });
  const { sliceOfImage } = await readGrid(host, imageIds);
  expect(sliceOfImage).toEqual([0, 1, 2, 3]);
  expect(imageIds.map((imageId) => host.core.cache.getImage(imageId))).toEqual(imageIds.map(() => undefined));
});

test('the page keeps its pixels as they are', async () => {
  const imageIds = addSeries({ geometry, stored: voxels, slope: 2, scaled: false });
  await readImageVolume(host, imageIds);
  const pixels = imageIds.flatMap((imageId) => [...(host.core.cache.getImage(imageId)?.getPixelData() ?? [])]);
  expect(pixels).toEqual([...voxels]);
});

test('a series with a missing slice is refused as the reader refuses it', async () => {
  const imageIds = addSeries({ geometry, stored: voxels }).toSpliced(1, 1);
  await expect(readImageVolume(host, imageIds)).rejects.toBeInstanceOf(IrregularSlicesError);
});

test('images without a place are refused as the reader refuses them', async () => {
  const imageIds = addSeries({ geometry, stored: voxels, change: () => ({ PixelSpacing: undefined }) });
  await expect(readImageVolume(host, imageIds)).rejects.toBeInstanceOf(InputError);
});

test('slices with a frame of reference each are one volume, and the first names it', async () => {
  const change = (k: number) => ({ FrameOfReferenceUID: testUid(900 + k) });
  const { volume, warnings } = await readImageVolume(
    host,
    addSeries({ geometry, stored: voxels, order: shuffled, change }),
  );
  expect(volume.source?.frameOfReferenceUID).toBe(testUid(900));
  expect(warnings.map(({ code }) => code)).toContain('several-frames-of-reference');
});

test('an aborted signal ends the reading with its reason', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  const reading = readImageVolume(host, addSeries({ geometry, stored: voxels }), { signal });
  await expect(reading).rejects.toThrow('enough');
});

/** Slices 2 and 3 at the places of 0 and 1, with another echo time. */
const echoes = (k: number) => {
  const at = k % 2;
  const { ImagePositionPatient } = sliceAttributes(phantom(), at);
  return { ImagePositionPatient, EchoTime: k < 2 ? 4 : 9, SOPInstanceUID: testUid(400 + k) };
};

test.each([1, 2])('of several volumes in a series the one asked for is read: %i', async (phase) => {
  const imageIds = addSeries({ geometry, stored: voxels, order: shuffled, change: echoes });
  await expect(readGrid(host, imageIds)).rejects.toMatchObject({
    code: 'several-volumes',
    details: { option: 'phase', choices: [1, 2] },
  });
  const { volume, sliceOfImage } = await readImageVolume(host, imageIds, { phase });
  const from = 2 * (phase - 1);
  const size = geometry.dimensions[0] * geometry.dimensions[1];
  expect(Array.from(volume.voxels)).toEqual(Array.from(voxels.subarray(from * size, (from + 2) * size)));
  expect(sliceOfImage).toEqual(shuffled.map((k) => (k >= from && k < from + 2 ? k - from : -1)));
});

test('unequal gaps are interpolated as the reader does it, where that is asked for', async () => {
  const depths = [0, 1, 2, 5]; // thirds of the values between two slices are whole numbers
  const change = (k: number) => ({ ImagePositionPatient: indexToWorld(geometry, [0, 0, depths[k] ?? 0]).map(ds) });
  const { volume: expected } = await dicomReader.read(
    dicomPhantom(phantom(), (k) => ({ ...change(k), PatientName: 'Mueller' })),
    { resample: true },
  );
  const imageIds = addSeries({ geometry, stored: voxels, order: shuffled, change });
  await expect(readImageVolume(host, imageIds)).rejects.toBeInstanceOf(IrregularSlicesError);
  const { volume, sliceOfImage, warnings } = await readImageVolume(host, imageIds, { resample: true });
  expect(volume.geometry.dimensions).toEqual(expected.geometry.dimensions);
  expect(volume.voxels).toEqual(expected.voxels);
  expect(volume.source?.interpolated).toEqual(expected.source?.interpolated);
  expect(sliceOfImage).toEqual(shuffled);
  expect(warnings.map(({ code }) => code)).toContain('resampled');
});

test('images of two patients are refused as the reader refuses them', async () => {
  const change = (k: number) => ({ PatientID: `P${String(k % 2)}` });
  await expect(readGrid(host, addSeries({ geometry, stored: voxels, change }))).rejects.toMatchObject({
    code: 'several-patients',
  });
});

/** Sixteen characters at most (PS3.5 6.2, DS). */
function ds(mm: number): string {
  return String(Number(mm.toPrecision(12)));
}
