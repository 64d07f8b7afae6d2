import { expect, test } from 'vitest';
import { readGrid, readVolume } from '../../../extension/cornerstone/index.ts';
import { InputError, IrregularSlicesError } from '../../../src/errors.ts';
import type { Volume } from '../../../src/volume/volume.ts';
import { addSeries, host, type SeriesOptions } from '../../support/cornerstone-series.ts';
import { seriesOn, testUid } from '../../support/labelled-series.ts';
import { dicomPhantom, phantom } from '../../support/phantom.ts';
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
  const { volume, sliceOfImage } = await readVolume(host, imageIds);
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
  await readVolume(host, imageIds);
  const pixels = imageIds.flatMap((imageId) => [...(host.core.cache.getImage(imageId)?.getPixelData() ?? [])]);
  expect(pixels).toEqual([...voxels]);
});

test('a series with a missing slice is refused as the reader refuses it', async () => {
  const imageIds = addSeries({ geometry, stored: voxels }).toSpliced(1, 1);
  await expect(readVolume(host, imageIds)).rejects.toBeInstanceOf(IrregularSlicesError);
});

test('images without a place are refused as the reader refuses them', async () => {
  const imageIds = addSeries({ geometry, stored: voxels, change: () => ({ PixelSpacing: undefined }) });
  await expect(readVolume(host, imageIds)).rejects.toBeInstanceOf(InputError);
});

test('slices with a frame of reference each are one volume, and the first names it', async () => {
  const change = (k: number) => ({ FrameOfReferenceUID: testUid(900 + k) });
  const { volume, warnings } = await readVolume(host, addSeries({ geometry, stored: voxels, order: shuffled, change }));
  expect(volume.source?.frameOfReferenceUID).toBe(testUid(900));
  expect(warnings.map(({ code }) => code)).toContain('several-frames-of-reference');
});

test('an aborted signal ends the reading with its reason', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  const reading = readVolume(host, addSeries({ geometry, stored: voxels }), { signal });
  await expect(reading).rejects.toThrow('enough');
});
