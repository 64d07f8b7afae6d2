import type { InferenceSession } from '../inference/backend.ts';
import type { SegmentationResult } from '../labelmap/segmentation-result.ts';
import { loadModel } from '../models/load-model.ts';
import { openModelFolder, passedOverFolder } from '../node/model-folders.ts';
import { assertWritable } from '../node/write-file.ts';
import type { Volume } from '../volume/volume.ts';
import type { InterruptibleContext, TextSink } from './standard-stream.ts';
import { segmentSpec } from './commands.ts';
import { preloadEncoders, softwareVersion } from './encode-labelmap.ts';
import { backendNotices, openBackend, parseSegmentRequest, type SegmentCommand } from './segment-request.ts';
import type { CommandArguments } from './parse-arguments.ts';
import { createProgressBar, printLines, printWarnings } from './print.ts';
import { summaryOf } from './segment-outputs.ts';

/** `slicewise segment`: series in, verified labelmap out. All outputs appear together at the end, or none. */
export async function segment(
  given: CommandArguments<typeof segmentSpec>,
  { stdout, stderr, signal }: InterruptibleContext,
): Promise<void> {
  const startedAt = new Date();
  const request = parseSegmentRequest(given);
  for (const path of [request.output, request.preview, request.report]) {
    if (path !== undefined) await assertWritable(path);
  }
  await openModelFolder(request.model); // a wrong name is told before minutes of reading
  await warnOfPassedOverFolder(request.model, stderr);
  printWarnings(stderr, backendNotices(given.options.backend, request.backend));
  // The model opens, and later runs, in a thread of its own: meanwhile this one reads, and loads the code of the next step.
  const opening = timed(() => openModel(request));
  opening.catch(() => undefined); // it may fail before it is awaited
  try {
    const [{ readSegmentInput }, { writeSegmentOutputs }] = await Promise.all([
      import('./segment-request.ts'),
      import('./segment-outputs.ts'),
    ]);
    const read = await timed(() => readSegmentInput(request, signal));
    printWarnings(stderr, read.value.warnings, segmentSpec);
    const [opened] = await Promise.all([opening, import('../pipeline/segment-volume.ts')]);
    const { session, licence } = opened.value;
    const [segmented] = await Promise.all([
      timed(() => runModel(read.value.volume, session, request, { stderr, signal })),
      preloadWriters(request),
    ]);
    printWarnings(stderr, segmented.value.warnings, segmentSpec);
    void session.dispose(); // its memory goes while the result is encoded; awaited at the end
    const times = {
      startedAt,
      beganMs: 0, // the process, whose start users wait for too
      readMs: read.durationMs,
      loadMs: opened.durationMs,
      segmentMs: segmented.durationMs,
    };
    const made = { request, input: read.value, result: segmented.value, licence, times };
    const outcome = await writeSegmentOutputs(made, signal);
    printWarnings(stderr, outcome.outputWarnings, segmentSpec);
    if (!request.quiet) printLines(stdout, summaryOf(outcome));
  } finally {
    // If the series is at fault, what may be wrong with the model is no news.
    await opening.then(({ value }) => value.session.dispose()).catch(() => undefined);
  }
}

/** A folder beside the user that has the name of a packaged model is not used: better said than found out. */
export async function warnOfPassedOverFolder(model: string, stderr: TextSink): Promise<void> {
  const notice = await passedOverFolder(model);
  if (notice !== undefined) printWarnings(stderr, [notice]);
}

export async function openModel({
  model: idOrFolder,
  backend: id,
  threads,
}: Pick<SegmentCommand, 'model' | 'backend' | 'threads'>): Promise<{
  readonly session: InferenceSession;
  readonly licence: string;
}> {
  const read = await openModelFolder(idOrFolder);
  const backend = await openBackend(id, threads);
  // Probing starts the runtime meanwhile; opening says what is wrong with it.
  const [model] = await Promise.all([loadModel(read), backend.probe()]);
  return { session: await backend.openSession(model, { takesBytes: true }), licence: model.manifest.licence };
}

async function runModel(
  volume: Volume,
  session: InferenceSession,
  { tta, force, quiet }: SegmentCommand,
  { stderr, signal }: Pick<InterruptibleContext, 'stderr' | 'signal'>,
): Promise<SegmentationResult> {
  const { segmentVolume } = await import('../pipeline/segment-volume.ts');
  const bar = createProgressBar(quiet ? undefined : stderr);
  try {
    return await segmentVolume(volume, {
      session,
      tta,
      force,
      signal,
      softwareVersion: softwareVersion(),
      onProgress: ({ done, total }) => {
        bar.update(done, total);
      },
    });
  } finally {
    bar.clear();
  }
}

/** Loads what encodes and draws, which is big. */
async function preloadWriters({ format, preview }: SegmentCommand): Promise<void> {
  await Promise.all([preloadEncoders(format), preview !== undefined && import('./preview/preview.ts')]);
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly durationMs: number }> {
  const begin = performance.now();
  const value = await work();
  return { value, durationMs: performance.now() - begin };
}
