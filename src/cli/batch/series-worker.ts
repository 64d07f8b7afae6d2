/** A process of its own that segments one series after the other: what ends it takes no other series along. */
import { endProcessBySignal, UNWINDING_MS } from '../../node/process.ts';
import { segmentVolume } from '../../pipeline/segment-volume.ts';
import type { InferenceSession } from '../../inference/backend.ts';
import { toErrorMessage } from '../../browser/protocol.ts';
import type { SegmentationReport } from '../documents.ts';
import { readSegmentInput, type SegmentCommand } from '../segment-request.ts';
import { writeSegmentOutputs } from '../segment-outputs.ts';
import { openModel } from '../segment.ts';
import { softwareVersion } from '../encode-labelmap.ts';
import type { SeriesReply, SeriesRequest } from './series-process.ts';

interface OpenedModel {
  readonly session: InferenceSession;
  readonly licence: string;
  readonly openMs: number;
}

const controller = new AbortController();
let opened: OpenedModel | undefined;

// A terminal or pipe that has gone is no reason to end: what is printed here is for people only.
process.stderr.on('error', () => undefined);

process.on('message', (message: SeriesRequest) => {
  if (message.kind === 'abort') {
    controller.abort(new Error('Interrupted'));
    return;
  }
  void answer(message)
    .catch((error: unknown): SeriesReply => ({ kind: 'failed', error: toErrorMessage(error) }))
    .then((reply) => process.send?.(reply));
});

// The one that started this process has ended, or has no more to do.
process.on('disconnect', () => {
  controller.abort(new Error('Interrupted'));
  void opened?.session.dispose();
  // A run of a model that does not end must not outlive the one that asked for it.
  setTimeout(endProcessBySignal, UNWINDING_MS, 'SIGTERM').unref();
});

// Ctrl-C reaches every process of a terminal: the one that started this one says what to do.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => {
  controller.abort(new Error('Interrupted'));
});

async function answer(message: Exclude<SeriesRequest, { kind: 'abort' }>): Promise<SeriesReply> {
  if (message.kind === 'open') {
    const begin = performance.now();
    opened = { ...(await openModel(message.model)), openMs: performance.now() - begin };
    return { kind: 'opened' };
  }
  if (opened === undefined) throw new TypeError('no model is open');
  return { kind: 'done', report: await segmentOne(message.request, message.fingerprint, opened) };
}

async function segmentOne(
  request: SegmentCommand,
  fingerprint: string,
  { session, licence, openMs }: OpenedModel,
): Promise<SegmentationReport> {
  const { signal } = controller;
  const startedAt = new Date();
  const beganMs = performance.now();
  const input = await readSegmentInput(request, signal);
  const readMs = performance.now() - beganMs;
  const { tta, force } = request;
  const result = await segmentVolume(input.volume, {
    session,
    tta,
    force,
    signal,
    softwareVersion: softwareVersion(),
  });
  const segmentMs = performance.now() - beganMs - readMs;
  const times = { startedAt, beganMs, readMs, loadMs: openMs, segmentMs };
  const made = { request, input, result, licence, fingerprint, times };
  const { document } = await writeSegmentOutputs(made, signal);
  if (document === undefined) throw new TypeError('a series of a batch has a report');
  return document;
}
