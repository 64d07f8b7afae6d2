import { isSegmentationError } from '../errors.ts';
import { fromErrorMessage } from './error-message.ts';
import type { FinalReply, Request } from './protocol.ts';
import { WorkerFault, type JobOptions, type WorkerChannel } from './worker-channel.ts';

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
