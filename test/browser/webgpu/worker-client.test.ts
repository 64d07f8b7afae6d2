import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createWasmBackend } from '../../../src/inference/ort-web.ts';
import type { SegmentationResult } from '../../../src/labelmap/segmentation-result.ts';
import { segmentVolume } from '../../../src/pipeline/segment-volume.ts';
import type { Notice, Volume } from '../../../src/volume/volume.ts';
import {
  allocateVoxels,
  createSegmentationClient,
  type SegmentationClient,
  type SegmentationClientOptions,
} from '../../../src/browser/client.ts';
import { drawnHeart } from '../../support/drawn-heart.ts';
import { loadTinyModel } from '../../support/models.ts';
import { createSegmentationWorker, tinyModelUrl, wrongModelUrl } from '../../support/worker.ts';

const SLICES = 8;

describe('the segmentation client in an isolated page with a software graphics card', () => {
  let volume: Volume;
  let expected: SegmentationResult;
  let client: SegmentationClient | undefined;
  let notices: Notice[] = [];
  beforeAll(async () => {
    volume = await drawnHeart({ copies: 1, slices: SLICES });
    const session = await createWasmBackend().openSession(await loadTinyModel());
    expected = await segmentVolume(volume, { session, softwareVersion: 'test' });
  });
  afterEach(async () => {
    await client?.dispose();
    await caches.delete('slicewise-models');
    notices = [];
  });

  function start(options: Partial<SegmentationClientOptions> = {}): SegmentationClient {
    client = createSegmentationClient({
      createWorker: createSegmentationWorker,
      onNotice: (notice) => notices.push(notice),
      ...options,
    });
    return client;
  }

  /** Between two ways to compute the same float32: a voxel in a thousand may lie on the edge of two classes. */
  function expectAlike(result: SegmentationResult): void {
    const { voxels } = result.labelmap;
    let differing = 0;
    for (const [at, label] of voxels.entries()) if (label !== expected.labelmap.voxels[at]) differing++;
    expect(differing).toBeLessThanOrEqual(voxels.length / 1000);
  }

  test('an imitated graphics card is refused unless it is asked for; WebAssembly has threads here', async () => {
    expect(globalThis.crossOriginIsolated).toBe(true);
    const session = await start().openModel(tinyModelUrl);
    expect(session.backendId).toBe('wasm');
    expect(session.device.refused[0]?.reason).toContain('only imitates a graphics card');
    expect(session.device.threads).toBeGreaterThan(1);
    expect(notices.map(({ code }) => code)).toEqual(['webgpu-refused']);
  });

  test('WebGPU labels as WebAssembly does; shared voxels are not sent', async () => {
    const sent: unknown[] = [];
    const client = start({
      allowSoftwareAdapter: true,
      backend: 'webgpu',
      createWorker: () => {
        const worker = createSegmentationWorker();
        const postMessage = worker.postMessage.bind(worker);
        worker.postMessage = (message: unknown, transfer: unknown) => {
          sent.push(Reflect.get(message as object, 'kind'));
          postMessage(message, transfer as Transferable[]);
        };
        return worker;
      },
    });
    const session = await client.openModel(tinyModelUrl);
    expect(session.device).toMatchObject({ backendId: 'webgpu', adapter: 'google swiftshader', refused: [] });
    expect(session.device.summary).toMatch(/^WebGPU, google swiftshader, about .+ for 300 slices$/);
    const voxels = new Float32Array(allocateVoxels(volume.voxels.byteLength));
    expect(voxels.buffer).toBeInstanceOf(SharedArrayBuffer);
    voxels.set(volume.voxels);
    const result = await client.segmentVolume({ ...volume, voxels }, { session, softwareVersion: 'test' });
    expectAlike(result);
    expect(result.provenance.backendPerSlice).toEqual(new Array(SLICES).fill('webgpu'));
    expect(result.provenance.device).toMatchObject({ backendId: 'webgpu', adapter: 'google swiftshader' });
    expect(sent).toEqual(['open', 'segment', 'finish']);
  });

  test('a device that is destroyed in the middle costs a notice, no slice', async () => {
    const client = start({
      allowSoftwareAdapter: true,
      createWorker: () =>
        new Worker(new URL('../workers/loses-device-on-demand.ts', import.meta.url), { type: 'module' }),
    });
    const session = await client.openModel(tinyModelUrl);
    expect(session.backendId).toBe('webgpu');
    const loseDevice = new BroadcastChannel('lose-device');
    const handed: number[] = [];
    const result = await client.segmentVolume(volume, {
      session,
      softwareVersion: 'test',
      onSlice: ({ index }) => {
        handed.push(index);
        if (handed.length === 2 || handed.length === 4) loseDevice.postMessage('now');
      },
    });
    loseDevice.close();
    expectAlike(result);
    expect(handed).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const backends = result.provenance.backendPerSlice;
    expect(backends.slice(0, 4)).toEqual(['webgpu', 'webgpu', 'webgpu', 'webgpu']);
    expect(backends.slice(5)).toEqual(['wasm', 'wasm', 'wasm']);
    expect(notices.at(-1)?.message).toMatch(/interrupted after [45] of 8 slices: .*lost.* goes on: Processor/);
    expect(result.warnings.filter(({ code }) => code === 'run-interrupted')).toHaveLength(1);
  });

  test('a model that the graphics card computes wrong is run by WebAssembly, and that is said', async () => {
    const session = await start({ allowSoftwareAdapter: true }).openModel(wrongModelUrl);
    expect(session.backendId).toBe('wasm');
    expect(notices[0]?.message).toMatch(
      /^WebGPU is not used: it computes this model wrong: the golden slice is off by/,
    );
  });
});
