/// <reference types="onnxruntime-web" />
import { EnvironmentError } from '../errors.ts';
import type { LoadedModel } from '../models/load-model.ts';
import { createSerialQueue, type InferenceBackend } from './backend.ts';
import { openOrtSession, type Ort, QUIET, startOnIdentity } from './ort-web.ts';
import { assertModelBytes, createSession, type LoadedGraph, reasonOf } from './session.ts';

export interface WebGpuBackendOptions {
  /** Take an adapter that only imitates a graphics card: for tests, it is far slower than WASM. */
  readonly allowSoftwareAdapter?: boolean;
}

/** onnxruntime's native WebGPU execution provider, for the browser; loaded at the first use.
 *
 * A run is read back while the next one is on the graphics card. After a failed run or a lost device every session there
 * is refuses to run, because the runtime would wait for ever: start over in a new worker. */
export function createWebGpuBackend({ allowSoftwareAdapter = false }: WebGpuBackendOptions = {}): InferenceBackend {
  return {
    id: 'webgpu',
    async probe() {
      try {
        const { adapter } = await startRuntime(allowSoftwareAdapter);
        return { available: true, adapter };
      } catch (cause) {
        return { available: false, reason: reasonOf(cause) };
      }
    },
    async openSession(model) {
      await assertModelBytes(model);
      const runtime = await startRuntime(allowSoftwareAdapter).catch((cause: unknown) => {
        throw unavailable(cause);
      });
      const graph = await oneAtATime.add(() => openGraph(runtime, model));
      return createSession('webgpu', model.manifest, graph, oneAtATime, RUNS_UNDER_WAY);
    },
  };
}

/** One that is read back, and one on the graphics card. */
const RUNS_UNDER_WAY = 2;

/** All sessions share the module's memory; two calls at once end in "memory access out of bounds". */
const oneAtATime = createSerialQueue();

interface Runtime {
  readonly ort: Ort;
  readonly device: WatchedDevice;
  /** In words, as far as the browser tells. */
  readonly adapter: string;
}

let runtime: Promise<Runtime> | undefined;

/** Loads the runtime on a device of the best graphics card; again after that was lost. */
async function startRuntime(allowSoftwareAdapter: boolean): Promise<Runtime> {
  const adapter = await findAdapter(allowSoftwareAdapter);
  const before = await runtime?.catch(() => undefined);
  if (before === undefined || before.device.trouble() !== undefined) {
    runtime = (async () => {
      const ort = await import('onnxruntime-web/webgpu');
      const device = await openDevice(adapter);
      await oneAtATime.add(() => startOnIdentity(ort, sessionOptions(device)));
      return { ort, device, adapter: describeAdapter(adapter.info) };
    })();
  }
  return runtime ?? startRuntime(allowSoftwareAdapter);
}

async function findAdapter(allowSoftwareAdapter: boolean): Promise<GPUAdapter> {
  const gpu = Reflect.get(globalThis.navigator, 'gpu') as GPU | undefined; // absent in insecure contexts, whatever types say
  if (gpu === undefined) throw new Error('this browser has no WebGPU, or the page was not loaded over HTTPS');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('the browser offers no graphics card');
  if (isImitated(adapter.info) && !allowSoftwareAdapter) {
    throw new Error('the browser only imitates a graphics card, which is slower than the processor itself');
  }
  return adapter;
}

/** By its own word or by its name: not every browser says so of every one. */
function isImitated({ isFallbackAdapter, vendor, architecture, device, description }: GPUAdapterInfo): boolean {
  const names = [vendor, architecture, device, description].join(' ');
  return isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(names);
}

function describeAdapter({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const words = description === '' ? [vendor, architecture, device] : [description];
  return words.filter((word) => word !== '').join(' ') || 'unnamed graphics card';
}

interface WatchedDevice {
  readonly device: GPUDevice;
  /** What went wrong with it so far. Out of memory, say, fails no call: it only leaves results that are not there. */
  trouble(): string | undefined;
  /** Settles when the device is lost. */
  readonly lost: Promise<unknown>;
  /** No run is to be tried on it again. */
  giveUp(reason: string): void;
}

/** What models need more of than every device has. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
] as const;
const FEATURES = ['shader-f16', 'subgroups'] as const;

async function openDevice(adapter: GPUAdapter): Promise<WatchedDevice> {
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
    requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
  });
  let trouble: string | undefined;
  device.addEventListener('uncapturederror', ({ error }) => {
    trouble ??= error.message;
  });
  const lost = device.lost.then(({ message, reason }) => {
    trouble = `the graphics device was lost (${message || reason})`;
  });
  return {
    device,
    lost,
    trouble: () => trouble,
    giveUp(reason) {
      trouble ??= `an earlier run has failed (${reason}), and the session is lost`;
    },
  };
}

function sessionOptions({ device }: WatchedDevice) {
  return {
    executionProviders: [{ name: 'webgpu', device }],
    preferredOutputLocation: 'gpu-buffer',
    ...QUIET,
  } as const;
}

async function openGraph({ ort, device }: Runtime, { manifest, bytes }: LoadedModel): Promise<LoadedGraph> {
  const session = await openOrtSession(ort, manifest, bytes, sessionOptions(device));
  const { input, output } = manifest;
  const assertSound = (): void => {
    const trouble = device.trouble();
    if (trouble !== undefined) throw new Error(trouble);
  };
  return {
    async execute({ shape, data }) {
      assertSound();
      const feeds = { [input.name]: new ort.Tensor('float32', data, shape) };
      const results = await session.run(feeds, [output.name], QUIET).catch((cause: unknown) => explain(cause, device));
      const result = results[output.name];
      if (result?.type !== 'float32') throw new Error(`no float32 output "${output.name}"`);
      return async () => {
        const values = await result.getData().catch((cause: unknown) => explain(cause, device));
        void oneAtATime.add(() => {
          result.dispose();
          return Promise.resolve();
        });
        assertSound();
        if (!(values instanceof Float32Array)) throw new Error(`no float32 output "${output.name}"`);
        return { shape: result.dims, data: values };
      };
    },
    async release() {
      // In a runtime that has failed, this call could be the one that waits for ever.
      if (device.trouble() === undefined) await session.release();
    },
  };
}

/** Throws what is behind an error, after the time that the news of a lost device may take, and gives the device up. */
async function explain(cause: unknown, device: WatchedDevice): Promise<never> {
  await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, NEWS_MS))]);
  const reason = device.trouble() ?? reasonOf(cause);
  device.giveUp(reason);
  throw new Error(reason, { cause });
}

const NEWS_MS = 100;

function unavailable(cause: unknown): EnvironmentError {
  return new EnvironmentError('backend-unavailable', `WebGPU is not usable here: ${reasonOf(cause)}.`, {
    remedy: 'Use the WASM backend, or a browser with WebGPU on a computer with a graphics card.',
    cause,
  });
}
