import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import { segmentVolume } from '../../src/pipeline/segment-volume.ts';
import { createSegmentationClient, type SegmentationClient } from '../../src/worker/client.ts';
import { drawnHeart } from '../support/drawn-heart.ts';
import { loadTinyModel } from '../support/models.ts';
import { createSegmentationWorker, tinyModelUrl } from '../support/worker.ts';

describe('the segmentation client, in Chromium', () => {
  let client: SegmentationClient;
  beforeEach(() => {
    client = createSegmentationClient({ createWorker: createSegmentationWorker, backend: 'wasm' });
  });
  afterEach(() => client.dispose());

  test('gives what segmentVolume gives', async () => {
    const volume = await drawnHeart({ copies: 2, spacing: 2.5, slices: 5 });
    const here = await createWasmBackend().openSession(await loadTinyModel());
    const expected = await segmentVolume(volume, { session: here, softwareVersion: 'test' });
    const session = await client.openModel(tinyModelUrl);
    const slices: number[] = [];
    const result = await client.segmentVolume(volume, {
      session,
      softwareVersion: 'test',
      order: [2, 3, 1, 4, 0],
      onSlice: ({ index }) => slices.push(index),
    });
    expect(slices).toEqual([2, 3, 1, 4, 0]);
    expect(result.labelmap.voxels).toEqual(expected.labelmap.voxels);
    expect(result.uncertainty).toEqual(expected.uncertainty);
    expect(result.provenance).toMatchObject({ modelId: 'tiny-heart', backendPerSlice: new Array(5).fill('wasm') });
    expect(volume.voxels.length).toBe(5 * 96 * 96);
  });
});
