import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { InputError, InternalError, ModelError } from '../../src/errors.ts';
import type { Availability } from '../../src/inference/backend.ts';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import type { SegmentationResult } from '../../src/labelmap/segmentation-result.ts';
import { segmentVolume } from '../../src/pipeline/segment-volume.ts';
import type { Notice, Volume } from '../../src/volume/volume.ts';
import {
  createSegmentationClient,
  type SegmentationClient,
  type SegmentationClientOptions,
} from '../../src/browser/client.ts';
import type { BackendId } from '../../src/browser/device-report.ts';
import type { ModelCache } from '../../src/browser/model-cache.ts';
import { drawnHeart } from '../support/drawn-heart.ts';
import { loadTinyModel, tinyModelFolder } from '../support/models.ts';
import { serveFolder, type ServedFolder } from '../support/served-folder.ts';
import {
  createFatefulBackend,
  createInProcessWorker,
  createMemoryCache,
  type Fate,
  type InProcessWorker,
} from './in-process-worker.ts';

const SLICES = 6;
/** Runs of a session before its first slice: the golden one, and two that are timed. */
const TEST_RUNS = 3;

describe('the segmentation client', () => {
  let folder: ServedFolder;
  let volume: Volume;
  let expected: SegmentationResult;
  let client: SegmentationClient | undefined;
  let workers: InProcessWorker[] = [];
  let notices: Notice[] = [];

  beforeAll(async () => {
    vi.stubGlobal('navigator', { userAgent: 'test', hardwareConcurrency: 4 }); // Node 20 has none
    folder = await serveFolder(tinyModelFolder);
    volume = await drawnHeart({ slices: SLICES });
    const session = await createWasmBackend().openSession(await loadTinyModel());
    expected = await segmentVolume(volume, { session, softwareVersion: 'test' });
    expect(new Set(expected.labelmap.voxels).size).toBe(4);
  });
  afterAll(async () => {
    vi.unstubAllGlobals();
    await folder.close();
  });
  afterEach(async () => {
    await client?.dispose();
    workers = [];
    notices = [];
  });

  interface Setting extends Partial<SegmentationClientOptions> {
    readonly probes?: Partial<Record<BackendId, Availability>>;
    readonly cache?: ModelCache;
    /** By the count of workers so far. */
    readonly fates?: Partial<Record<BackendId, (worker: number) => Fate>>;
    readonly onWorker?: (worker: InProcessWorker, count: number) => void;
  }

  function start({ fates = {}, probes = {}, cache, onWorker, ...options }: Setting = {}): SegmentationClient {
    client = createSegmentationClient({
      stallTimeoutMs: 3000,
      onNotice: (notice) => notices.push(notice),
      createWorker: () => {
        const count = workers.length + 1;
        const worker = createInProcessWorker({
          createBackend: (id) => createFatefulBackend(id, fates[id]?.(count), probes[id]),
          openCache: () => Promise.resolve(cache ?? createMemoryCache()),
        });
        workers.push(worker);
        onWorker?.(worker, count);
        return worker;
      },
      ...options,
    });
    return client;
  }

  async function segment(
    client: SegmentationClient,
    options: Partial<Parameters<SegmentationClient['segmentVolume']>[1]> = {},
  ): Promise<{ result: SegmentationResult; handed: number[] }> {
    const session = await client.openModel(folder.url);
    const handed: number[] = [];
    const result = await client.segmentVolume(volume, {
      session,
      softwareVersion: 'test',
      onSlice: ({ index }) => handed.push(index),
      ...options,
    });
    return { result, handed };
  }

  function expectSameLabels(result: SegmentationResult): void {
    expect(result.labelmap.voxels).toEqual(expected.labelmap.voxels);
    expect(result.uncertainty).toEqual(expected.uncertainty);
  }

  test('gives what segmentVolume gives, slices in the order asked for, and leaves the volume as it was', async () => {
    const before = volume.voxels.slice();
    const progress: string[] = [];
    const { result, handed } = await segment(start(), {
      order: [4, 5, 3, 2, 1, 0],
      onProgress: ({ done, total }) => progress.push(`${done}/${total}`),
    });
    expectSameLabels(result);
    expect(handed).toEqual([4, 5, 3, 2, 1, 0]);
    expect(progress).toEqual(['1/6', '2/6', '3/6', '4/6', '5/6', '6/6']);
    expect(result.warnings).toEqual(expected.warnings);
    expect(result.labelmap.segments.map((segment) => segment.segmentLabel)).toEqual(
      expected.labelmap.segments.map((segment) => segment.segmentLabel),
    );
    expect(result.provenance).toMatchObject({
      modelId: 'tiny-heart',
      backendPerSlice: new Array(SLICES).fill('webgpu'),
      device: { backendId: 'webgpu', threads: 1, refused: [] },
    });
    expect(volume.voxels).toEqual(before);
    expect(notices).toEqual([]);
  });

  test('some slices are run, and the rest stays background', async () => {
    const { result, handed } = await segment(start(), { order: [2] });
    expect(handed).toEqual([2]);
    const size = 48 * 48;
    expect(result.labelmap.voxels.subarray(2 * size, 3 * size)).toEqual(
      expected.labelmap.voxels.subarray(2 * size, 3 * size),
    );
    expect(result.labelmap.voxels.subarray(3 * size).every((label) => label === 0)).toBe(true);
    expect(result.provenance.backendPerSlice).toEqual(['', '', 'webgpu', '', '', '']);
  });

  test('probabilities come with the slices', async () => {
    const session = await createWasmBackend().openSession(await loadTinyModel());
    const here = await segmentVolume(volume, { session, softwareVersion: 'test', keepProbabilities: true });
    const { result } = await segment(start(), { keepProbabilities: true });
    expect(result.probabilities).toEqual(here.probabilities);
  });

  test('no patient data are sent to the worker', async () => {
    const client = start();
    const session = await client.openModel(folder.url);
    const attributes = { PatientName: 'Doe^Jane' };
    const source = { studyInstanceUID: '1.2', attributes } as unknown as NonNullable<Volume['source']>;
    await client.segmentVolume({ ...volume, source }, { session, softwareVersion: 'test' });
    expect(workers[0]?.received.length).toBeGreaterThan(3);
    expect(JSON.stringify(workers[0]?.received.map((message) => ({ ...(message as object), chunk: 0 })))).not.toContain(
      'Doe',
    );
  });

  test('errors keep their class, code, remedy and details on their way', async () => {
    const client = start();
    const session = await client.openModel(folder.url);
    const run = (given: Volume) => client.segmentVolume(given, { session, softwareVersion: 'test' });
    const mismatch: unknown = await run({ ...volume, modality: 'CT' }).catch((cause: unknown) => cause);
    expect(mismatch).toBeInstanceOf(ModelError);
    expect(mismatch).toMatchObject({ code: 'model-mismatch', details: { mismatches: [expect.any(String)] } });
    const voxels = volume.voxels.slice();
    voxels[5] = NaN;
    const invalid: unknown = await run({ ...volume, voxels }).catch((cause: unknown) => cause);
    expect(invalid).toBeInstanceOf(InputError);
    expect(invalid).toMatchObject({ code: 'invalid-voxels', details: { index: [5, 0, 0] } });
    expectSameLabels(await run(volume));
    expect(workers).toHaveLength(1);
  });

  test('a model that is not there is a ModelError, and the next one opens', async () => {
    const client = start();
    await expect(client.openModel(`${folder.url}elsewhere`)).rejects.toMatchObject({
      name: 'ModelError',
      code: 'model-not-found',
      message: expect.stringContaining('404') as string,
    });
    expectSameLabels((await segment(client)).result);
  });

  describe('on an abort', () => {
    test('rejects at once with the reason, hands over no more, and the next run is not disturbed', async () => {
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const fate: Fate = async (run, number) => {
        if (number === TEST_RUNS + 3) await held;
        return run();
      };
      const client = start({ fates: { webgpu: () => fate } });
      const session = await client.openModel(folder.url);
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      let handed = 0;
      const run = client.segmentVolume(volume, {
        session,
        softwareVersion: 'test',
        signal: controller.signal,
        onSlice: () => {
          if (++handed === 2) controller.abort(reason);
        },
      });
      await expect(run).rejects.toBe(reason); // though the model is still held
      const next = client.segmentVolume(volume, { session, softwareVersion: 'test' });
      release();
      expectSameLabels(await next);
      expect(handed).toBe(2);
      expect(workers).toHaveLength(1);
    });

    test('a run or a model that waits for its turn rejects at once and is never begun', async () => {
      const client = start();
      const session = await client.openModel(folder.url);
      const controller = new AbortController();
      const first = client.segmentVolume(volume, { session, softwareVersion: 'test' });
      const handed: number[] = [];
      const second = client.segmentVolume(volume, {
        session,
        softwareVersion: 'test',
        signal: controller.signal,
        onSlice: ({ index }) => handed.push(index),
      });
      const model = client.openModel(folder.url, { signal: controller.signal });
      controller.abort('no');
      await expect(second).rejects.toBe('no');
      await expect(model).rejects.toBe('no');
      expectSameLabels(await first);
      expect(handed).toEqual([]);
    });
  });

  describe('where something is lost in the middle of a run', () => {
    const failAt =
      (...numbers: number[]): Fate =>
      (run, number) =>
        numbers.includes(number)
          ? Promise.reject(new InternalError('inference-failed', 'Gone.', { remedy: '' }))
          : run();

    test('a failed slice is run again on a fresh session of the same backend; no slice is handed over twice', async () => {
      const client = start({ fates: { webgpu: (worker) => (worker === 1 ? failAt(TEST_RUNS + 3) : (run) => run()) } });
      const { result, handed } = await segment(client);
      expectSameLabels(result);
      expect(handed).toEqual([0, 1, 2, 3, 4, 5]);
      expect(workers).toHaveLength(2);
      expect(result.provenance.backendPerSlice).toEqual(new Array(SLICES).fill('webgpu'));
      expect(notices.map(({ code }) => code)).toEqual(['run-interrupted']);
      expect(notices[0]?.message).toMatch(/after 2 of 6 slices: Gone\. They are kept, and it goes on: WebGPU/);
      expect(result.warnings).toContainEqual(notices[0]);
    });

    test('what fails again goes on with WebAssembly; each slice says which backend gave it', async () => {
      const client = start({
        fates: { webgpu: (worker) => (worker === 1 ? failAt(TEST_RUNS + 3) : failAt(TEST_RUNS + 2)) },
      });
      const { result, handed } = await segment(client);
      expectSameLabels(result);
      expect(handed).toEqual([0, 1, 2, 3, 4, 5]);
      expect(workers).toHaveLength(3);
      expect(result.provenance.backendPerSlice).toEqual(['webgpu', 'webgpu', 'webgpu', 'wasm', 'wasm', 'wasm']);
      expect(result.provenance.device).toEqual({
        backendId: 'wasm',
        threads: 1,
        refused: [{ backendId: 'webgpu', reason: 'Gone' }],
      });
      expect(notices.at(-1)?.message).toContain('goes on: Processor (WebAssembly)');
      expect(result.warnings.filter(({ code }) => code === 'run-interrupted')).toEqual([notices.at(-1)]);
    });

    test('a run that never ends is noticed, and its slice is run elsewhere', async () => {
      const hang: Fate = (run, number) => (number === TEST_RUNS + 2 ? new Promise(() => undefined) : run());
      const client = start({
        stallTimeoutMs: 500,
        fates: { webgpu: (worker) => (worker === 1 ? hang : (run) => run()) },
      });
      const { result, handed } = await segment(client);
      expectSameLabels(result);
      expect(handed).toEqual([0, 1, 2, 3, 4, 5]);
      expect(notices[0]?.message).toMatch(/a slice took more than/);
    });

    test('a killed worker is noticed by its silence', async () => {
      const client = start({ stallTimeoutMs: 1000 });
      const session = await client.openModel(folder.url);
      const handed: number[] = [];
      const result = await client.segmentVolume(volume, {
        session,
        softwareVersion: 'test',
        onSlice: ({ index }) => {
          handed.push(index);
          if (index === 1) workers[0]?.terminate();
        },
      });
      expectSameLabels(result);
      expect(handed).toEqual([0, 1, 2, 3, 4, 5]);
      expect(notices[0]?.message).toMatch(/no sign of life for 1\.?\d* s/);
    });

    test('a worker that says what nobody understands is replaced', async () => {
      const client = start();
      const session = await client.openModel(folder.url);
      const result = await client.segmentVolume(volume, {
        session,
        softwareVersion: 'test',
        onSlice: ({ index }) => {
          if (index === 1) workers[0]?.say({ kind: 'slice', job: 2, slice: { index: 'second' } });
        },
      });
      expectSameLabels(result);
      expect(workers).toHaveLength(2);
    });

    test('a worker lost between two runs is replaced, and each model is opened again when it is next used', async () => {
      const client = start({ stallTimeoutMs: 1000 });
      const [first, second] = [await client.openModel(folder.url), await client.openModel(folder.url)];
      workers[0]?.terminate();
      for (const session of [second, first]) {
        expectSameLabels(await client.segmentVolume(volume, { session, softwareVersion: 'test' }));
      }
      expect(workers).toHaveLength(2);
    });

    test('what never works is given up, with its reason, and the next run is not disturbed', async () => {
      let isBroken = true;
      const fate: Fate = (run, number) => (isBroken && number > TEST_RUNS ? failAt(number)(run, number) : run());
      const client = start({ fates: { webgpu: () => fate, wasm: () => fate } });
      const session = await client.openModel(folder.url);
      const run = client.segmentVolume(volume, { session, softwareVersion: 'test' });
      await expect(run).rejects.toMatchObject({
        name: 'InternalError',
        code: 'inference-failed',
        message: 'The model failed twice on the slice after 0 finished ones: Gone.',
      });
      expect(workers).toHaveLength(4);
      isBroken = false;
      expectSameLabels(await client.segmentVolume(volume, { session, softwareVersion: 'test' }));
      expect(session.backendId).toBe('wasm');
    });

    test('WebAssembly alone is tried again as long as a slice is done each time', async () => {
      const client = start({ backend: 'wasm', fates: { wasm: () => failAt(TEST_RUNS + 3) } });
      const { result, handed } = await segment(client);
      expectSameLabels(result);
      expect(handed).toEqual([0, 1, 2, 3, 4, 5]);
      expect(workers).toHaveLength(3);
    });

    test('a worker that is lost while it finishes the volume costs time, not slices', async () => {
      const client = start({
        stallTimeoutMs: 1000,
        onWorker: (worker, count) => {
          if (count > 1) return;
          const postMessage = worker.postMessage.bind(worker);
          worker.postMessage = (message, transfer) => {
            if (Reflect.get(message as object, 'kind') === 'finish') worker.terminate();
            postMessage(message, transfer);
          };
        },
      });
      const { result, handed } = await segment(client);
      expectSameLabels(result);
      expect(handed).toEqual([0, 1, 2, 3, 4, 5]);
    });

    test('an error of the caller’s own onSlice rejects with it, and stops the run', async () => {
      const client = start();
      const session = await client.openModel(folder.url);
      const mine = new Error('viewer closed');
      let handed = 0;
      const run = client.segmentVolume(volume, {
        session,
        softwareVersion: 'test',
        onSlice: () => {
          handed++;
          throw mine;
        },
      });
      await expect(run).rejects.toBe(mine);
      expect(handed).toBe(1);
      expectSameLabels(await client.segmentVolume(volume, { session, softwareVersion: 'test' }));
      expect(workers).toHaveLength(1);
    });

    test('disposing the client rejects what is under way, and what comes after', async () => {
      const client = start({
        fates: { webgpu: () => (run, number) => (number > TEST_RUNS ? new Promise(() => undefined) : run()) },
      });
      const session = await client.openModel(folder.url);
      const run = client.segmentVolume(volume, { session, softwareVersion: 'test' });
      const ended = expect(run).rejects.toMatchObject({ message: 'The segmentation client was disposed.' });
      await client.dispose();
      await ended;
      await expect(client.openModel(folder.url)).rejects.toThrow('disposed');
    });

    test('a session that was disposed, or is another client’s, is refused', async () => {
      const client = start();
      const session = await client.openModel(folder.url);
      await session.dispose();
      await session.dispose();
      const run = client.segmentVolume(volume, { session, softwareVersion: 'test' });
      await expect(run).rejects.toThrow('not opened by this client, or is disposed');
    });
  });

  describe('the backend', () => {
    const wrong: Fate = async (run) => {
      const { shape, data } = await run();
      return { shape, data: data.map((score) => score + 0.5) };
    };
    const kept = createMemoryCache();

    test('that is not there is refused with its reason, and WebAssembly serves', async () => {
      const client = start({ probes: { webgpu: { available: false, reason: 'no graphics card' } } });
      const session = await client.openModel(folder.url);
      expect(session.backendId).toBe('wasm');
      expect(session.device).toMatchObject({
        threads: 1,
        summary: expect.stringMatching(/^Processor \(WebAssembly\), one thread, about .* for 300 slices$/) as string,
        refused: [{ backendId: 'webgpu', reason: 'no graphics card' }],
      });
      expect(notices[0]?.code).toBe('webgpu-refused');
      expect(notices[0]?.message).toMatch(/^WebGPU is not used: no graphics card\. In its place: Processor/);
    });

    test('that computes wrong is refused, and what it was off by is said', async () => {
      const client = start({ fates: { webgpu: () => wrong } });
      const session = await client.openModel(folder.url);
      expect(session.backendId).toBe('wasm');
      expect(session.device.refused[0]?.reason).toMatch(/golden slice is off by 0\.50, allowed are 0\.001/);
      expect(notices[0]?.message).toContain('computes this model wrong');
    });

    const slow =
      (ms: number): Fate =>
      async (run) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        return run();
      };

    test('that is slower than the processor is not used, and both times are said', async () => {
      const session = await start({ fates: { webgpu: () => slow(500) } }).openModel(folder.url);
      expect(session.backendId).toBe('wasm');
      expect(notices[0]?.message).toMatch(/^WebGPU is not used: a slice takes it 0\.\d+ s, the processor 0\.\d+ s\./);
      const { result } = await segment(client ?? expect.unreachable());
      expect(new Set(result.provenance.backendPerSlice)).toEqual(new Set(['wasm']));
    });

    test('that is slow is used where the processor is slower still, or where it is asked for', async () => {
      const slower = start({ fates: { webgpu: () => slow(300), wasm: () => slow(900) } });
      expect((await slower.openModel(folder.url)).backendId).toBe('webgpu');
      await slower.dispose();
      const asked = start({ allowSoftwareAdapter: true, fates: { webgpu: () => slow(300) } });
      expect((await asked.openModel(folder.url)).backendId).toBe('webgpu');
      expect(notices).toEqual([]);
    });

    test('that never gets ready is given up', async () => {
      const client = start({ stallTimeoutMs: 200, fates: { webgpu: () => () => new Promise(() => undefined) } });
      const session = await client.openModel(folder.url);
      expect(session.backendId).toBe('wasm');
      expect(session.device.refused[0]?.reason).toContain('opening the model failed');
    });

    test('if none is left the error has all the reasons', async () => {
      const client = start({
        probes: { webgpu: { available: false, reason: 'no graphics card' } },
        fates: { wasm: () => wrong },
      });
      await expect(client.openModel(folder.url)).rejects.toMatchObject({
        name: 'EnvironmentError',
        code: 'backend-unavailable',
        message: expect.stringMatching(/webgpu: no graphics card; wasm: it computes this model wrong/) as string,
      });
    });

    test('is tested at first use only: right or wrong, the result is kept for the model and the device', async () => {
      let runs = 0;
      const counted: Fate = (run) => {
        runs++;
        return run();
      };
      const open = async (settings: Setting): Promise<void> => {
        runs = 0;
        const session = await start({ cache: kept, ...settings }).openModel(folder.url);
        expect(session.device.msPerSlice).toBeGreaterThan(0);
        await client?.dispose();
      };
      await open({ fates: { webgpu: () => wrong, wasm: () => counted } });
      expect(runs).toBe(TEST_RUNS);
      await open({ fates: { webgpu: () => () => expect.unreachable(), wasm: () => counted } });
      expect(runs).toBe(1); // warms up
      expect(client).toBeDefined();
      const other = { available: true, adapter: 'another graphics card' } as const;
      await open({ fates: { webgpu: () => counted }, probes: { webgpu: other } });
      expect(runs).toBe(TEST_RUNS);
    });
  });
});

