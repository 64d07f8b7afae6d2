import { type ChildProcess, fork } from 'node:child_process';
import { InternalError } from '../../errors.ts';
import { type ErrorMessage, fromErrorMessage } from '../../browser/protocol.ts';
import type { SegmentationReport } from '../documents.ts';
import type { SegmentCommand } from '../segment-request.ts';

/** A process with a model open, which segments one series at a time. */
export interface SeriesProcess {
  /** @throws what the series fails with; InternalError `inference-failed` if the process ends, which is of no use then */
  segment(request: SegmentCommand, fingerprint: string): Promise<SegmentationReport>;
  /** Whether it has ended by itself. */
  readonly hasEnded: boolean;
  /** Ends it when the series under way is done, or at once where that was aborted. */
  close(): Promise<void>;
}

/** After an abort a series may still be encoded, which nothing can interrupt. */
const MAX_END_MS = 20_000;

/** @throws what the model or its backend fails with; the signal's reason */
export async function openSeriesProcess(
  model: Pick<SegmentCommand, 'model' | 'backend' | 'threads'>,
  signal: AbortSignal,
): Promise<SeriesProcess> {
  signal.throwIfAborted();
  const script = import.meta.url.endsWith('.ts') ? './series-worker.ts' : './series-worker.js';
  // Its stdout is nobody's: what the command prints there may be one JSON document.
  const child = fork(new URL(script, import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = new Promise<InternalError>((resolve) => {
    child.once('exit', (code, name) => {
      resolve(endedProcess(name ?? `exit code ${String(code)}`));
    });
    child.once('error', (cause) => {
      resolve(endedProcess(cause.message));
    });
  });
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const abort = (): void => {
    send(child, { kind: 'abort' });
  };
  signal.addEventListener('abort', abort, { once: true });

  const ask = async (request: SeriesRequest): Promise<SeriesReply> => {
    const answered = new Promise<SeriesReply>((resolve) => child.once('message', resolve));
    send(child, request);
    const reply = await Promise.race([answered, ended]);
    signal.throwIfAborted();
    if (reply instanceof Error) throw reply;
    if (reply.kind === 'failed') throw fromErrorMessage(reply.error);
    return reply;
  };
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', abort);
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), MAX_END_MS);
    await ended;
    clearTimeout(timer);
  };

  try {
    await ask({ kind: 'open', model });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get hasEnded() {
      return hasEnded;
    },
    async segment(request, fingerprint) {
      const reply = await ask({ kind: 'segment', request, fingerprint });
      if (reply.kind !== 'done') throw new TypeError(`a series was answered with ${reply.kind}`);
      return reply.report;
    },
    close,
  };
}

/** To a process that may just have ended: then there is no channel, and `ended` says so. */
function send(child: ChildProcess, request: SeriesRequest): void {
  if (child.connected) child.send(request, () => undefined);
}

function endedProcess(how: string): InternalError {
  return new InternalError('inference-failed', `The process that segmented the series has ended (${how}).`, {
    remedy: 'Run it by itself; where memory was short, with --jobs 1 and nothing else at the same time.',
  });
}

/** To a process that segments series: each but the abort is answered once, in order. */
export type SeriesRequest =
  | { readonly kind: 'open'; readonly model: Pick<SegmentCommand, 'model' | 'backend' | 'threads'> }
  | { readonly kind: 'segment'; readonly request: SegmentCommand; readonly fingerprint: string }
  | { readonly kind: 'abort' };

export type SeriesReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'done'; readonly report: SegmentationReport }
  | { readonly kind: 'failed'; readonly error: ErrorMessage };
