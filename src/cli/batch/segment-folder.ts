import { mkdir, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { EnvironmentError, InputError, isSegmentationError, type Problem, problemOf } from '../../errors.ts';
import { loadModel } from '../../models/load-model.ts';
import type { ModelManifest } from '../../models/manifest.ts';
import { type LocalFile, openFiles } from '../../node/files.ts';
import { openModelFolder } from '../../node/model-folders.ts';
import { assertWritable, isWithin } from '../../node/write-file.ts';
import { checkModel } from '../../pipeline/segment-slices.ts';
import type { InterruptibleContext } from '../standard-stream.ts';
import type { segmentSpec } from '../commands.ts';
import { ExitCode, printJson, printLines, printWarnings } from '../print.ts';
import { assertKeepsImages, assertNotAnInput, backendNotices, type SegmentCommand } from '../segment-request.ts';
import type { CommandArguments } from '../parse-arguments.ts';
import { describeBatch, formatProgressLine, toBatchDocument } from './batch-report.ts';
import { type BatchRequest, findEarlierOutput, fingerprintOf, parseBatchRequest } from './batch-request.ts';
import { findBatchSeries, type BatchSeries, nameOutputs, type OutputNames } from './find-series.ts';
import { countsOf, createResultsFile, resultsCsv, type SeriesOutcome } from './results.ts';
import { warnOfPassedOverFolder } from '../segment.ts';
import { openSeriesProcess, type SeriesProcess } from './series-process.ts';

/** `slicewise segment --output-dir`: every series of the input to a file of its own. One that fails stops no other; what
 * an earlier run made of the same files, model and options stays as it is.
 * @returns the exit code */
export async function segmentFolder(
  given: CommandArguments<typeof segmentSpec>,
  { stdout, stderr, signal }: InterruptibleContext,
): Promise<number> {
  const request = parseBatchRequest(given, availableParallelism());
  const { outputDir, csv, json, quiet } = request;
  await warnOfPassedOverFolder(request.model, stderr);
  printWarnings(stderr, backendNotices(given.options.backend, request.backend));
  const { manifest } = await loadModel(await openModelFolder(request.model));
  const files = await openInputs(request);
  const { series, ignoredFiles } = await findBatchSeries(files, request.image, signal);
  if (series.length === 0) throw noImages(ignoredFiles);
  const names = nameOutputs(series, request.format);

  const outcomes: (SeriesOutcome | undefined)[] = series.map(() => undefined);
  const finished = (): SeriesOutcome[] => outcomes.filter((outcome) => outcome !== undefined);
  const results = csv === undefined ? undefined : createResultsFile(csv, () => resultsCsv(finished(), manifest));
  const report = (at: number, outcome: SeriesOutcome): void => {
    outcomes[at] = outcome;
    results?.update();
    const isQuiet = quiet && outcome.status !== 'failed';
    if (!isQuiet) printLines(stderr, [formatProgressLine(outcome, finished().length, series.length)]);
  };

  try {
    const waiting = await sortOut({ series, names, manifest, request, report, signal });
    await runAll(waiting, request, { signal, report });
  } catch (error) {
    await results?.finish();
    if (!signal.aborted) throw error;
    const { done } = countsOf(finished());
    printLines(stderr, [
      `Interrupted: ${String(done)} of ${String(series.length)} series are done, and stay so: ` +
        'the same command goes on with the rest.',
    ]);
    return ExitCode.interrupted;
  }
  await results?.finish();
  const batch = { outcomes: finished(), manifest, outputDir, ignoredFiles };
  if (json) printJson(stdout, toBatchDocument(batch));
  else if (!quiet) printLines(stdout, [...describeBatch(batch), ...(csv === undefined ? [] : [`wrote ${csv}`])]);
  return countsOf(finished()).failed > 0 ? ExitCode.someFailed : ExitCode.done;
}

/** Opens the files of the inputs but what lies in the output folder, which is made.
 * @throws InputError `invalid-arguments`, `file-not-found`; EnvironmentError `file-not-writable` */
async function openInputs({ inputs, outputDir, csv }: BatchRequest): Promise<LocalFile[]> {
  const files = inputs.flatMap((input) => {
    const own = openFiles([input]);
    // Of several inputs each has its name before those of its files, so that no two are one.
    return inputs.length === 1
      ? own
      : own.map((file) => ({ ...file, name: `${basename(resolve(input))}/${file.name}` }));
  });
  await mkdir(outputDir, { recursive: true }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EnvironmentError('file-not-writable', `The folder ${outputDir} cannot be made: ${reason}.`, {
      remedy: 'Name a folder that can be made and written to.',
      cause,
    });
  });
  const folder = await realpath(outputDir);
  for (const input of inputs) {
    if (isWithin(folder, await realpath(input))) {
      throw new InputError('invalid-arguments', `The output folder ${outputDir} holds the input ${input}.`, {
        remedy: 'Name a folder of its own for the outputs; it may be new, and lie in the input.',
      });
    }
  }
  if (csv !== undefined) {
    assertNotAnInput([csv], inputs);
    await assertWritable(csv);
    await assertKeepsImages([csv], files);
  }
  await assertWritable(join(outputDir, 'segmentation.dcm'));
  const seen = new Set<string>();
  return files.filter(({ realPath }) => {
    if (isWithin(folder, realPath) || seen.has(realPath)) return false;
    seen.add(realPath);
    return true;
  });
}

