import { afterEach, expect, test } from 'vitest';
import { createLabelmapTarget, type LabelmapTarget } from '../../../extension/cornerstone/index.ts';
import { InputError } from '../../../src/errors.ts';
import { addSegmentation, addSeries, edit, history, host, pageLabels } from '../../support/cornerstone-series.ts';
import { phantom } from '../../support/phantom.ts';

const { geometry, voxels } = phantom();
const SIZE = 7 * 5;
const order = [2, 0, 3, 1];
const targets: LabelmapTarget[] = [];
afterEach(() => {
  for (const target of targets.splice(0)) target.dispose();
});

/** A series whose images are in one order and labelmap images in another. */
function open() {
  const imageIds = addSeries({ geometry, stored: voxels, order });
  const segmentationId = addSegmentation(imageIds);
  const target = createLabelmapTarget(host, { segmentationId, imageIds, sliceOfImage: order });
  targets.push(target);
  const imageOf = (k: number): string => imageIds[order.indexOf(k)] ?? '';
  return {
    imageIds,
    segmentationId,
    target,
    page: (k: number) => pageLabels(segmentationId, imageOf(k)),
    paint: (k: number, at: number, label: number) => {
      edit(segmentationId, imageOf(k), (labels) => {
        labels[at] = label;
      });
    },
  };
}

/** Slice k of a model's labels: no two slices alike. */
function modelSlice(k: number, shift = 0): Uint8Array {
  return Uint8Array.from({ length: SIZE }, (_, at) => (at % (k + 3) === shift ? ((k + shift) % 3) + 1 : 0));
}

function runOver(target: LabelmapTarget, slices: readonly number[], shift = 0): void {
  const replacement = target.replace();
  for (const k of slices) replacement.write(k, modelSlice(k, shift));
}

const edited = async (target: LabelmapTarget): Promise<number[]> => {
  await target.settled();
  return [...target.editedSegments()].sort();
};

test('slice k is written to the labelmap image of the image that shows slice k, whatever the orders', () => {
  const { target, page } = open();
  runOver(target, [0, 1, 2, 3]);
  for (const k of [0, 1, 2, 3]) expect(page(k)).toEqual(modelSlice(k));
});

test('a run is one step: undone it leaves what was before, put again what it made', () => {
  const { target, page, paint } = open();
  paint(1, 3, 2);
  const before = [0, 1, 2, 3].map((k) => page(k).slice());
  runOver(target, [2, 1, 3, 0]);
  history.undo();
  expect([0, 1, 2, 3].map(page)).toEqual(before);
  history.redo();
  expect([0, 1, 2, 3].map(page)).toEqual([0, 1, 2, 3].map((k) => modelSlice(k)));
});

test('running again is one step of its own', () => {
  const { target, page } = open();
  runOver(target, [0, 1, 2, 3]);
  runOver(target, [0, 1, 2, 3], 1);
  expect(page(2)).toEqual(modelSlice(2, 1));
  history.undo();
  expect(page(2)).toEqual(modelSlice(2));
  history.undo();
  expect(page(2)).toEqual(new Uint8Array(SIZE));
});

test('an edit after a run is undone before the run is', () => {
  const { target, page, paint } = open();
  runOver(target, [0, 1, 2, 3]);
  paint(0, 1, 3);
  history.undo();
  expect(page(0)).toEqual(modelSlice(0));
  history.undo();
  expect(page(0)).toEqual(new Uint8Array(SIZE));
});

test('what somebody changes while the run goes on is kept when the run writes the slice again', () => {
  const { target, page, paint } = open();
  const replacement = target.replace();
  replacement.write(0, modelSlice(0));
  paint(0, 1, 3);
  replacement.write(0, modelSlice(0, 2));
  const expected = modelSlice(0, 2);
  expected[1] = 3;
  expect(page(0)).toEqual(expected);
});

