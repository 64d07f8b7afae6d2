import { segmentSpec } from './commands.ts';
import { outputFormatOf, type OutputFormat, type SegEncoding } from './encode-labelmap.ts';
import { assertNotAnInput } from './output-paths.ts';
import { parseBackendId, type BackendId } from './open-backend.ts';
import { invalidArguments, type CommandArguments } from './parse-arguments.ts';
import type { LeftOutFile } from '../series/find-series.ts';
import { parseImageOptions, type ImageOptions } from './read-options.ts';
import { parseSegEncoding } from './seg-options.ts';

/** What `slicewise segment` was asked for, checked as far as it can be without reading anything. */
export interface SegmentRequest {
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
  readonly backend: BackendId;
  readonly threads?: number;
  readonly tta: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
}

const MOST_THREADS = 256;

/** @throws InputError `invalid-arguments` */
export function parseSegmentRequest({ positionals, options }: CommandArguments<typeof segmentSpec>): SegmentRequest {
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
  const request: SegmentRequest = {
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
export function outputsOf({ output, preview, report }: SegmentRequest): string[] {
  return [output, preview, report].filter((path) => path !== undefined);
}

export function parseThreads(text: string): number {
  const threads = Number(text);
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads;
  throw invalidArguments(segmentSpec, `--threads is a whole number from 1 to ${String(MOST_THREADS)}, not ${text}`);
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
