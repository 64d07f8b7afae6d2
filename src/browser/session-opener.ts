import { EnvironmentError, isSegmentationError } from '../errors.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { Notice } from '../volume/volume.ts';
import {
  type BackendId,
  backendName,
  describeDevice,
  type DeviceReport,
  type RefusedBackend,
} from './device-report.ts';
import { type FinalReply, fromErrorMessage, type Request, workerSilent } from './protocol.ts';
import { type JobOptions, type WorkerChannel, WorkerFault, WorkerSilentFault } from './worker-channel.ts';

/** A model that is open in some worker, or will be again. */
export interface OpenSession {
  readonly id: number;
  readonly folderUrl: string;
  /** Backends that may still be tried; the first is the one in use. */
  readonly candidates: BackendId[];
  readonly refused: RefusedBackend[];
  /** As it was opened last; its worker may have died since. */
  opened?: OpenedSession;
}

export interface OpenedSession {
  readonly manifest: ModelManifest;
  readonly device: DeviceReport;
  readonly channel: WorkerChannel;
}

export interface OpenModelOptions {
  readonly signal?: AbortSignal;
  /** Of the model's file, where it is not kept here already. */
  readonly onProgress?: (progress: { readonly loadedBytes: number; readonly totalBytes: number }) => void;
}

interface EnsureOpenOptions extends OpenModelOptions {
  /** No notices: whoever opens it has one of their own. */
  readonly isQuiet?: boolean;
}

/** Opens models in the worker, on the first backend that is there and computes right. */
export interface SessionOpener {
  create(folderUrl: string, candidates: readonly BackendId[]): OpenSession;
  /** Opens a session where it is not open yet, or where its worker was lost.
   * @throws ModelError; EnvironmentError `backend-unavailable` if none is left, `worker-silent`; the signal's reason */
  ensureOpen(session: OpenSession, options?: EnsureOpenOptions): Promise<OpenedSession>;
  close(session: OpenSession): Promise<void>;
}

export interface OpenerSettings {
  /** Nor is WebGPU then held against the processor. */
  readonly allowSoftwareAdapter: boolean;
  /** Without a heartbeat, for compiling may keep the worker busy; without progress it is twice that. */
  readonly longestStartMs: number;
  readonly onNotice?: (notice: Notice) => void;
}

/** A slice that takes a graphics card so long may take the processor less: an old card, or one that is imitated and does
 * not say so. Below it, opening the model on both to compare them is not worth the time. */
const SLOW_SLICE_MS = 200;

export function createSessionOpener(liveChannel: () => WorkerChannel, settings: OpenerSettings): SessionOpener {
  let lastId = 0;
  const create = (folderUrl: string, candidates: readonly BackendId[]): OpenSession => ({
    id: ++lastId,
    folderUrl: absolute(folderUrl),
    candidates: [...candidates],
    refused: [],
  });

  return {
    create,

    async ensureOpen(session, { isQuiet = false, ...options } = {}) {
      const { opened } = session;
      if (opened?.channel.isDead === false) return opened;
      const refusedBefore = session.refused.length;
      let isToBeCompared = !settings.allowSoftwareAdapter;
      for (;;) {
        const [backend, next] = session.candidates;
        if (backend === undefined) throw noBackend(session.refused);
        const channel = liveChannel();
        let reply: OpenReply = await open(channel, session, backend, options);
        if (reply.kind === 'opened' && next === 'wasm' && isToBeCompared) {
          isToBeCompared = false;
          reply = await comparedWithProcessor(reply, channel, session, options);
          if (channel.isDead) continue;
        }
        if (reply.kind === 'opened') {
          session.opened = { manifest: reply.manifest, device: reply.device, channel };
          const refused = session.refused.slice(refusedBefore);
          if (!isQuiet) for (const notice of deviceNotices(refused, reply.device)) settings.onNotice?.(notice);
          return session.opened;
        }
        session.candidates.shift();
        session.refused.push({ backendId: backend, reason: reply.reason });
      }
    },

    async close(session) {
      const channel = session.opened?.channel;
      if (channel?.isDead === false) await channel.run({ kind: 'close', session: session.id });
    },
  };

  /** Refuses a graphics card that takes longer than the processor. */
  async function comparedWithProcessor(
    reply: Opened,
    channel: WorkerChannel,
    session: OpenSession,
    options: OpenModelOptions,
  ): Promise<OpenReply> {
    const { msPerSlice } = reply.device;
    if (msPerSlice <= SLOW_SLICE_MS) return reply;
    const rival = create(session.folderUrl, ['wasm']);
    const other = await open(channel, rival, 'wasm', options);
    if (other.kind === 'refused') return reply;
    await channel.run({ kind: 'close', session: rival.id });
    if (other.device.msPerSlice >= msPerSlice) return reply;
    await channel.run({ kind: 'close', session: session.id });
    const [slow, fast] = [msPerSlice, other.device.msPerSlice].map((ms) => `${(ms / 1000).toPrecision(2)} s`);
    return { kind: 'refused', reason: `a slice takes it ${slow}, the processor ${fast}` };
  }

  async function open(
    channel: WorkerChannel,
    session: OpenSession,
    backend: BackendId,
    { signal, onProgress }: OpenModelOptions,
  ): Promise<OpenReply> {
    const { id, folderUrl, opened } = session;
    try {
      const reply = await runJob(
        channel,
        {
          kind: 'open',
          session: id,
          folderUrl,
          ...(opened && { manifest: opened.manifest }),
          backend,
          allowSoftwareAdapter: settings.allowSoftwareAdapter,
        },
        {
          longestSilenceMs: settings.longestStartMs,
          longestStepMs: () => 2 * settings.longestStartMs,
          onReply: (reply) => {
            if (reply.kind === 'loading') onProgress?.(reply);
          },
          ...(signal && { signal }),
        },
      );
      if (reply.kind === 'opened' || reply.kind === 'refused') return reply;
      throw new WorkerFault(`it answered "${reply.kind}"`);
    } catch (cause) {
      if (!(cause instanceof WorkerFault) || signal?.aborted === true) throw cause;
      // Every backend is behind the same script.
      if (cause instanceof WorkerSilentFault) throw workerSilent(cause.reason);
      channel.end(cause.message);
      return { kind: 'refused', reason: `opening the model failed: ${cause.message}` };
    }
  }
}

