import { InputError, isSegmentationError, type Problem } from '../../errors.ts';
import { formatCsv, type SegmentationBatchDocument, type SegmentationReport } from '../documents.ts';
import { incompleteNotice } from '../../series/find-series.ts';
import type { Notice } from '../../volume/volume.ts';
import type { BatchSeries, OutputNames } from './find-series.ts';
import { writeFilesTogether } from '../../node/write-file.ts';
import { measureSegments, type PatientSide, type Wholeness, wholenessOf } from '../../labelmap/measure.ts';
import type { Labelmap } from '../../labelmap/labelmap.ts';
import { regridLabelmap } from '../../labelmap/regrid.ts';
import { openFiles } from '../../node/files.ts';
import type { VolumeGeometry } from '../../volume/geometry.ts';
import { readLabelmap, unnamedSegments } from '../read-labelmap.ts';

/** What became of one series. */
export interface SeriesOutcome {
  readonly series: BatchSeries;
  readonly names: OutputNames;
  readonly status: 'done' | 'failed' | 'skipped';
  /** Of a done one. */
  readonly report?: SegmentationReport;
  /** Whether an earlier run did it. */
  readonly doneBefore?: true;
  /** Of a done one in place of its report: it was changed since it was written, and kept. */
  readonly changed?: ChangedOutput;
  /** Why it failed or was skipped. */
  readonly problem?: Problem;
}

const COLUMNS = [
  'series_instance_uid',
  'path',
  'phase',
  'status',
  'segment_number',
  'segment_label',
  'volume_ml',
  'voxels',
  'touches_border',
  'mean_uncertainty',
  'mean_slice_uncertainty',
  'slices',
  'seconds',
  'output',
  'left_out_files',
  'warnings',
  'error_code',
  'message',
  'model',
  'model_version',
  'model_sha256',
  'manifest_sha256',
] as const;

/** A line a series and segment, one a series that has none; the same for any number of jobs, but for the seconds. */
export function resultsCsv(
  outcomes: readonly SeriesOutcome[],
  model: { readonly id: string; readonly version: string },
): string {
  const rows = outcomes.flatMap(({ series, names, status, report, changed, problem }) => {
    const common = {
      series_instance_uid: series.seriesInstanceUID,
      path: series.path,
      phase: series.phase,
      status,
      left_out_files: series.leftOutFiles.map(({ name }) => name).join('; '),
      warnings: warningsOf({ series, report, changed })
        .map(({ code }) => code)
        .join(' '),
      error_code: problem?.code,
      message: problem?.message,
      model: model.id,
      model_version: model.version,
    };
    if (changed !== undefined) {
      const output = { ...common, output: names.segmentation };
      return changed.segments.length === 0
        ? [output]
        : changed.segments.map((segment) => ({
            ...output,
            ...sizeOf(segment),
            touches_border: segment.touchesBorder?.join(' '),
          }));
    }
    if (report === undefined) return [common];
    const perSlice = report.uncertaintyPerSlice;
    const wasRun = perSlice.filter((value) => value !== null);
    return report.segments.map((segment) => ({
      ...common,
      ...sizeOf(segment),
      touches_border: segment.touchesBorder.join(' '),
      mean_uncertainty: rounded(segment.meanUncertainty),
      mean_slice_uncertainty: rounded(meanOf(wasRun)),
      model_sha256: report.model.sha256,
      manifest_sha256: report.model.manifestSha256,
      slices: perSlice.length,
      seconds: (report.durationsMs.total / 1000).toFixed(2),
      output: names.segmentation,
    }));
  });
  return formatCsv(COLUMNS, rows);
}

function sizeOf({ segmentNumber, segmentLabel, volumeMl, voxelCount }: ChangedOutput['segments'][number]) {
  return {
    segment_number: segmentNumber,
    segment_label: segmentLabel,
    volume_ml: rounded(volumeMl),
    voxels: voxelCount,
  };
}

/** The report of a series says what its search found, too. */
export function warningsOf({
  series,
  report,
  changed,
}: Pick<SeriesOutcome, 'series'> & {
  readonly report?: SegmentationReport | undefined;
  readonly changed?: ChangedOutput | undefined;
}): readonly Notice[] {
  if (report !== undefined) return report.warnings;
  return [
    ...(series.leftOutFiles.length > 0 ? [incompleteNotice(series.leftOutFiles)] : []),
    ...(changed === undefined ? [] : [CHANGED_SINCE]),
  ];
}

/** None of no slices. */
function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Seven digits: more than any of it is worth, and no tails of binary fractions. */
function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(7));
}

export type BatchCounts = SegmentationBatchDocument['counts'];

export function countsOf(outcomes: readonly SeriesOutcome[]): BatchCounts {
  const count = (status: SeriesOutcome['status']): number => outcomes.filter((one) => one.status === status).length;
  return {
    done: count('done'),
    doneBefore: outcomes.filter(({ doneBefore }) => doneBefore === true).length,
    changedSince: outcomes.filter(({ changed }) => changed !== undefined).length,
    incomplete: outcomes.filter(({ status, series }) => status === 'done' && series.leftOutFiles.length > 0).length,
    failed: count('failed'),
    skipped: count('skipped'),
  };
}