describe('a worker that never says a word', () => {
  function silentClient(say: (listeners: ReadonlyMap<string, (event: Event) => void>) => void = () => undefined) {
    let started = 0;
    let ended = 0;
    const client = createSegmentationClient({
      createWorker: () => {
        started++;
        const listeners = new Map<string, (event: Event) => void>();
        return {
          postMessage: () => {
            say(listeners);
          },
          terminate: () => {
            ended++;
          },
          addEventListener: (type, listener) => void listeners.set(type, listener),
        };
      },
    });
    return { client, count: () => [started, ended] };
  }

  test('is given up within ten seconds, once for all backends', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { client, count } = silentClient();
    const opening = expect(client.openModel('https://models.test/heart/')).rejects.toMatchObject({
      name: 'EnvironmentError',
      code: 'worker-silent',
      message: "The worker's script does not run: it did not answer within 9 s.",
    });
    await vi.advanceTimersByTimeAsync(9_999);
    await opening;
    expect(count()).toEqual([1, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('or whose script the browser refuses, at once and in its words', async () => {
    const refused = Object.assign(new Event('error'), { message: 'Refused by the policy of the page' });
    const { client, count } = silentClient((listeners) => listeners.get('error')?.(refused));
    await expect(client.openModel('https://models.test/heart/')).rejects.toMatchObject({
      code: 'worker-silent',
      message: "The worker's script does not run: Refused by the policy of the page.",
    });
    expect(count()).toEqual([1, 1]);
  });
});
