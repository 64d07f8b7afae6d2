import { expect, test } from 'vitest';
import { provideOneFrameOfReference, readImageVolume } from '../../../extension/cornerstone/index.ts';
import { addSeries, host } from '../../support/cornerstone-series.ts';
import { testUid } from '../../support/labelled-series.ts';
import { phantom } from '../../support/phantom.ts';

const { geometry, voxels } = phantom();
const order = [2, 0, 3, 1];
const { metaData } = host.core;

function framesOf(imageIds: readonly string[]): unknown[] {
  return imageIds.flatMap((imageId) => [
    Reflect.get(metaData.get('imagePlaneModule', imageId) as object, 'frameOfReferenceUID') as unknown,
    Reflect.get(metaData.get('frameOfReferenceModule', imageId) as object, 'frameOfReferenceUID') as unknown,
    Reflect.get(metaData.get('instance', imageId) as object, 'FrameOfReferenceUID') as unknown,
  ]);
}

test('a series with a frame of reference a slice is answered with the first slice’s, until that is stopped', async () => {
  const change = (k: number) => ({ FrameOfReferenceUID: testUid(900 + k) });
  const imageIds = addSeries({ geometry, stored: voxels, order, change });
  const plain = await readImageVolume(host, imageIds);
  const stop = provideOneFrameOfReference(host, imageIds, order);
  expect(new Set(framesOf(imageIds))).toEqual(new Set([testUid(900)]));
  const answered = await readImageVolume(host, imageIds);
  expect(answered.volume).toEqual(plain.volume);
  stop();
  expect(new Set(framesOf(imageIds)).size).toBe(4);
});

test('all else that the page knows of the images stays', () => {
  const change = (k: number) => ({ FrameOfReferenceUID: testUid(900 + k) });
  const imageIds = addSeries({ geometry, stored: voxels, change });
  const before = metaData.get('imagePlaneModule', imageIds[2] ?? '') as object;
  const stop = provideOneFrameOfReference(host, imageIds, [0, 1, 2, 3]);
  expect({ ...(metaData.get('imagePlaneModule', imageIds[2] ?? '') as object) }).toEqual({
    ...before,
    frameOfReferenceUID: testUid(900),
  });
  stop();
});

test('a series with one frame of reference, and every other series, is answered by the page alone', () => {
  const others = addSeries({ geometry, stored: voxels, change: (k) => ({ FrameOfReferenceUID: testUid(900 + k) }) });
  const imageIds = addSeries({ geometry, stored: voxels });
  const stop = provideOneFrameOfReference(host, imageIds, [0, 1, 2, 3]);
  expect(new Set(framesOf(imageIds))).toEqual(new Set([testUid(3)]));
  expect(new Set(framesOf(others)).size).toBe(4);
  stop();
});