test('locked segments keep their voxels and get no others', () => {
  const { target, page, paint, segmentationId } = open();
  paint(0, 0, 2);
  host.tools.segmentation.segmentLocking.setSegmentIndexLocked(segmentationId, 2, true);
  target.replace().write(
    0,
    Uint8Array.from({ length: SIZE }, (_, at) => (at < 3 ? 1 : 2)),
  );
  expect([...page(0).subarray(0, 5)]).toEqual([2, 1, 1, 0, 0]);
});

test('segments are edited once a voxel of theirs is no longer what the model said', async () => {
  const { target, paint } = open();
  runOver(target, [0, 1, 2, 3]);
  expect(await edited(target)).toEqual([]);
  paint(3, 1, 2);
  expect(await edited(target)).toEqual([2]);
  // Slice 1 is the model's segment 2 at 0: it loses a voxel to 3.
  paint(1, 0, 3);
  expect(await edited(target)).toEqual([2, 3]);
});

test('edits that are taken back are none', async () => {
  const { target, paint } = open();
  runOver(target, [0, 1, 2, 3]);
  paint(3, 1, 2);
  history.undo();
  expect(await edited(target)).toEqual([]);
  history.redo();
  expect(await edited(target)).toEqual([2]);
});

test('running again makes its segments the model’s; undoing that makes them edited again', async () => {
  const { target, paint } = open();
  runOver(target, [0, 1, 2, 3]);
  paint(3, 1, 2);
  runOver(target, [0, 1, 2, 3]);
  expect(await edited(target)).toEqual([]);
  history.undo();
  expect(await edited(target)).toEqual([2]);
  history.redo();
  expect(await edited(target)).toEqual([]);
});

test('an edited segment that is locked stays edited through a run', async () => {
  const { target, paint, segmentationId } = open();
  runOver(target, [0, 1, 2, 3]);
  paint(3, 1, 2);
  await target.settled();
  host.tools.segmentation.segmentLocking.setSegmentIndexLocked(segmentationId, 2, true);
  runOver(target, [0, 1, 2, 3], 1);
  expect(await edited(target)).toContain(2);
});

test('labels that were there are edited until they are accepted', async () => {
  const { target, paint } = open();
  paint(2, 4, 1);
  expect(await edited(target)).toEqual([1]);
  await target.acceptLabels();
  expect(await edited(target)).toEqual([]);
});

test('a change is told of with its slice, though the page’s event names another, and once', async () => {
  const { target, paint } = open();
  await target.settled();
  const told: number[][] = [];
  target.onChange((slices) => told.push([...slices]));
  paint(2, 4, 1);
  await target.settled();
  expect(told).toEqual([[2]]);
});

test('an event without a change is not told of', async () => {
  const { target, segmentationId } = open();
  await target.settled();
  const told: (readonly number[])[] = [];
  target.onChange((slices) => told.push(slices));
  host.tools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId, [0, 1]);
  await target.settled();
  expect(told).toEqual([]);
});

test('all labels are read in the order of the volume', async () => {
  const { target } = open();
  runOver(target, [0, 1, 2, 3]);
  const { labels, overlappingVoxels } = await target.readLabels();
  expect([...labels]).toEqual([0, 1, 2, 3].flatMap((k) => [...modelSlice(k)]));
  expect(overlappingVoxels).toBe(0);
});

test('a segmentation that lacks a slice of the series is refused', () => {
  const imageIds = addSeries({ geometry, stored: voxels });
  const segmentationId = addSegmentation(imageIds.slice(1));
  const place = { segmentationId, imageIds, sliceOfImage: [0, 1, 2, 3] };
  expect(() => createLabelmapTarget(host, place)).toThrow(InputError);
});

test('a segmentation that the page has removed settles', async () => {
  const { target, segmentationId } = open();
  host.tools.segmentation.removeSegmentation(segmentationId);
  await expect(target.settled()).resolves.toBeUndefined();
});
