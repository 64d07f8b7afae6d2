import { segmentSpec } from '../commands.ts';
import type { OutputFormat, SegEncoding } from '../encode-labelmap.ts';
import { parseBackendId, type BackendId } from '../open-backend.ts';
import { invalidArguments, type CommandArguments } from '../parse-arguments.ts';
import { parseImageOptions, type ImageOptions } from '../read-options.ts';
import { parseSegEncoding } from '../seg-options.ts';
import { assertAbsent, assertExtension, parseThreads } from '../segment-request.ts';

/** What `slicewise segment --output-dir` was asked for. */
export interface BatchRequest {
  readonly inputs: readonly string[];
  readonly model: string;
  readonly outputDir: string;
  /** Absent: DICOM-SEG where it can refer to the images, else gzipped NIfTI. */
  readonly format?: OutputFormat;
  readonly segEncoding: SegEncoding;
  readonly csv?: string;
  /** Make again what was changed since it was written. */
  readonly overwrite: boolean;
  readonly jobs: number;
  readonly image: Omit<ImageOptions, 'seriesInstanceUID'>;
  readonly backend: BackendId;
  /** Of each job. */
  readonly threads?: number;
  readonly tta: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
}

const MOST_JOBS = 64;
const ONE_SERIES_OPTIONS = ['output', 'series', 'reference', 'preview', 'report'] as const;
const FORMATS: Readonly<Record<string, OutputFormat>> = { dcm: 'dicom-seg', nii: 'nifti', 'nii.gz': 'nifti-gzip' };

/** @param cores to divide among jobs that were not told how many threads to take
 * @throws InputError `invalid-arguments` */
export function parseBatchRequest(
  { positionals, options }: CommandArguments<typeof segmentSpec>,
  cores: number,
): BatchRequest {
  assertAbsent(options, ONE_SERIES_OPTIONS, 'is for one series, and --output-dir for all of them');
  const { model = '', 'output-dir': outputDir = '', csv } = options;
  assertExtension('csv', csv, '.csv');
  const format = options.format === undefined ? undefined : parseFormat(options.format);
  const jobs = options.jobs === undefined ? 1 : parseJobs(options.jobs);
  const threads = options.threads === undefined ? shareOf(cores, jobs) : parseThreads(options.threads);
  return {
    inputs: positionals,
    model,
    outputDir,
    ...(format && { format }),
    segEncoding: parseSegEncoding(segmentSpec, options, format ?? 'dicom-seg'),
    ...(csv !== undefined && { csv }),
    overwrite: options.overwrite === true,
    jobs,
    image: parseImageOptions(segmentSpec, options),
    backend: parseBackendId(options.backend, segmentSpec),
    ...(threads !== undefined && { threads }),
    tta: options.tta === true,
    force: options.force === true,
    quiet: options.quiet === true,
    json: options.json === true,
  };
}

/** Jobs that each took as many threads as there are cores would only wait for each other; one is left to the runtime. */
function shareOf(cores: number, jobs: number): number | undefined {
  return jobs === 1 ? undefined : Math.max(1, Math.floor(cores / jobs));
}

function parseFormat(text: string): OutputFormat {
  const format = Object.hasOwn(FORMATS, text) ? FORMATS[text] : undefined;
  if (format !== undefined) return format;
  throw invalidArguments(segmentSpec, `--format is dcm, nii or nii.gz, not ${text}`);
}

function parseJobs(text: string): number {
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  throw invalidArguments(segmentSpec, `--jobs is a whole number from 1 to ${String(MOST_JOBS)}, not ${text}`);
}
