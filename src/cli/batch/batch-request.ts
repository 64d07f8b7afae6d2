import { segmentSpec } from '../commands.ts';
import { type OutputFormat, type SegEncoding, softwareVersion } from '../encode-labelmap.ts';
import { assertAbsent, assertExtension, type NodeBackendId, parseBackendId, parseThreads } from '../segment-request.ts';
import { type CommandArguments, invalidArguments } from '../parse-arguments.ts';
import { type ImageOptions, parseImageOptions, parseSegEncoding } from '../read-options.ts';
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../../models/load-model.ts';
import type { ModelManifest } from '../../models/manifest.ts';
import { type SegmentationReport, segmentationReportSchema } from '../documents.ts';
import type { ChangedOutput } from './results.ts';
import type { BatchSeries, OutputNames } from './find-series.ts';

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
  readonly backend: NodeBackendId;
  /** Of each job. */
  readonly threads?: number;
  readonly tta: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
}

const MAX_JOBS = 64;
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
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= MAX_JOBS) return jobs;
  throw invalidArguments(segmentSpec, `--jobs is a whole number from 1 to ${String(MAX_JOBS)}, not ${text}`);
}

/** What decides a series' output, as one hash: its files by name, size and time of change, the model's manifest (which
 * names the SHA-256 of its weights), the options, and the version of the software. */
export function fingerprintOf(
  { files, archiveEntries, leftOutFiles, seriesInstanceUID, phase }: BatchSeries,
  { format }: OutputNames,
  manifest: ModelManifest,
  { segEncoding, image, backend, tta }: BatchRequest,
): string {
  const inputs = files.map(({ name, byteLength, realPath }) => {
    const { mtimeNs } = statSync(realPath, { bigint: true });
    return [name, byteLength, String(mtimeNs)];
  });
  const options = [format, segEncoding.segType, segEncoding.compress, image.resample === true, backend, tta];
  const beside = leftOutFiles.map(({ name }) => name);
  const decisive = [
    inputs,
    archiveEntries,
    beside,
    seriesInstanceUID,
    phase,
    canonicalJson(manifest),
    options,
    softwareVersion(),
  ];
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

/** What lies in the place of a series' output: what an earlier run made of the same, or what somebody made of it since. */
export type EarlierOutput =
  | { readonly kind: 'same'; readonly report: SegmentationReport }
  | { readonly kind: 'changed'; readonly output: ChangedOutput };

/** Of a report by any version: what tells whether the output is still the one that was written. */
const writtenSchema = z.looseObject({
  outputs: z.looseObject({ segmentation: z.looseObject({ path: z.string(), sha256: z.string() }) }),
  segments: z.array(z.looseObject({ segmentNumber: z.number(), segmentLabel: z.string() })),
  input: z
    .looseObject({
      geometry: segmentationReportSchema.shape.input.shape.geometry.optional().catch(undefined),
      leftOutFiles: z.array(z.unknown()).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** Looks for what an earlier run made of a series. Work of hands is kept, whatever the run would be made of now.
 * @returns undefined if the output is to be made: it is missing, damaged, of other files or options, or without its report */
export async function findEarlierOutput(
  outputDir: string,
  { segmentation, report }: OutputNames,
  fingerprint: string,
): Promise<EarlierOutput | undefined> {
  const document = await readFile(join(outputDir, report), 'utf8').then(parseJson, () => undefined);
  const written = writtenSchema.safeParse(document);
  const path = join(outputDir, segmentation);
  const bytes = await readFile(path).catch(() => undefined);
  if (!written.success || bytes === undefined) return undefined;
  const { outputs, segments, input } = written.data;
  // Of several formats in one folder the report is that of the latest.
  if (basename(outputs.segmentation.path) !== basename(segmentation)) return undefined;
  if (createHash('sha256').update(bytes).digest('hex') !== outputs.segmentation.sha256) {
    const labels = new Map(segments.map(({ segmentNumber, segmentLabel }) => [segmentNumber, segmentLabel]));
    const { readChangedOutput } = await import('./results.ts');
    const output = await readChangedOutput(path, {
      labels,
      geometry: input?.geometry,
      isSeriesIncomplete: (input?.leftOutFiles ?? []).length > 0,
    });
    return output && { kind: 'changed', output };
  }
  const parsed = segmentationReportSchema.safeParse(document);
  return parsed.success && parsed.data.fingerprint === fingerprint ? { kind: 'same', report: parsed.data } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
