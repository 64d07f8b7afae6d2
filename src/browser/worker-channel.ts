import {
  watchForFirstWord,
  type FinalReply,
  parseReply,
  type Reply,
  type Request,
  type SegmentRequest,
} from './protocol.ts';
import { createEventLoopYielder } from '../pipeline/prefetch.ts';
import type { Volume, VoxelArray } from '../volume/volume.ts';

/** What of a Worker is used. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  terminate(): void;
  addEventListener(type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void): void;
}

/** A worker that died, fell silent, or does not get on. It was ended. */
export class WorkerFault extends Error {}

/** A worker that never said a word. Another one of the same file will not either. */
export class WorkerSilentFault extends WorkerFault {
  /** What the browser said of its script, if it said something. */
  readonly reason: string | undefined;

  constructor(reason: string | undefined) {
    super(reason ?? 'it never answered');
    this.reason = reason;
  }
}

export interface JobOptions {
  readonly transfer?: Transferable[];
  readonly onReply?: (reply: Reply) => void;
  /** Without any sign of life; default: the channel's. */
  readonly longestSilenceMs?: number;
  /** Progress, any reply but a heartbeat, must come this often. Default: no matter, while there are heartbeats. */
  readonly longestStepMs?: () => number;
}

/** One worker and the watch over it. */
export interface WorkerChannel {
  readonly isDead: boolean;
  /** Does one job; never called while another is under way.
   * @throws WorkerFault */
  run(request: Request, options?: JobOptions): Promise<FinalReply>;
  /** Sends what is not a job, to go with the one under way or the next. */
  send(request: Request, transfer?: Transferable[]): void;
  end(reason: string): void;
}

/** Checks in a watchdog's limit: few enough to cost nothing, and a computer that slept misses one, not all. */
const CHECKS = 10;

/** @param channelSilenceMs without a heartbeat, after which the worker is given up */
export function openChannel(worker: WorkerLike, channelSilenceMs: number): WorkerChannel {
  let job = 0;
  let fault: WorkerFault | undefined;
  let pending: { onReply: (reply: Reply) => void; reject: (fault: WorkerFault) => void } | undefined;

  const endBy = (cause: WorkerFault): void => {
    if (fault !== undefined) return;
    fault = cause;
    stopWatching();
    worker.terminate();
    pending?.reject(fault);
  };
  const end = (reason: string): void => {
    endBy(new WorkerFault(reason));
  };
  const stopWatching = watchForFirstWord(() => {
    endBy(new WorkerSilentFault(undefined));
  });
  let hasSpoken = false;
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    const message: unknown = Reflect.get(event, 'message');
    const reason = typeof message === 'string' && message !== '' ? message : 'its script did not start';
    endBy(hasSpoken ? new WorkerFault(reason) : new WorkerSilentFault(reason));
  });
  worker.addEventListener('messageerror', () => {
    end('a message could not be read');
  });
  worker.addEventListener('message', (event) => {
    hasSpoken = true;
    stopWatching();
    const reply = parsedReply(Reflect.get(event, 'data'));
    if (reply === undefined) end('it sent what is no message of ours');
    else if (reply.job === job) pending?.onReply(reply);
  });

  const send: WorkerChannel['send'] = (request, transfer = []) => {
    worker.postMessage({ ...request, job }, transfer);
  };

  return {
    get isDead() {
      return fault !== undefined;
    },
    end,
    send,
    run(request, { transfer, onReply, longestSilenceMs = channelSilenceMs, longestStepMs = () => Infinity } = {}) {
      if (fault !== undefined) return Promise.reject(fault);
      job++;
      // Time is counted in checks, not read from a clock: a computer that slept is not a worker that did.
      const checkMs = longestSilenceMs / CHECKS;
      let [silentMs, stepMs] = [0, 0];
      const watch = setInterval(() => {
        silentMs += checkMs;
        stepMs += checkMs;
        if (silentMs > longestSilenceMs) end(`it gave no sign of life for ${seconds(longestSilenceMs)}`);
        else if (stepMs > longestStepMs()) end(`a slice took more than ${seconds(longestStepMs())}`);
      }, checkMs);
      const reply = new Promise<FinalReply>((resolve, reject) => {
        pending = {
          reject,
          onReply(reply) {
            silentMs = 0;
            if (reply.kind !== 'alive') stepMs = 0;
            if (isFinal(reply)) resolve(reply);
            else onReply?.(reply);
          },
        };
        send(request, transfer);
      });
      return reply.finally(() => {
        clearInterval(watch);
        pending = undefined;
      });
    },
  };
}

function parsedReply(value: unknown): ReturnType<typeof parseReply> | undefined {
  try {
    return parseReply(value);
  } catch {
    return undefined;
  }
}

function isFinal(reply: Reply): reply is FinalReply {
  return !['alive', 'loading', 'planned', 'slice'].includes(reply.kind);
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(2))} s`;
}

/** Memory for voxels that a page and its worker can both use, so that a run makes no copy of them: shared where the page
 * is cross-origin isolated (COOP and COEP), else the page's own, of which every run sends a copy. */
export function allocateVoxels(byteLength: number): ArrayBuffer | SharedArrayBuffer {
  return canShare() ? new SharedArrayBuffer(byteLength) : new ArrayBuffer(byteLength);
}

/** Voxels that are copied at a time: 4 MB take a millisecond or two of the page's thread. */
const CHUNK_BYTES = 4e6;

/** Gives a volume to the worker, without patient data, which it has no use for: shared, or else copied in parts, between
 * which the page can do other things. The page keeps its own: a worker may die and the next one need them again. */
export async function sendVoxels(volume: Volume, channel: WorkerChannel): Promise<SegmentRequest['volume']> {
  const { geometry, voxels, modality, bodyPartExamined } = volume;
  const rest = {
    geometry,
    ...(modality !== undefined && { modality }),
    ...(bodyPartExamined !== undefined && { bodyPartExamined }),
  };
  if (canShare() && voxels.buffer instanceof SharedArrayBuffer) return { ...rest, voxels };
  const turn = createEventLoopYielder();
  const step = Math.ceil(CHUNK_BYTES / voxels.BYTES_PER_ELEMENT);
  for (let offset = 0; offset < voxels.length; offset += step) {
    const chunk: VoxelArray = voxels.slice(offset, offset + step);
    channel.send({ kind: 'voxels', offset, length: voxels.length, chunk }, [chunk.buffer as ArrayBuffer]);
    await turn.pass();
  }
  turn.close();
  return rest;
}

function canShare(): boolean {
  return globalThis.crossOriginIsolated && typeof SharedArrayBuffer !== 'undefined';
}
