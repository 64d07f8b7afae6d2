import type { SegmentationResult } from '../labelmap/segmentation-result.ts';
import { createSliceCollector } from '../pipeline/collect-slices.ts';
import type { SegmentVolumeOptions } from '../pipeline/segment-volume.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { fromSentError, type Reply, type SegmentPlan } from './protocol.ts';
import { sendVoxels } from './send-voxels.ts';
import type { OpenSession, SessionOpener } from './session-opener.ts';
import { WorkerFault } from './worker-channel.ts';

export interface SegmentInWorkerOptions extends Omit<SegmentVolumeOptions, 'session'> {
  readonly session: OpenSession;
  readonly opener: SessionOpener;
  readonly stallTimeoutMs: number;
  readonly onNotice?: (notice: Notice) => void;
}

export async function segmentInWorker(
  volume: Volume,
  { session, opener, signal, ...options }: SegmentInWorkerOptions,
): Promise<SegmentationResult> {
  const { manifest, channel } = await opener.ensureOpen(session, signal ? { signal } : {});
  const { geometry } = volume;
  const { order, tta = false, force = false, keepProbabilities = false, softwareVersion } = options;
  const collector = createSliceCollector({ geometry, manifest, keepProbabilities, softwareVersion });
  let plan: SegmentPlan | undefined;
  let done = 0;
  const onReply = (reply: Reply): void => {
    if (signal?.aborted === true) return;
    if (reply.kind === 'planned') plan = reply.plan;
    if (reply.kind !== 'slice' || plan === undefined) return;
    collector.add(reply.slice, plan);
    options.onSlice?.(reply.slice);
    options.onProgress?.({ done: ++done, total: plan.order.length, elapsedMs: collector.elapsedMs });
  };
  const cancel = (): void => {
    channel.send({ kind: 'cancel' });
  };
  const sent = await sendVoxels(volume, channel);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', cancel);
  try {
    const reply = await channel.run(
      { kind: 'segment', session: session.id, volume: sent, ...(order && { order }), tta, force, keepProbabilities },
      { onReply },
    );
    signal?.throwIfAborted();
    if (reply.kind === 'failed') throw fromSentError(reply.error);
    if (plan === undefined) throw new WorkerFault('no plan');
    const { labels, uncertainty } = collector.target;
    const finished = await channel.run(
      { kind: 'finish', manifest, geometry, labels, uncertainty, order: plan.order, sliceCount: plan.sliceCount },
      { transfer: [labels.buffer as ArrayBuffer, uncertainty.buffer as ArrayBuffer] },
    );
    signal?.throwIfAborted();
    if (finished.kind === 'failed') throw fromSentError(finished.error);
    if (finished.kind !== 'finished') throw new WorkerFault('no end');
    return collector.finish(plan, finished, plan.warnings);
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
