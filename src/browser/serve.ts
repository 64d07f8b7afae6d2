import { InternalError, ModelError } from '../errors.ts';
import type { InferenceBackend, InferenceSession } from '../inference/backend.ts';
import { postprocessVolume } from '../pipeline/postprocess.ts';
import { segmentSlices } from '../pipeline/segment-slices.ts';
import type { Volume, VoxelArray } from '../volume/volume.ts';
import type { BackendId, DeviceReport } from './device-report.ts';
import {
  type FinalReply,
  type OfJob,
  type OpenRequest,
  parseRequest,
  type Reply,
  type Request,
  type SegmentRequest,
  toErrorMessage,
} from './protocol.ts';
import { createModelReader, type LoadListener, type ModelCache } from './model-cache.ts';
import { reasonOf } from '../inference/session.ts';
import { loadModel } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { testDevice } from './device-test.ts';

/** What of a worker's global scope, or of a MessagePort, is used. */
export interface ServedPort {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

export interface Served {
  createBackend(id: BackendId, options: { readonly allowSoftwareAdapter: boolean }): InferenceBackend;
  openCache(): Promise<ModelCache>;
}

/** How often a worker that is at work says that it is alive. */
const HEARTBEAT_MS = 500;

/** The worker's side: does one job after the other, and answers each with one final reply. */
export function serve(port: ServedPort, served: Served): void {
  const sessions = new Map<number, InferenceSession>();
  let received: VoxelArray | undefined;
  let cancel = new AbortController();

  // The first word: the page knows by it that the script runs. No job has this number.
  port.postMessage({ kind: 'alive', job: 0 }, []);
  port.addEventListener('message', ({ data }) => {
    const request = parseRequest(data);
    if (request.kind === 'cancel') cancel.abort(CANCELLED);
    else if (request.kind === 'voxels') received = withChunk(received, request);
    else void answer(request);
  });

  async function answer(request: OfJob<Job>): Promise<void> {
    cancel = new AbortController();
    const { job } = request;
    const send: Send = (reply, transfer = []) => {
      port.postMessage({ ...reply, job }, transfer);
    };
    const heartbeat = setInterval(() => {
      send({ kind: 'alive' });
    }, HEARTBEAT_MS);
    try {
      const reply = await perform(request, send, cancel.signal);
      send(reply, reply.kind === 'finished' ? [...buffersOf(reply.labels, reply.uncertainty)] : []);
    } catch (cause) {
      send(cause === CANCELLED ? { kind: 'cancelled' } : { kind: 'failed', error: toErrorMessage(cause) });
    } finally {
      clearInterval(heartbeat);
    }
  }

  function perform(request: Job, send: Send, signal: AbortSignal): Promise<FinalReply> {
    switch (request.kind) {
      case 'open':
        return open(request, send, signal);
      case 'segment': {
        const voxels = request.volume.voxels ?? received;
        received = undefined;
        return segment(request, voxels, send, signal);
      }
      case 'finish':
        return finish(request);
      case 'close':
        return close(request.session);
    }
  }

  async function open(request: OpenRequest, send: Send, signal: AbortSignal): Promise<FinalReply> {
    const backend = served.createBackend(request.backend, request);
    const onLoad: LoadListener = (loadedBytes, totalBytes) => {
      send({ kind: 'loading', loadedBytes, totalBytes });
    };
    const opened = await openModel(request, backend, await served.openCache(), { signal, onLoad });
    if ('refused' in opened) return { kind: 'refused', reason: opened.refused };
    sessions.set(request.session, opened.session);
    return { kind: 'opened', manifest: opened.session.model.manifest, device: opened.device };
  }

  async function segment(
    { session: id, volume, ...options }: SegmentRequest,
    voxels: VoxelArray | undefined,
    send: Send,
    signal: AbortSignal,
  ): Promise<FinalReply> {
    const session = sessions.get(id);
    if (session === undefined || voxels === undefined) throw outOfStep();
    const run = segmentSlices({ ...volume, voxels } satisfies Volume, { ...options, session, signal });
    const { sliceAxis, sliceCount, order, viewsPerSlice, runsPerSlice, warnings } = run;
    send({ kind: 'planned', plan: { sliceAxis, sliceCount, order, viewsPerSlice, runsPerSlice, warnings } });
    for await (const slice of run.slices()) {
      const { labels, uncertainty, probabilities } = slice;
      send({ kind: 'slice', slice }, buffersOf(labels, uncertainty, probabilities));
    }
    return { kind: 'segmented' };
  }

  async function close(id: number): Promise<FinalReply> {
    await sessions.get(id)?.dispose();
    sessions.delete(id);
    return { kind: 'closed' };
  }
}

type Job = Exclude<Request, { kind: 'cancel' | 'voxels' }>;
type Send = (reply: Reply, transfer?: Transferable[]) => void;

const CANCELLED = Symbol('cancelled');

function finish({
  manifest,
  geometry,
  labels,
  uncertainty,
  ...plan
}: Extract<Job, { kind: 'finish' }>): Promise<FinalReply> {
  const finished = postprocessVolume({ labels, uncertainty }, geometry, manifest, plan);
  return Promise.resolve({ kind: 'finished', ...finished });
}

/** Puts a part of a volume to its place; the first part brings the length of the whole. */
function withChunk(
  voxels: VoxelArray | undefined,
  { offset, length, chunk }: Extract<Request, { kind: 'voxels' }>,
): VoxelArray {
  const whole = offset === 0 || voxels === undefined ? createLike(chunk, length) : voxels;
  whole.set(chunk, offset);
  return whole;
}

function createLike(voxels: VoxelArray, length: number): VoxelArray {
  const ArrayType = voxels.constructor as new (length: number) => VoxelArray; // a typed array's own constructor
  return new ArrayType(length);
}

function buffersOf(...arrays: (Uint8Array | Uint16Array | undefined)[]): ArrayBuffer[] {
  return arrays.flatMap((array) => (array?.buffer instanceof ArrayBuffer ? [array.buffer] : []));
}

function outOfStep(): InternalError {
  return new InternalError('internal', 'The worker has no such session, or no voxels to it.', {
    remedy: 'Please report this.',
  });
}

type OpenedModel =
  | { readonly session: InferenceSession; readonly device: DeviceReport }
  /** Why the backend is not to be used, in words. */
  | { readonly refused: string };

/** Opens a model on one backend, if that is there and computes the model right.
 * @throws ModelError if the model's files are not what they should be; the signal's reason */
async function openModel(
  { backend: backendId, folderUrl, manifest: expected }: Pick<OpenRequest, 'backend' | 'folderUrl' | 'manifest'>,
  backend: InferenceBackend,
  cache: ModelCache,
  listeners: { readonly signal: AbortSignal; readonly onLoad: LoadListener },
): Promise<OpenedModel> {
  const device = await backend.probe();
  if (!device.available) return { refused: device.reason };
  const read = createModelReader(folderUrl, cache, listeners);
  const model = await loadModel(read);
  if (expected !== undefined && expected.file.sha256 !== model.manifest.file.sha256) throw replacedModel(expected);
  let session: InferenceSession;
  try {
    session = await backend.openSession(model);
  } catch (cause) {
    // WebGPU lacks some of what models are made of; WebAssembly knows them all, and what it refuses is the model's fault.
    if (backendId === 'wasm') throw cause;
    return { refused: reasonOf(cause) };
  }
  listeners.signal.throwIfAborted();
  const test = await testDevice(session, device, read, cache, folderUrl);
  if ('wrong' in test) {
    await session.dispose();
    return { refused: test.wrong };
  }
  const { adapter, threads = 1 } = device;
  const { msPerSlice } = test;
  return { session, device: { backendId, ...(adapter !== undefined && { adapter }), threads, msPerSlice } };
}

function replacedModel({ id }: ModelManifest): ModelError {
  return new ModelError('model-file-mismatch', `The model ${id} was replaced by another on its server.`, {
    remedy: 'Open the model again.',
  });
}
