import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLabelmapTarget, createSegmentStatistics } from '../../../extension/cornerstone/index.ts';
import { measureSegments, type SlicesRun, wholenessOf } from '../../../src/labelmap/measure.ts';
import { addSegmentation, addSeries, edit, host } from '../../support/cornerstone-series.ts';
import { testSegments } from '../../support/labelled-series.ts';
import { phantom } from '../../support/phantom.ts';

const { geometry, voxels } = phantom();
const order = [2, 0, 3, 1];
const SIZE = 7 * 5;

function open(rescale: { readonly slope: number; readonly intercept: number; readonly scaled: boolean }) {
  const imageIds = addSeries({ geometry, stored: voxels, order, ...rescale });
  const segmentationId = addSegmentation(imageIds);
  const place = { imageIds, sliceOfImage: order };
  const target = createLabelmapTarget(host, { ...place, segmentationId });
  const statistics = createSegmentStatistics(host, { ...place, target, geometry });
  const paint = (k: number, at: number, label: number): void => {
    edit(segmentationId, imageIds[order.indexOf(k)] ?? '', (labels) => {
      labels[at] = label;
    });
  };
  const dispose = (): void => {
    statistics.dispose();
    target.dispose();
  };
  return { target, statistics, paint, dispose };
}

test('after any edits the figures are those of the whole volume', async () => {
  const anyEdits = fc.array(fc.record({ k: fc.nat(3), at: fc.nat(SIZE - 1), label: fc.integer({ min: 0, max: 3 }) }), {
    minLength: 1,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(anyEdits, fc.boolean(), fc.subarray([0, 1, 2, 3]), async (edits, scaled, slices) => {
      const rescale = { slope: 2, intercept: -7, scaled };
      const { target, statistics, paint, dispose } = open(rescale);
      for (const { k, at, label } of edits) {
        paint(k, at, label);
        await statistics.settled();
      }
      const { labels } = await target.readLabels();
      const labelmap = { geometry, voxels: labels, segments: testSegments(3) };
      const measures = measureSegments(labelmap);
      for (const { segmentNumber, voxelCount, volumeMl, centroid } of measures) {
        const figures = statistics.figures(segmentNumber);
        if (voxelCount === 0 || centroid === undefined) {
          expect(figures).toBeUndefined();
          continue;
        }
        const values = [...voxels].filter((_, at) => labels[at] === segmentNumber).map((value) => 2 * value - 7);
        const mean = values.reduce((sum, value) => sum + value, 0) / voxelCount;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / voxelCount;
        const borders = (slicesRun?: SlicesRun) =>
          wholenessOf(labelmap, { slicesRun }).find((one) => one.segmentNumber === segmentNumber)?.touchesBorder;
        expect(new Set(figures?.touchesBorder)).toEqual(new Set(borders()));
        const ofPart = statistics.figures(segmentNumber, (k) => slices.includes(k))?.touchesBorder;
        expect(new Set(ofPart)).toEqual(new Set(borders({ axis: 2, slices })));
        expect(figures?.voxelCount).toBe(voxelCount);
        expect(figures?.volumeMl).toBeCloseTo(volumeMl, 9);
        expect(figures?.mean).toBeCloseTo(mean, 6);
        expect(figures?.standardDeviation).toBeCloseTo(Math.sqrt(variance), 4);
        expect(figures?.centre.map((mm) => mm.toFixed(6))).toEqual(centroid.map((mm) => mm.toFixed(6)));
      }
      dispose();
    }),
    { numRuns: 15 },
  );
});

test('a stroke has its own slice counted, and no other', async () => {
  const { target, statistics, paint, dispose } = open({ slope: 1, intercept: 0, scaled: true });
  const replacement = target.replace();
  for (const k of [0, 1, 2, 3]) replacement.write(k, new Uint8Array(SIZE).fill(1));
  await statistics.settled();
  const counted: (readonly number[])[] = [];
  target.onChange((slices) => counted.push(slices));
  paint(2, 3, 2);
  await statistics.settled();
  expect(counted).toEqual([[2]]);
  expect(statistics.figures(1)?.voxelCount).toBe(4 * SIZE - 1);
  dispose();
});

test('the figures follow an edit by themselves', async () => {
  const { statistics, paint, dispose } = open({ slope: 1, intercept: 0, scaled: true });
  await statistics.settled();
  paint(3, 0, 1);
  await expect.poll(() => statistics.figures(1)?.voxelCount).toBe(1);
  dispose();
});

test('labels that were there before are counted, and of slices without any no image is read', async () => {
  const imageIds = addSeries({ geometry, stored: voxels, order, slope: 1, intercept: 0, scaled: true });
  const segmentationId = addSegmentation(imageIds);
  const place = { imageIds, sliceOfImage: order };
  const target = createLabelmapTarget(host, { ...place, segmentationId });
  target.replace().write(2, new Uint8Array(SIZE).fill(1));
  await target.settled();
  const asked: unknown[] = [];
  const watched = {
    ...host,
    core: new Proxy(host.core, {
      get: (core, name) => {
        if (name === 'imageLoader') asked.push(name);
        return Reflect.get(core, name) as unknown;
      },
    }),
  };
  const statistics = createSegmentStatistics(watched, { ...place, target, geometry });
  await statistics.settled();
  expect(statistics.figures(1)?.voxelCount).toBe(SIZE);
  expect(asked).toHaveLength(1);
  statistics.dispose();
  target.dispose();
});

test('the centre slice is one that has voxels', async () => {
  const { statistics, paint, dispose } = open({ slope: 1, intercept: 0, scaled: true });
  for (const at of [0, 1]) paint(0, at, 1);
  for (const at of [0, 1]) paint(3, at, 1);
  await statistics.settled();
  expect([0, 3]).toContain(statistics.figures(1)?.centreSlice);
  dispose();
});