export function toSeriesDocument(outcome: SeriesOutcome): SegmentationBatchDocument['series'][number] {
  const { series, names, status, report, doneBefore, changed, problem } = outcome;
  return {
    ...(series.seriesInstanceUID !== undefined && { seriesInstanceUID: series.seriesInstanceUID }),
    path: series.path,
    ...(series.phase !== undefined && { phase: series.phase }),
    status,
    ...(doneBefore && { doneBefore }),
    ...(changed && {
      changedSince: true as const,
      output: names.segmentation,
      report: names.report,
      ...(changed.segments.length > 0 && { segments: changed.segments.map(toSegmentDocument) }),
    }),
    ...(report && {
      output: names.segmentation,
      report: names.report,
      segments: report.segments.map(({ meanUncertainty, ...segment }) => ({
        segmentNumber: segment.segmentNumber,
        segmentLabel: segment.segmentLabel,
        voxelCount: segment.voxelCount,
        volumeMl: segment.volumeMl,
        isLowerBound: segment.isLowerBound,
        touchesBorder: segment.touchesBorder,
        ...(meanUncertainty !== undefined && { meanUncertainty }),
      })),
      durationMs: report.durationsMs.total,
    }),
    ...(series.leftOutFiles.length > 0 && { leftOutFiles: series.leftOutFiles.map((file) => ({ ...file })) }),
    warnings: warningsOf(outcome).map(({ code, message }) => ({ code, message })),
    ...(problem && { problem: { ...problem } }),
  };
}

function toSegmentDocument({ touchesBorder, ...segment }: ChangedOutput['segments'][number]) {
  return { ...segment, ...(touchesBorder && { touchesBorder: [...touchesBorder] }) };
}

/** A file that is written again and again while its content grows, each time as a whole. */
export interface ResultsFile {
  /** Writes the content of now, unless that was done a moment ago. */
  update(): void;
  /** Writes the last content. @throws EnvironmentError `file-not-writable` */
  finish(): Promise<void>;
}

/** To write a table of a thousand series anew for each of them would take longer than the shortest of them. */
const MIN_INTERVAL_MS = 1000;

export function createResultsFile(path: string, content: () => string): ResultsFile {
  let writtenAt = -Infinity;
  let writing: Promise<unknown> = Promise.resolve();
  const write = (): Promise<unknown> =>
    writeFilesTogether((stage) => stage(path, [new TextEncoder().encode(content())]));
  return {
    update() {
      if (performance.now() - writtenAt < MIN_INTERVAL_MS) return;
      writtenAt = performance.now();
      // Where it fails now, it may not at the end, which says so.
      writing = writing.then(write).catch(() => undefined);
    },
    async finish() {
      await writing;
      await write();
    },
  };
}

/** A labelmap in the place of an output that is not the one which was written there: somebody corrected it. */
export interface ChangedOutput {
  /** Its own figures. What the run said of its certainty is of another labelmap. */
  readonly segments: readonly ChangedSegment[];
}

interface ChangedSegment {
  readonly segmentNumber: number;
  readonly segmentLabel: string;
  readonly voxelCount: number;
  readonly volumeMl: number;
  /** Absent where the grid of the images is not known. */
  readonly isLowerBound?: boolean;
  readonly touchesBorder?: readonly PatientSide[];
}

/** What the report of the run says, which the file itself may not. */
export interface EarlierReport {
  /** Labels of the segments, by number. */
  readonly labels: ReadonlyMap<number, string>;
  /** The grid of the images: a DICOM-SEG need not have all of their slices. */
  readonly geometry?: Omit<VolumeGeometry, 'frameOfReferenceUID'> | undefined;
  /** Files beside the series could not be read and may belong to it. */
  readonly isSeriesIncomplete: boolean;
}

export const CHANGED_SINCE: Notice = {
  code: 'changed-since',
  message:
    'The output was changed since it was written, so it is kept, and its figures are those of now. ' +
    '--overwrite has it made again.',
};

/** Reads what lies in the place of an output.
 * @returns undefined if that is no labelmap (any more): empty, cut off, damaged */
export async function readChangedOutput(
  path: string,
  { labels, geometry, isSeriesIncomplete }: EarlierReport,
): Promise<ChangedOutput | undefined> {
  try {
    // Where segments overlap, which of them has the voxels is no reason not to keep the work.
    const { labelmap } = await readLabelmap(openFiles([path]), { overlap: 'first' });
    const isUnnamed = labelmap.segments.length === 0;
    const named = isUnnamed ? { ...labelmap, segments: unnamedSegments(labelmap.voxels) } : labelmap;
    const labelOf = new Map(named.segments.map(({ segmentNumber, segmentLabel }) => [segmentNumber, segmentLabel]));
    const wholeness = geometry === undefined ? undefined : wholenessOn(named, geometry, isSeriesIncomplete);
    const segments = measureSegments(named).map(({ segmentNumber, voxelCount, volumeMl }, at) => ({
      segmentNumber,
      segmentLabel: (isUnnamed ? labels.get(segmentNumber) : undefined) ?? labelOf.get(segmentNumber) ?? '',
      voxelCount,
      volumeMl,
      ...boundsOf(wholeness?.[at]),
    }));
    return { segments };
  } catch (error) {
    if (!isSegmentationError(error)) throw error;
    // What this version or this user cannot read may be somebody's work all the same.
    const isDamaged =
      error instanceof InputError && !error.code.startsWith('unsupported') && error.code !== 'limit-exceeded';
    return isDamaged ? undefined : { segments: [] };
  }
}

/** Undefined where the labelmap lies on another grid. */
function wholenessOn(
  labelmap: Labelmap,
  geometry: VolumeGeometry,
  isSeriesIncomplete: boolean,
): Wholeness[] | undefined {
  try {
    return wholenessOf(regridLabelmap(labelmap, geometry), { isSeriesIncomplete });
  } catch (error) {
    if (isSegmentationError(error)) return undefined;
    throw error;
  }
}

function boundsOf(wholeness: Wholeness | undefined): Pick<ChangedSegment, 'isLowerBound' | 'touchesBorder'> {
  if (wholeness === undefined) return {};
  return { isLowerBound: wholeness.reasons.length > 0, touchesBorder: wholeness.touchesBorder };
}
