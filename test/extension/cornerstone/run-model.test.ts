import { expect, test } from 'vitest';
import {
  createLabelmapTarget,
  readImageVolume,
  runModel,
  type VolumeSegmenter,
} from '../../../extension/cornerstone/index.ts';
import type { InferenceSession } from '../../../src/inference/backend.ts';
import { segmentVolume } from '../../../src/pipeline/segment-volume.ts';
import { createFakeSession, createManifest, scoreByValue, type ManifestParts } from '../../pipeline/fake-session.ts';
import { addSegmentation, addSeries, history, host, pageLabels } from '../../support/cornerstone-series.ts';
import { phantom } from '../../support/phantom.ts';

const { geometry, voxels } = phantom([9, 7, 6]);
const SIZE = 9 * 7;
const order = [4, 0, 3, 1, 5, 2];
const softwareVersion = 'test';
const client: VolumeSegmenter<InferenceSession> = { segmentVolume };

function openSession(parts: ManifestParts = {}): InferenceSession {
  const intensity = { kind: 'window', scope: 'volume', low: -100, high: 1100 } as const;
  const manifest = createManifest({ ...parts, input: { spacing: 1.25, intensity, ...parts.input } });
  return createFakeSession(manifest, scoreByValue(4));
}

async function open() {
  const imageIds = addSeries({ geometry, stored: voxels, order, change: () => ({ BodyPartExamined: 'HEART' }) });
  const segmentationId = addSegmentation(imageIds);
  const { volume, sliceOfImage } = await readImageVolume(host, imageIds);
  const target = createLabelmapTarget(host, { segmentationId, imageIds, sliceOfImage });
  const labels = (k: number): number[] => [...pageLabels(segmentationId, imageIds[order.indexOf(k)] ?? '')];
  return { volume, target, labels };
}

const NOTHING = new Array<number>(SIZE).fill(0);

const POST_PROCESSED: ManifestParts = {
  postProcess: [{ segmentNumber: 2, keepLargestComponent: false, fillHoles: false, minimumVolumeMl: 1000 }],
};
const CORONAL: ManifestParts = { input: { sliceAxis: 'coronal', orientation: 'LPS' } };

test.each([
  ['a plain model', {}],
  ['post-processing in 3D', POST_PROCESSED],
  ['a model that cuts the volume otherwise', CORONAL],
])('the page has the labels that segmentVolume gives: %s', async (_, parts) => {
  const { volume, target, labels } = await open();
  const expected = await segmentVolume(volume, { session: openSession(parts), softwareVersion });
  expect(new Set(expected.labelmap.voxels).size).toBeGreaterThan(2);
  await runModel({ client, session: openSession(parts), volume, target, firstSlice: 2, softwareVersion });
  for (let k = 0; k < 6; k++) {
    expect(labels(k)).toEqual([...expected.labelmap.voxels.subarray(k * SIZE, (k + 1) * SIZE)]);
  }
  history.undo();
  expect(labels(3)).toEqual(NOTHING);
  target.dispose();
});

test('slices come from the one that is looked at outward, each shown when it is done', async () => {
  const { volume, target, labels } = await open();
  const shown: number[] = [];
  const onProgress = (): void => {
    for (const k of [0, 1, 2, 3, 4, 5]) if (!shown.includes(k) && labels(k).some((label) => label > 0)) shown.push(k);
  };
  await runModel({ client, session: openSession(), volume, target, firstSlice: 4, softwareVersion, onProgress });
  expect(shown).toEqual([4, 5, 3, 2, 1, 0]);
  target.dispose();
});

test('a range is run, and other slices stay as they are', async () => {
  const { volume, target, labels } = await open();
  await runModel({ client, session: openSession(), volume, target, firstSlice: 3, slices: [3, 4], softwareVersion });
  expect(labels(3)).not.toEqual(NOTHING);
  expect(labels(4)).not.toEqual(NOTHING);
  for (const k of [0, 1, 2, 5]) expect(labels(k)).toEqual(NOTHING);
  target.dispose();
});

test('a cancelled run leaves the slices that are done, and they can be undone', async () => {
  const { volume, target, labels } = await open();
  const abort = new AbortController();
  const run = runModel({
    client,
    session: openSession(),
    volume,
    target,
    firstSlice: 0,
    softwareVersion,
    signal: abort.signal,
    onProgress: ({ done }) => {
      if (done === 2) abort.abort();
    },
  });
  await expect(run).rejects.toThrow(/abort/i);
  expect(labels(1)).not.toEqual(NOTHING);
  expect(labels(5)).toEqual(NOTHING);
  history.undo();
  expect(labels(1)).toEqual(NOTHING);
  target.dispose();
});

test('undo in the middle of a run ends it and takes it back', async () => {
  const { volume, target, labels } = await open();
  const run = runModel({
    client,
    session: openSession(),
    volume,
    target,
    firstSlice: 0,
    softwareVersion,
    onProgress: ({ done }) => {
      if (done === 3) history.undo();
    },
  });
  await expect(run).rejects.toThrow('The run was undone.');
  for (let k = 0; k < 6; k++) expect(labels(k)).toEqual(NOTHING);
  target.dispose();
});
