import { segmentSpec } from './commands.ts';
import { type OutputFormat, outputFormatOf, type SegEncoding } from './encode-labelmap.ts';
import { type CommandArguments, type CommandSpec, invalidArguments } from './parse-arguments.ts';
import { incompleteNotice, type LeftOutFile } from '../series/find-series.ts';
import { type ImageOptions, parseImageOptions, parseSegEncoding, readers, warningsFor } from './read-options.ts';
import type { InferenceBackend } from '../inference/backend.ts';
import { segSourceOf } from '../seg/dicom-seg-sources.ts';
import { type LocalFile, openFiles } from '../node/files.ts';
import { readVolume, readVolumeOrPhase, type ReadVolumeResult } from '../series/read-volume.ts';
import type { Notice, SourceSeries, Volume } from '../volume/volume.ts';
import { regridVolume } from '../labelmap/regrid.ts';
import { resolve } from 'node:path';
import { InputError } from '../errors.ts';
import { INSTALL_NATIVE_RUNTIME, isNativeRuntimeInstalled } from '../node/process.ts';
import { linkTarget } from '../node/write-file.ts';

/** What `slicewise segment` was asked for, checked as far as it can be without reading anything. */
export interface SegmentCommand {
  readonly inputs: readonly string[];
  readonly model: string;
  readonly output: string;
  readonly format: OutputFormat;
  readonly segEncoding: SegEncoding;
  readonly preview?: string;
  readonly report?: string;
  readonly reference?: string;
  readonly image: ImageOptions;
  /** Files that a search in advance left out beside the series, which the inputs do not name. */
  readonly leftOutFiles?: readonly LeftOutFile[];
  readonly backend: NodeBackendId;
  readonly threads?: number;
  readonly tta: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
}

const MAX_THREADS = 256;

/** @throws InputError `invalid-arguments` */
export function parseSegmentRequest({ positionals, options }: CommandArguments<typeof segmentSpec>): SegmentCommand {
  const { model = '', output, preview, report, reference, threads } = options;
  if (output === undefined)
    throw invalidArguments(
      segmentSpec,
      '--output is missing',
      'Name the file to write, or with --output-dir a folder for every series.',
    );
  assertAbsent(options, BATCH_OPTIONS, 'is for --output-dir');
  const format = outputFormatOf(output, 'segment');
  assertExtension('preview', preview, '.png');
  assertExtension('report', report, '.json');
  const request: SegmentCommand = {
    inputs: positionals,
    model,
    output,
    format,
    segEncoding: parseSegEncoding(segmentSpec, options, format),
    ...(preview !== undefined && { preview }),
    ...(report !== undefined && { report }),
    ...(reference !== undefined && { reference }),
    image: parseImageOptions(segmentSpec, options),
    backend: parseBackendId(options.backend, segmentSpec),
    ...(threads !== undefined && { threads: parseThreads(threads) }),
    tta: options.tta === true,
    force: options.force === true,
    quiet: options.quiet === true,
  };
  assertNotAnInput(outputsOf(request), positionals);
  return request;
}

/** The files that will be written. */
function outputsOf({ output, preview, report }: SegmentCommand): string[] {
  return [output, preview, report].filter((path) => path !== undefined);
}

export function parseThreads(text: string): number {
  const threads = Number(text);
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return threads;
  throw invalidArguments(segmentSpec, `--threads is a whole number from 1 to ${String(MAX_THREADS)}, not ${text}`);
}

const BATCH_OPTIONS = ['format', 'csv', 'jobs', 'overwrite', 'json'] as const;

/** @throws InputError `invalid-arguments` if one of some options was given */
export function assertAbsent<Option extends string>(
  options: Readonly<Partial<Record<Option, unknown>>>,
  names: readonly Option[],
  why: string,
): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given !== undefined) throw invalidArguments(segmentSpec, `--${given} ${why}`);
}

export function assertExtension(option: string, path: string | undefined, extension: string): void {
  if (path === undefined || path.toLowerCase().endsWith(extension)) return;
  throw invalidArguments(
    segmentSpec,
    `--${option} writes a file that ends in ${extension}, not ${path}`,
    `Name it with ${extension} at the end.`,
  );
}

export type NodeBackendId = 'node' | 'wasm';

/** @param given what --backend says; by default the native runtime where it is installed, else WebAssembly
 * @throws InputError `invalid-arguments` */
export function parseBackendId(given: string | undefined, spec: CommandSpec): NodeBackendId {
  if (given === undefined) return isNativeRuntimeInstalled() ? 'node' : 'wasm';
  if (given === 'node') return 'node';
  if (given === 'wasm') return 'wasm';
  throw invalidArguments(spec, `There is no backend ${given}`, 'Use --backend node or --backend wasm.');
}

/** What to tell a user for whom WebAssembly was chosen, because the native runtime is not there: once a command. */
export function backendNotices(given: string | undefined, chosen: NodeBackendId): Notice[] {
  if (given !== undefined || chosen === 'node') return [];
  const message =
    'onnxruntime-node is not installed; WebAssembly runs in its place, which takes several times as long. ' +
    `For the native runtime: ${INSTALL_NATIVE_RUNTIME}. To choose WebAssembly without this message: --backend wasm.`;
  return [{ code: 'native-runtime-missing', message }];
}

