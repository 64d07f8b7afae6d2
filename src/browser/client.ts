import { InternalError } from '../errors.ts';
import { createSerialQueue } from '../inference/backend.ts';
import type { SegmentationResult } from '../labelmap/segmentation-result.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { SegmentVolumeOptions } from '../pipeline/segment-volume.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { describeDevice, type BackendId, type DeviceReport, type RefusedBackend } from './device-report.ts';
import { segmentInWorker } from './segment-in-worker.ts';
import { createSessionOpener, type OpenedSession, type OpenModelOptions, type OpenSession } from './session-opener.ts';
export { describeDevice, type BackendId, type DeviceReport, type RefusedBackend } from './device-report.ts';
export { allocateVoxels } from './worker-channel.ts';
export type { OpenModelOptions } from './session-opener.ts';
import { openChannel, type WorkerChannel, type WorkerLike } from './worker-channel.ts';

export interface SegmentationClientOptions {
  /** Starts the module worker of `src/browser/worker.ts`; called again when a worker was lost. */
  readonly createWorker: () => WorkerLike;
  /** Default: auto, WebGPU where there is a real graphics card that computes right, else WASM. */
  readonly backend?: 'auto' | BackendId;
  /** Take a graphics card that the browser only imitates: for tests, it is slower than WASM. */
  readonly allowSoftwareAdapter?: boolean;
  /** How long the worker may be silent, or a slice take beyond what it should, before it is replaced. */
  readonly stallTimeoutMs?: number;
  /** What the user should see at once: WASM in place of WebGPU, a run that was interrupted and goes on. A notice takes
   * the place of an earlier one of its code. */
  readonly onNotice?: (notice: Notice) => void;
}

/** segmentVolume in a worker of its own, so that a page stays smooth. Jobs are done one after the other. */
export interface SegmentationClient {
  /** Fetches and checks a model, tests it on this device, and opens it.
   * @param folderUrl of a model folder, where its manifest.json is
   * @throws ModelError; EnvironmentError `backend-unavailable`, `worker-silent`; the signal's reason, at once */
  openModel(folderUrl: string, options?: OpenModelOptions): Promise<WorkerSession>;
  /** As the core's segmentVolume. A lost graphics card or worker does not end it: finished slices are kept, it goes on at
   * the first unfinished one, in the end on WASM; a notice says so.
   *
   * On an abort it rejects at once, and the model stops after the slice that it is at. Slices that were handed over are
   * the caller's to keep: they are what the model said, without post-processing. */
  segmentVolume(volume: Volume, options: ClientSegmentOptions): Promise<SegmentationResult>;
  /** Ends the worker; what is under way rejects. */
  dispose(): Promise<void>;
}

export type ClientSegmentOptions = Omit<SegmentVolumeOptions, 'session'> & { readonly session: WorkerSession };

/** A model that is open in the worker. */
export interface WorkerSession {
  readonly backendId: BackendId;
  readonly model: { readonly manifest: ModelManifest };
  /** As of now: after a lost graphics card it is another. */
  readonly device: DeviceReport & {
    /** "WebGPU, nvidia ampere, about 25 s for 300 slices"; {@link describeDevice} has it for another number. */
    readonly summary: string;
    readonly refused: readonly RefusedBackend[];
  };
  dispose(): Promise<void>;
}

const SLICES_OF_A_SUMMARY = 300;

/** Starting a runtime and compiling a model take this many times longer than a slice ever should. */
const START_PATIENCE = 3;

export function createSegmentationClient(options: SegmentationClientOptions): SegmentationClient {
  const { createWorker, backend = 'auto', allowSoftwareAdapter = false, stallTimeoutMs = 20_000, onNotice } = options;
  const jobs = createSerialQueue();
  const sessions = new WeakMap<WorkerSession, OpenSession>();
  let channel: WorkerChannel | undefined;
  let isDisposed = false;

  const liveChannel = (): WorkerChannel => {
    if (isDisposed) throw disposedClient();
    if (channel === undefined || channel.isDead) channel = openChannel(createWorker(), stallTimeoutMs);
    return channel;
  };
  const opener = createSessionOpener(liveChannel, {
    allowSoftwareAdapter,
    longestStartMs: START_PATIENCE * stallTimeoutMs,
    ...(onNotice && { onNotice }),
  });

  return {
    openModel(folderUrl, { signal, onProgress } = {}) {
      const job = jobs.add(async () => {
        const session = opener.create(folderUrl, backend === 'auto' ? ['webgpu', 'wasm'] : [backend]);
        const opened = await opener.ensureOpen(session, {
          ...(signal && { signal }),
          ...(onProgress && { onProgress }),
        });
        const handle = createHandle(session, opened);
        sessions.set(handle, session);
        return handle;
      }, signal);
      return orAborted(job, signal);
    },

    segmentVolume(volume, { session: handle, ...rest }) {
      const session = sessions.get(handle);
      if (session === undefined) return Promise.reject(foreignSession());
      const job = jobs.add(
        () => segmentInWorker(volume, { ...rest, session, opener, stallTimeoutMs, ...(onNotice && { onNotice }) }),
        rest.signal,
      );
      return orAborted(job, rest.signal);
    },

    dispose() {
      isDisposed = true;
      channel?.end('it was ended by the page');
      return Promise.resolve();
    },
  };

  function createHandle(session: OpenSession, first: OpenedSession): WorkerSession {
    const latest = (): OpenedSession => session.opened ?? first;
    return {
      get backendId() {
        return latest().device.backendId;
      },
      model: { manifest: first.manifest },
      get device() {
        const { device } = latest();
        return { ...device, summary: describeDevice(device, SLICES_OF_A_SUMMARY), refused: [...session.refused] };
      },
      dispose() {
        sessions.delete(this);
        return jobs.add(() => opener.close(session));
      },
    };
  }
}

/** A job's end, or the signal's reason as soon as it aborts; the job itself goes on to where it can stop. */
function orAborted<T>(job: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return job;
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      // The caller chose the reason; whatever it is, it is handed on as it is.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      reject(signal.reason);
    };
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave);
    job.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', leave);
    });
  });
}

function disposedClient(): InternalError {
  return new InternalError('inference-failed', 'The segmentation client was disposed.', {
    remedy: 'Create another client.',
  });
}

function foreignSession(): InternalError {
  return new InternalError('inference-failed', 'The session was not opened by this client, or is disposed.', {
    remedy: 'Open the model with this client.',
  });
}