type OpenReply = Extract<FinalReply, { kind: 'opened' | 'refused' }>;
type Opened = Extract<FinalReply, { kind: 'opened' }>;

/** With a slash at its end, so that a file's name is appended. */
function absolute(folderUrl: string): string {
  const folder = folderUrl.endsWith('/') ? folderUrl : `${folderUrl}/`;
  return URL.canParse(folder) ? folder : new URL(folder, globalThis.location.href).href;
}

function deviceNotices(refused: readonly RefusedBackend[], device: DeviceReport): Notice[] {
  const notices = refused.map(({ backendId, reason }) => ({
    code: `${backendId}-refused`,
    message: `${backendName(backendId)} is not used: ${reason}. In its place: ${describeDevice(device, 300)}.`,
  }));
  const cores = globalThis.navigator.hardwareConcurrency;
  const isSlowed = device.backendId === 'wasm' && !globalThis.crossOriginIsolated && cores > 1;
  if (!isSlowed) return notices;
  const message =
    `This page is not cross-origin isolated, so that the model runs on one of ${cores} processor threads, ` +
    `and is slower by up to as much. Its server should send the COOP and COEP headers.`;
  return [...notices, { code: 'one-thread', message }];
}

function noBackend(refused: readonly RefusedBackend[]): EnvironmentError {
  const reasons = refused.map(({ backendId, reason }) => `${backendId}: ${reason}`).join('; ');
  return new EnvironmentError('backend-unavailable', `No way to run the model is left. ${reasons}.`, {
    remedy: 'Reload the page; if it stays so, use another browser or computer.',
    details: { refused },
  });
}

/** Does one job and throws what the worker says went wrong.
 * @throws WorkerFault if the worker or its runtime is of no more use; the signal's reason, when the worker has stopped */
export async function runJob(
  channel: WorkerChannel,
  request: Request,
  { signal, ...options }: JobOptions & { readonly signal?: AbortSignal },
): Promise<FinalReply> {
  signal?.throwIfAborted();
  const cancel = (): void => {
    channel.send({ kind: 'cancel' });
  };
  signal?.addEventListener('abort', cancel);
  try {
    const reply = await channel.run(request, options);
    signal?.throwIfAborted();
    if (reply.kind !== 'failed') return reply;
    const error = fromErrorMessage(reply.error);
    const isFault = isSegmentationError(error) && (error.code === 'inference-failed' || error.code === 'out-of-memory');
    throw isFault ? new WorkerFault(withoutStop(error.message), { cause: error }) : error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