/** Each runs its models in a thread of its own. Loads only the backend that was asked for. */
export async function openBackend(id: NodeBackendId, threads?: number): Promise<InferenceBackend> {
  const { createNodeBackend, createWasmThreadBackend } = await import('../node/ort-threads.ts');
  if (id === 'wasm') return createWasmThreadBackend();
  return createNodeBackend(threads === undefined ? {} : { threads });
}

export interface SegmentInput {
  readonly volume: Volume;
  /** For a DICOM-SEG: the series that it refers to, whose grid is the volume's. */
  readonly source?: SourceSeries;
  readonly warnings: readonly Notice[];
  readonly ignoredFiles: number;
  /** Files beside the series that could not be read and may belong to it. */
  readonly leftOutFiles: readonly LeftOutFile[];
}

/** Reads the series, and the reference of an input that is no DICOM series; refuses here what could not be written
 * after the inference. An image with a reference is put in the reference's voxel order: a model that takes slices as
 * they were acquired then sees those of the scanner, whatever a NIfTI writer made of them.
 * @throws InputError `source-not-dicom`, `source-without-identity`, `geometry-mismatch`, `invalid-arguments` if an
 * output would replace one of the images, and the readers' own */
export async function readSegmentInput(request: SegmentCommand, signal: AbortSignal): Promise<SegmentInput> {
  const { inputs, format, reference: referencePath, image } = request;
  const options = { readers, signal, ...image };
  const files = openFiles(inputs);
  const referenceFiles = referencePath === undefined ? [] : openFiles([referencePath]);
  await assertKeepsImages(outputsOf(request), [...files, ...referenceFiles]);
  const read = withLeftOut(
    await (referencePath === undefined ? readVolume : readVolumeOrPhase)(files, options),
    request,
  );
  const needsReference = format === 'dicom-seg' && read.volume.source === undefined;
  const notices = [...warningsFor(format, read.warnings), ...unusedOptions(request, needsReference)];
  if (!needsReference || referencePath === undefined) {
    const source = format === 'dicom-seg' ? segSourceOf(read.volume) : undefined;
    return { ...read, ...(source && { source }), warnings: notices };
  }
  const { volume: reference, warnings, leftOutFiles } = await readVolumeOrPhase(referenceFiles, options);
  const source = segSourceOf(reference);
  // What NIfTI does not say, the series it was made from does.
  const { modality, bodyPartExamined } = { ...reference, ...read.volume };
  const volume = {
    ...regridVolume(read.volume, reference.geometry),
    ...(modality && { modality }),
    ...(bodyPartExamined && { bodyPartExamined }),
  };
  return {
    ...read,
    volume,
    source,
    leftOutFiles: [...read.leftOutFiles, ...leftOutFiles],
    warnings: [...notices, ...warnings],
  };
}

/** What a search in advance left out, as this one would have done it. */
function withLeftOut(read: ReadVolumeResult, { leftOutFiles = [] }: SegmentCommand): ReadVolumeResult {
  if (leftOutFiles.length === 0) return read;
  return { ...read, warnings: [...read.warnings, incompleteNotice(leftOutFiles)], leftOutFiles };
}

function unusedOptions({ reference, backend, threads }: SegmentCommand, needsReference: boolean): Notice[] {
  const notices: Notice[] = [];
  if (reference !== undefined && !needsReference) {
    notices.push({
      code: 'reference-not-used',
      message: '--reference was not used: only a DICOM-SEG of an input that is no DICOM series itself needs one.',
    });
  }
  if (backend === 'wasm' && threads !== undefined && threads > 1) {
    notices.push({ code: 'threads-not-used', message: '--threads was not used: WebAssembly has one thread in Node.' });
  }
  return notices;
}

/** Checks that no output would replace a file that is named as an input, or another output.
 * @throws InputError `invalid-arguments` */
export function assertNotAnInput(outputs: readonly string[], inputs: readonly string[]): void {
  const taken = new Set(inputs.map(identity));
  for (const output of outputs) {
    const place = identity(output);
    if (taken.has(place)) throw wouldReplace(output, 'an input or another output');
    taken.add(place);
  }
}

/** Checks that no output would replace an image in a folder that is read. What else lies there may be replaced: a
 * preview, a report, the DICOM-SEG of an earlier run.
 * @throws InputError `invalid-arguments` */
export async function assertKeepsImages(outputs: readonly string[], files: readonly LocalFile[]): Promise<void> {
  for (const output of outputs) {
    const place = identity(output);
    const file = files.find(({ realPath }) => realPath === place);
    if (file !== undefined && (await isImage(file))) throw wouldReplace(output, 'an image of the input');
  }
}

async function isImage(file: LocalFile): Promise<boolean> {
  const { volumeReaders } = await import('../series/find-series.ts');
  const { isDicomSeg } = await import('./read-labelmap.ts');
  const head = await file.readHead(352);
  return volumeReaders.some((reader) => reader.accepts(head, file.name)) && !(await isDicomSeg(file));
}

function wouldReplace(output: string, what: string): InputError {
  return new InputError('invalid-arguments', `${output} would replace ${what}.`, {
    remedy: 'Give every output a name of its own.',
    details: { output },
  });
}

/** A circle of links is no file: what would be written there says so. */
function identity(path: string): string {
  try {
    return linkTarget(path);
  } catch {
    return resolve(path);
  }
}
