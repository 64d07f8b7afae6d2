import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import type { SegmentationResult } from '../../src/labelmap/segmentation-result.ts';
import { segmentVolume } from '../../src/pipeline/segment-volume.ts';
import type { Notice, Volume } from '../../src/volume/volume.ts';
import { createSegmentationClient, type SegmentationClient } from '../../src/browser/client.ts';
import { drawnHeart } from '../support/drawn-heart.ts';
import { loadTinyModel } from '../support/models.ts';
import { createSegmentationWorker, tinyModelUrl } from '../support/worker.ts';

const SLICES = 8;

describe('the segmentation client in a plain Chromium page', () => {
  let volume: Volume;
  let expected: SegmentationResult;
  let client: SegmentationClient | undefined;
  let notices: Notice[] = [];
  beforeAll(async () => {
    volume = await drawnHeart({ copies: 2, spacing: 2.5, slices: SLICES });
    const session = await createWasmBackend().openSession(await loadTinyModel());
    expected = await segmentVolume(volume, { session, softwareVersion: 'test' });
  });
  afterEach(async () => {
    await client?.dispose();
    await caches.delete('slicewise-models');
    notices = [];
  });

  function start(createWorker = createSegmentationWorker): SegmentationClient {
    client = createSegmentationClient({
      createWorker,
      stallTimeoutMs: 5000,
      onNotice: (notice) => notices.push(notice),
    });
    return client;
  }

  async function segment(client: SegmentationClient, atSlice?: (count: number) => void): Promise<void> {
    const session = await client.openModel(tinyModelUrl);
    const handed: number[] = [];
    const order = [4, 5, 3, 6, 2, 7, 1, 0];
    const result = await client.segmentVolume(volume, {
      session,
      softwareVersion: 'test',
      order,
      onSlice: ({ index }) => {
        handed.push(index);
        atSlice?.(handed.length);
      },
    });
    expect(handed).toEqual(order);
    expect(result.labelmap.voxels).toEqual(expected.labelmap.voxels);
    expect(result.uncertainty).toEqual(expected.uncertainty);
    expect(result.provenance.backendPerSlice).toEqual(new Array(SLICES).fill('wasm'));
  }

  test('gives what segmentVolume gives; a page without a graphics card is served by WebAssembly, and told why', async () => {
    const client = start();
    await segment(client);
    const session = await client.openModel(tinyModelUrl);
    expect(session.device.refused).toEqual([{ backendId: 'webgpu', reason: 'the browser offers no graphics card' }]);
    expect(notices[0]).toMatchObject({
      code: 'webgpu-refused',
      message: expect.stringContaining('no graphics card') as string,
    });
    expect(volume.voxels.length).toBe(SLICES * 96 * 96);
  });

  test('a page that is not cross-origin isolated has one thread, and is told what that costs', async () => {
    expect(globalThis.crossOriginIsolated).toBe(false);
    const session = await start().openModel(tinyModelUrl);
    expect(session.device.threads).toBe(1);
    const notice = notices.find(({ code }) => code === 'one-thread');
    expect(notice?.message).toContain(`one of ${globalThis.navigator.hardwareConcurrency} processor threads`);
  });

  test('a browser without WebGPU is served by WebAssembly', async () => {
    const client = start(() => new Worker(new URL('./workers/without-gpu.ts', import.meta.url), { type: 'module' }));
    const session = await client.openModel(tinyModelUrl);
    expect(session.backendId).toBe('wasm');
    expect(session.device.refused[0]?.reason).toContain('no WebGPU');
  });

  test('a worker that is killed in the middle is replaced, and the run goes on', async () => {
    const workers: Worker[] = [];
    const client = start(() => {
      const worker = createSegmentationWorker();
      workers.push(worker);
      return worker;
    });
    await segment(client, (count) => {
      if (count === 3) workers[0]?.terminate();
    });
    expect(workers).toHaveLength(2);
    expect(notices.at(-1)).toMatchObject({
      code: 'run-interrupted',
      message: expect.stringMatching(/after [3-8] of 8 slices/) as string,
    });
  });

  test('a worker that crashes in the middle is replaced at once', async () => {
    const client = start(
      () => new Worker(new URL('./workers/crashes-on-demand.ts', import.meta.url), { type: 'module' }),
    );
    const crash = new BroadcastChannel('crash');
    await segment(client, (count) => {
      if (count === 1) crash.postMessage('now');
    });
    crash.close();
    expect(notices.at(-1)?.message).toContain('out of memory, say');
  });

  test.each([
    ['is empty', '', 'it did not answer within 9 s'],
    ['does not load', 'throw new Error("no such file")', 'no such file'],
  ])('a worker whose file %s is an error that says so', async (_, script, reason) => {
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    const client = start(() => new Worker(url, { type: 'module' }));
    await expect(client.openModel(tinyModelUrl)).rejects.toMatchObject({
      code: 'worker-silent',
      message: expect.stringContaining(reason) as string,
      remedy: expect.stringContaining('text/javascript') as string,
    });
  });

  test('an abort rejects at once, while the model is at a slice', async () => {
    const client = start();
    const session = await client.openModel(tinyModelUrl);
    const controller = new AbortController();
    let abortedAt = NaN;
    const run = client.segmentVolume(volume, {
      session,
      softwareVersion: 'test',
      signal: controller.signal,
      onSlice: () => {
        abortedAt = performance.now();
        controller.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
    expect(performance.now() - abortedAt).toBeLessThan(100);
    await segment(client);
  });

  describe('a model', () => {
    const startSpoiling = (): SegmentationClient =>
      start(() => new Worker(new URL('./workers/spoils-downloads.ts', import.meta.url), { type: 'module' }));

    test('whose bytes are not the ones its manifest names is refused, and not kept', async () => {
      await expect(startSpoiling().openModel(tinyModelUrl)).rejects.toMatchObject({
        name: 'ModelError',
        code: 'model-file-mismatch',
        message: expect.stringMatching(/model\.onnx is not the file its manifest names: its SHA-256 is/) as string,
      });
      expect(await keptFiles()).toEqual([]);
    });

    test('is fetched once, then taken from what is kept', async () => {
      const progress: number[] = [];
      const onProgress = ({ loadedBytes, totalBytes }: { loadedBytes: number; totalBytes: number }): void => {
        progress.push(loadedBytes / totalBytes);
      };
      await start().openModel(tinyModelUrl, { onProgress });
      expect(progress.at(-1)).toBe(1);
      expect(await keptFiles()).toContain('model.onnx');
      await client?.dispose();
      // Whatever is fetched now would be refused.
      const session = await startSpoiling().openModel(tinyModelUrl);
      expect(session.model.manifest.id).toBe('tiny-heart');
    });

    test('that was changed where it is kept is fetched again', async () => {
      await start().openModel(tinyModelUrl);
      await client?.dispose();
      const cache = await caches.open('slicewise-models');
      for (const { url } of await cache.keys()) {
        if (url.includes('model.onnx?sha256') && !url.includes('test=')) await cache.put(url, new Response('else'));
      }
      const session = await start().openModel(tinyModelUrl);
      expect(session.model.manifest.id).toBe('tiny-heart');
      const kept = await cache.match(`${tinyModelUrl}model.onnx`, { ignoreSearch: true });
      expect((await kept?.arrayBuffer())?.byteLength).toBe(session.model.manifest.file.byteLength);
    });
  });
});

async function keptFiles(): Promise<string[]> {
  const cache = await caches.open('slicewise-models');
  return (await cache.keys()).map(({ url }) => new URL(url).pathname.split('/').at(-1) ?? '');
}
