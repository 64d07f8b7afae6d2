import { expect, test } from 'vitest';
import { createLabelmapTarget } from '../../../extension/cornerstone/index.ts';
import { addSegmentation, addSeries, host, pageLabels } from '../../support/cornerstone-series.ts';
import { phantom } from '../../support/phantom.ts';

const { geometry, voxels } = phantom();

/** Cornerstone3D gives a segment a layer of its own once it is painted over a locked one. */
async function openLayered() {
  const imageIds = addSeries({ geometry, stored: voxels });
  const segmentationId = addSegmentation(imageIds, [1, 2]);
  const { core, tools } = host;
  const images = core.imageLoader.createAndCacheDerivedLabelmapImages([...imageIds]);
  const data = tools.segmentation.state.getSegmentation(segmentationId)?.representationData.Labelmap;
  if (data === undefined) throw new Error('no labelmap');
  const first = { labelmapId: 'first', storageKind: 'stack', imageIds: data.imageIds ?? [] } as const;
  const second = {
    labelmapId: 'second',
    storageKind: 'stack',
    imageIds: images.map(({ imageId }) => imageId),
    referencedImageIds: imageIds,
  } as const;
  data.labelmaps = { second: structuredClone(second), first: structuredClone(first) };
  data.primaryLabelmapId = 'first';
  data.segmentBindings = {
    1: { labelmapId: 'first', labelValue: 1 },
    2: { labelmapId: 'second', labelValue: 1 },
  };
  pageLabels(segmentationId, imageIds[0] ?? '').set([1, 1, 0, 0]);
  (images[0]?.voxelManager?.getScalarData() as Uint8Array).set([0, 1, 1, 0]);
  const target = createLabelmapTarget(host, { segmentationId, imageIds, sliceOfImage: [0, 1, 2, 3] });
  await target.settled();
  return { target, second: images[0]?.voxelManager?.getScalarData() };
}

test('segments in layers of their own are read as one labelmap; where two claim a voxel, the first layer’s has it', async () => {
  const { target } = await openLayered();
  expect([...target.readSlice(0).subarray(0, 4)]).toEqual([1, 1, 2, 0]);
  expect((await target.readLabels()).overlappingVoxels).toBe(1);
  target.dispose();
});

test('a run writes each segment to its own layer, without overlap', async () => {
  const { target, second } = await openLayered();
  target.replace().write(
    0,
    Uint8Array.from({ length: 35 }, (_, at) => [2, 2, 1][at] ?? 0),
  );
  expect([...target.readSlice(0).subarray(0, 4)]).toEqual([2, 2, 1, 0]);
  expect([...(second as Uint8Array).subarray(0, 4)]).toEqual([1, 1, 0, 0]);
  expect((await target.readLabels()).overlappingVoxels).toBe(0);
  target.dispose();
});