interface WaitingSeries {
  readonly at: number;
  readonly series: BatchSeries;
  readonly names: OutputNames;
  readonly fingerprint: string;
}

interface SortingTask {
  readonly series: readonly BatchSeries[];
  readonly names: readonly OutputNames[];
  readonly manifest: ModelManifest;
  readonly request: BatchRequest;
  readonly report: (at: number, outcome: SeriesOutcome) => void;
  readonly signal: AbortSignal;
}

/** Reports what needs no run: no images, nothing for the model, unreadable, done before, corrected since.
 * @returns the rest */
async function sortOut({ series, names, manifest, request, report, signal }: SortingTask): Promise<WaitingSeries[]> {
  const waiting: WaitingSeries[] = [];
  for (const [at, one] of series.entries()) {
    signal.throwIfAborted();
    const own = names[at];
    if (own === undefined) throw new RangeError('every series has names');
    const skipped = one.skipped ?? (request.force ? undefined : unsuited(one, manifest));
    if (one.failed) report(at, { series: one, names: own, status: 'failed', problem: one.failed });
    else if (skipped) report(at, { series: one, names: own, status: 'skipped', problem: skipped });
    else {
      const fingerprint = fingerprintOf(one, own, manifest, request);
      const earlier = await findEarlierOutput(request.outputDir, own, fingerprint);
      if (earlier?.kind === 'same') {
        report(at, { series: one, names: own, status: 'done', report: earlier.report, doneBefore: true });
      } else if (earlier?.kind === 'changed' && !request.overwrite) {
        report(at, { series: one, names: own, status: 'done', changed: earlier.output });
      } else waiting.push({ at, series: one, names: own, fingerprint });
    }
  }
  return waiting;
}

/** Before its pixels are read, as the pipeline says it after. */
function unsuited(series: BatchSeries, manifest: ModelManifest): Problem | undefined {
  const { mismatches } = checkModel(manifest, series);
  if (mismatches.length === 0) return undefined;
  return {
    code: 'model-mismatch',
    message: `The model ${manifest.id} is not for this image: ${mismatches.join('; ')}.`,
    remedy: 'Choose a model for this image; if the image describes itself wrongly, go on in spite of that.',
    option: 'force',
  };
}

/** Runs `jobs` processes, each of which takes the next series when it has done one.
 * @throws what opening the model fails with; the signal's reason */
async function runAll(
  waiting: readonly WaitingSeries[],
  request: BatchRequest,
  { signal, report }: Pick<SortingTask, 'signal' | 'report'>,
): Promise<void> {
  const queue = [...waiting];
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const lanes = Array.from({ length: Math.min(request.jobs, queue.length) }, async () => {
    let worker: SeriesProcess | undefined;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (worker === undefined || worker.hasEnded) worker = await openSeriesProcess(request, stop);
        report(next.at, await runOne(next, worker, request, stop));
      }
    } catch (error) {
      failure.abort(error);
      throw error;
    } finally {
      await worker?.close();
    }
  });
  await Promise.allSettled(lanes);
  stop.throwIfAborted();
}

async function runOne(
  { series, names, fingerprint }: WaitingSeries,
  worker: SeriesProcess,
  batch: BatchRequest,
  signal: AbortSignal,
): Promise<SeriesOutcome> {
  try {
    const request = requestFor(series, names, batch);
    await mkdir(dirname(request.output), { recursive: true });
    for (const name of [names.segmentation, names.report]) await assertWritable(join(batch.outputDir, name));
    return { series, names, status: 'done', report: await worker.segment(request, fingerprint) };
  } catch (error) {
    signal.throwIfAborted();
    const problem = isSegmentationError(error) ? problemOf(error) : unexpected(error);
    return { series, names, status: problem.code === 'model-mismatch' ? 'skipped' : 'failed', problem };
  }
}

function requestFor(
  { files, archiveEntries, leftOutFiles, seriesInstanceUID, phase }: BatchSeries,
  { segmentation, report, format }: OutputNames,
  { outputDir, model, image, segEncoding, backend, threads, tta, force }: BatchRequest,
): SegmentCommand {
  return {
    inputs: files.map(({ realPath }) => realPath),
    model,
    output: join(outputDir, segmentation),
    format,
    segEncoding: format === 'dicom-seg' ? segEncoding : { segType: 'binary', compress: false },
    report: join(outputDir, report),
    image: {
      ...(image.resample && { resample: true }),
      ...(image.limits && { limits: image.limits }),
      ...(phase !== undefined && { phase }),
      ...(seriesInstanceUID !== undefined && { seriesInstanceUID }),
      ...(archiveEntries && { archiveEntries }),
    },
    leftOutFiles,
    backend,
    ...(threads !== undefined && { threads }),
    tta,
    force,
    quiet: true,
  };
}

function unexpected(error: unknown): Problem {
  const message = `Something went wrong that should not: ${error instanceof Error ? error.message : String(error)}`;
  return { code: 'internal', message, remedy: 'Please report it, with the output of the single series under DEBUG=1.' };
}

function noImages(ignoredFiles: number): InputError {
  return new InputError('no-images', 'The input has no DICOM or NIfTI file outside the output folder.', {
    remedy: 'Pass a folder with DICOM series, or with .nii or .nii.gz files, at any depth.',
    details: { ignoredFiles },
  });
}
