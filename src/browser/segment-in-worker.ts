import { InternalError } from '../errors.ts';
import type { SegmentationResult } from '../labelmap/segmentation-result.ts';
import { manifestSha256 } from '../models/load-model.ts';
import { createSliceCollector, type SegmentVolumeOptions, type SliceCollector } from '../pipeline/segment-volume.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { describeDevice } from './device-report.ts';
import type { Reply, SegmentPlan } from './protocol.ts';
import { type OpenedSession, type OpenSession, runJob, type SessionOpener } from './session-opener.ts';
import { sendVoxels, WorkerFault } from './worker-channel.ts';

export interface SegmentInWorkerOptions extends Omit<SegmentVolumeOptions, 'session'> {
  readonly session: OpenSession;
  readonly opener: SessionOpener;
  readonly stallTimeoutMs: number;
  readonly onNotice?: (notice: Notice) => void;
}

/** Segments a volume in the worker, and goes on in another where that one is lost: once more on the same backend, then
 * on the next. Slices that are done are not run again, and none is handed over twice. */
export async function segmentInWorker(volume: Volume, options: SegmentInWorkerOptions): Promise<SegmentationResult> {
  const { session, opener, signal, onNotice } = options;
  const decide = createRecovery(session);
  const run: Run = { ...options, volume, done: new Set(), handedOver: new Set() };
  let interruption: Notice | undefined;
  for (let fault: WorkerFault | undefined; ;) {
    try {
      const opened = await opener.ensureOpen(session, { isQuiet: fault !== undefined, ...(signal && { signal }) });
      if (fault) {
        interruption = describeInterruption(fault, run, opened);
        onNotice?.(interruption);
      }
      const result = await continueRun(run, opened);
      const { backendId, threads, adapter } = opened.device;
      const device = { backendId, threads, ...(adapter !== undefined && { adapter }), refused: [...session.refused] };
      return {
        ...result,
        provenance: { ...result.provenance, device },
        warnings: [...(interruption ? [interruption] : []), ...result.warnings],
      };
    } catch (cause) {
      if (signal?.aborted === true || !(cause instanceof WorkerFault)) throw cause;
      // A runtime in which a run has failed is not used again: it may wait for ever.
      session.opened?.channel.end(cause.message);
      decide(cause, run.done.size);
      fault = cause;
    }
  }
}

/** A run across workers. */
interface Run extends SegmentInWorkerOptions {
  readonly volume: Volume;
  /** Slices whose labels are here. */
  readonly done: Set<number>;
  readonly handedOver: Set<number>;
  plan?: SegmentPlan;
  collector?: SliceCollector;
}

/** Runs the slices that are left, then finishes the volume. */
async function continueRun(run: Run, { manifest, device, channel }: OpenedSession): Promise<SegmentationResult> {
  const { volume, session, done, signal, stallTimeoutMs } = run;
  const { tta = false, force = false, keepProbabilities = false, softwareVersion } = run;
  const { geometry } = volume;
  const sha256 = await manifestSha256(manifest);
  const collector = (run.collector ??= createSliceCollector({
    geometry,
    manifest,
    keepProbabilities,
    softwareVersion,
    manifestSha256: sha256,
  }));

  const order = run.plan?.order.filter((index) => !done.has(index)) ?? run.order;
  if (order?.length !== 0 || run.plan === undefined) {
    const sent = await sendVoxels(volume, channel);
    let thrown: { readonly cause: unknown } | undefined;
    const onReply = (reply: Reply): void => {
      if (thrown || signal?.aborted === true) return;
      try {
        takeReply(reply, run, collector);
      } catch (cause) {
        thrown = { cause };
        channel.send({ kind: 'cancel' });
      }
    };
    const longest = (runs: number): number => stallTimeoutMs + PATIENCE * device.msPerSlice * runs;
    const limits = {
      longestSilenceMs: longest(1), // WebAssembly is silent for as long as it runs
      longestStepMs: () => longest(run.plan?.runsPerSlice ?? 1),
    };
    const request = { session: session.id, volume: sent, ...(order && { order }), tta, force, keepProbabilities };
    await runJob(channel, { kind: 'segment', ...request }, { onReply, ...limits, ...(signal && { signal }) });
    if (thrown) throw thrown.cause;
  }

  const { plan } = run;
  if (plan === undefined) throw new WorkerFault('it segmented without a plan');
  const { labels, uncertainty } = collector.target;
  delete run.collector; // its arrays go to the worker: if that is lost now, all slices are run again
  const finished = await runJob(
    channel,
    { kind: 'finish', manifest, geometry, labels, uncertainty, order: plan.order, sliceCount: plan.sliceCount },
    {
      transfer: [labels.buffer, uncertainty.buffer].filter((buffer) => buffer instanceof ArrayBuffer),
      ...(signal && { signal }),
    },
  ).catch((cause: unknown) => {
    done.clear();
    throw cause;
  });
  if (finished.kind !== 'finished') throw new WorkerFault(`it answered "${finished.kind}"`);
  return collector.finish(plan, finished, plan.warnings);
}

/** A slice may take so many times longer than in the device's test: others use the processor too. */
const PATIENCE = 20;

function takeReply(reply: Reply, run: Run, collector: SliceCollector): void {
  if (reply.kind === 'planned') run.plan ??= reply.plan;
  if (reply.kind !== 'slice' || run.plan === undefined) return;
  const { slice } = reply;
  collector.add(slice, run.plan);
  run.done.add(slice.index);
  const { index, labels, uncertainty, backendId, durationMs } = slice;
  if (!run.handedOver.has(index)) run.onSlice?.({ index, labels, uncertainty, backendId, durationMs });
  run.handedOver.add(index);
  run.onProgress?.({ done: run.done.size, total: run.plan.order.length, elapsedMs: collector.elapsedMs });
}

/** Where a run goes on after a fault: the first time on the same backend, then on the next. The last backend is tried
 * again as long as it gets on.
 * @returns a function that takes each fault; it throws where there is no going on */
function createRecovery(session: OpenSession): (fault: WorkerFault, done: number) => void {
  let faults = 0;
  let doneBefore = -1;
  return (fault, done) => {
    const getsOn = done > doneBefore;
    doneBefore = done;
    const isLast = session.candidates.length === 1;
    if (++faults === 1 || (isLast && getsOn)) return;
    const [backendId] = session.candidates;
    if (isLast || backendId === undefined) throw lostRun(fault, done);
    session.candidates.shift();
    session.refused.push({ backendId, reason: fault.message });
    faults = 0;
  };
}

function describeInterruption(fault: WorkerFault, { done, plan, volume }: Run, { device }: OpenedSession): Notice {
  const total = plan?.order.length ?? volume.geometry.dimensions[2];
  const message =
    `The run was interrupted after ${done.size} of ${total} slices: ${fault.message}. ` +
    `${done.size === 0 ? 'It' : 'They are kept, and it'} goes on: ${describeDevice(device, total - done.size)}.`;
  return { code: 'run-interrupted', message };
}

function lostRun(fault: WorkerFault, done: number): InternalError {
  return new InternalError(
    'inference-failed',
    `The model failed twice on the slice after ${done} finished ones: ${fault.message}.`,
    { remedy: 'Close other pages and programs and run again; if it fails again, please report it.', cause: fault },
  );
}
