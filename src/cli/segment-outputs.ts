import { measureSegments, nameEdges, type SegmentMeasure, type Wholeness, wholenessOf } from '../labelmap/measure.ts';
import { meanUncertainty, type SegmentationResult } from '../labelmap/segmentation-result.ts';
import { type StagedFile, writeFilesTogether } from '../node/write-file.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { encodeVerified } from './encode-labelmap.ts';
import { formatCount, formatJson, formatMl, formatSize, formatTable, RESEARCH_USE_ONLY } from './print.ts';
import { type SegmentationReport, toGeometryDocument } from './documents.ts';
import type { SegmentInput, SegmentCommand } from './segment-request.ts';

/** Writes labelmap, preview and report: all of them, or none. */
export async function writeSegmentOutputs(
  made: Pick<SegmentOutcome, 'request' | 'input' | 'result' | 'licence' | 'fingerprint'> & {
    readonly times: SegmentTimes;
  },
  signal: AbortSignal,
): Promise<SegmentOutcome> {
  const { request, input, result } = made;
  const begin = performance.now();
  const measures = measureSegments(result.labelmap);
  const isSeriesIncomplete = input.leftOutFiles.length > 0;
  const wholeness = wholenessOf(result.labelmap, {
    source: input.source ?? input.volume.source,
    slicesRun: result.provenance.slicesRun,
    isSeriesIncomplete,
  });
  return writeFilesTogether(
    async (stage) => {
      const { parts, description, warnings } = await encodeVerified(result.labelmap, request.format, {
        source: input.source,
        origin: result.provenance,
        space: input.volume.niftiSpace,
        isSeriesIncomplete,
        segEncoding: request.segEncoding,
      });
      const segmentation = await stage(request.output, parts);
      const preview =
        request.preview === undefined
          ? undefined
          : await stage(request.preview, [await drawPreview(input.volume, result, measures, wholeness)]);
      const outcome: SegmentOutcome = {
        ...made,
        measures,
        wholeness,
        segmentation,
        description,
        outputWarnings: [...warnings, ...borderNotices(result, wholeness)],
        ...(preview && { preview }),
        times: { ...made.times, writeMs: performance.now() - begin },
      };
      if (request.report === undefined) return outcome;
      const document = reportOf(outcome);
      await stage(request.report, [new TextEncoder().encode(formatJson(document))]);
      return { ...outcome, document };
    },
    { signal },
  );
}

/** Volumes of what may go on outside the images are not of the whole. */
function borderNotices({ labelmap, provenance }: SegmentationResult, wholeness: readonly Wholeness[]): Notice[] {
  const where = provenance.slicesRun === undefined ? 'the images' : 'the slices that were run';
  return wholeness.flatMap(({ touchesBorder }, at) => {
    if (touchesBorder.length === 0) return [];
    const label = labelmap.segments[at]?.segmentLabel ?? '';
    const message = `${label} touches ${nameEdges(touchesBorder)} of ${where}: it may go on there, and its volume is a lower bound.`;
    return [{ code: 'touches-border', message }];
  });
}

async function drawPreview(
  volume: Volume,
  { labelmap, uncertainty, provenance }: SegmentationResult,
  measures: readonly SegmentMeasure[],
  wholeness: readonly Wholeness[],
): Promise<Uint8Array> {
  const { renderPreview } = await import('./preview/preview.ts');
  const { dimensions, spacing } = volume.geometry;
  const size = `${formatCount(dimensions[2], 'slice')} of ${String(dimensions[0])} × ${String(dimensions[1])}`;
  const millimetres = spacing.map((mm) => Number(mm.toFixed(2))).join(' × ');
  return renderPreview({
    volume,
    labelmap,
    title: provenance.modelTitle,
    subtitle: `${provenance.modelId} ${provenance.modelVersion} · ${size}, ${millimetres} mm · Research use only`,
    volumesMl: new Map(measures.map(({ segmentNumber, volumeMl }) => [segmentNumber, volumeMl])),
    lowerBounds: new Set(
      wholeness.filter(({ reasons }) => reasons.length > 0).map(({ segmentNumber }) => segmentNumber),
    ),
    uncertaintyPerSlice: uncertainty.perSlice,
  });
}

export interface SegmentTimes {
  readonly startedAt: Date;
  /** When that was by performance.now(). */
  readonly beganMs: number;
  readonly readMs: number;
  readonly loadMs: number;
  readonly segmentMs: number;
}

/** Everything that a report or a summary tells of. */
export interface SegmentOutcome {
  readonly request: SegmentCommand;
  readonly input: SegmentInput;
  readonly result: SegmentationResult;
  readonly licence: string;
  readonly measures: readonly SegmentMeasure[];
  /** Of each segment, as the measures. */
  readonly wholeness: readonly Wholeness[];
  readonly segmentation: StagedFile;
  /** "DICOM-SEG BINARY, 34 frames". */
  readonly description: string;
  readonly outputWarnings: readonly Notice[];
  readonly preview?: StagedFile;
  /** What a later run compares before it does the same again. */
  readonly fingerprint?: string;
  readonly times: SegmentTimes & { readonly writeMs: number };
  /** The report that was written. */
  readonly document?: SegmentationReport;
}

/** What `--report` writes; its times end where it is made. */
function reportOf(outcome: SegmentOutcome): SegmentationReport {
  const { request, input, result, measures, wholeness, segmentation, preview, times, outputWarnings } = outcome;
  const { seriesInstanceUID } = input.volume.source ?? {};
  const { modality, bodyPartExamined, geometry } = input.volume;
  const { provenance } = result;
  const totalMs = performance.now() - times.beganMs;
  const uncertainties = meanUncertainty(result);
  const uncertaintyOf = (segmentNumber: number): { meanUncertainty?: number } => {
    const mean = uncertainties.get(segmentNumber);
    return mean === undefined ? {} : { meanUncertainty: mean };
  };
  return {
    schemaVersion: 1,
    notice: RESEARCH_USE_ONLY,
    software: { name: 'slicewise', version: provenance.softwareVersion },
    startedAt: times.startedAt.toISOString(),
    input: {
      ...(seriesInstanceUID !== undefined && { seriesInstanceUID }),
      ...(modality !== undefined && { modality }),
      ...(bodyPartExamined !== undefined && { bodyPartExamined }),
      geometry: toGeometryDocument(geometry),
      ignoredFiles: input.ignoredFiles,
      leftOutFiles: input.leftOutFiles.map((file) => ({ ...file })),
    },
    model: {
      id: provenance.modelId,
      version: provenance.modelVersion,
      title: provenance.modelTitle,
      licence: outcome.licence,
      sha256: provenance.modelSha256,
      manifestSha256: provenance.manifestSha256,
    },
    backend: {
      id: request.backend,
      ...threadsOf(request),
      perSlice: [...provenance.backendPerSlice],
      viewsPerSlice: provenance.viewsPerSlice,
    },
    segments: measures.map(({ segmentNumber, voxelCount, volumeMl, centroid }, at) => ({
      segmentNumber,
      segmentLabel: result.labelmap.segments[at]?.segmentLabel ?? '',
      segmentedPropertyType: result.labelmap.segments[at]?.segmentedPropertyType ?? UNKNOWN_CODE,
      voxelCount,
      volumeMl,
      isLowerBound: reasonsOf(wholeness[at]).length > 0,
      touchesBorder: [...(wholeness[at]?.touchesBorder ?? [])],
      ...(centroid && { centroid: [centroid[0], centroid[1], centroid[2]] }),
      ...uncertaintyOf(segmentNumber),
    })),
    uncertaintyPerSlice: Array.from(result.uncertainty.perSlice, (value) => (Number.isNaN(value) ? null : value)),
    warnings: [...input.warnings, ...result.warnings, ...outputWarnings].map(({ code, message }) => ({
      code,
      message,
    })),
    durationsMs: {
      total: totalMs,
      read: times.readMs,
      load: times.loadMs,
      segment: times.segmentMs,
      inference: provenance.inferenceMs,
      write: times.writeMs,
      outside: Math.max(0, totalMs - provenance.inferenceMs),
    },
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    outputs: { segmentation: { ...segmentation }, ...(preview && { preview: { ...preview } }) },
    ...(outcome.fingerprint !== undefined && { fingerprint: outcome.fingerprint }),
  };
}

/** WebAssembly has one thread in Node, whatever was asked for. */
function threadsOf({ backend, threads }: SegmentCommand): { threads?: number } {
  if (backend === 'wasm') return { threads: 1 };
  return threads === undefined ? {} : { threads };
}

/** What a person is told at the end. */
export function summaryOf(outcome: SegmentOutcome): string[] {
  const { request, result, measures, wholeness, segmentation, preview, description } = outcome;
  const { modelId, modelVersion } = result.provenance;
  const rows = measures.map(({ volumeMl }, at) => [
    result.labelmap.segments[at]?.segmentLabel ?? '',
    reasonsOf(wholeness[at]).length > 0 ? `≥ ${formatMl(volumeMl)}` : formatMl(volumeMl),
  ]);
  const slices = formatCount(result.uncertainty.perSlice.length, 'slice');
  const seconds = (performance.now() / 1000).toFixed(1);
  return [
    ...(measures.every(({ voxelCount }) => voxelCount === 0) ? ['No segment was found: the labelmap is empty.'] : []),
    ...formatTable(rows).map((row, at) => [row, ...reasonsOf(wholeness[at])].join(', ')),
    ...mostUncertain(result.uncertainty.perSlice),
    `${slices} in ${seconds} s with ${modelId} ${modelVersion} on ${request.backend}`,
    `wrote ${segmentation.path} (${description}, ${formatSize(segmentation.byteLength)}, read back and compared)`,
    ...(preview ? [`wrote ${preview.path}`] : []),
    ...(request.report === undefined ? [] : [`wrote ${request.report}`]),
    RESEARCH_USE_ONLY,
  ];
}

function reasonsOf(wholeness: Wholeness | undefined): readonly string[] {
  return wholeness?.reasons ?? [];
}

/** A line of up to three slices, counted from 1 as viewers do; none where no slice was run. */
function mostUncertain(perSlice: Float32Array): string[] {
  const slices = Array.from(perSlice, (uncertainty, slice) => ({ uncertainty, slice }))
    .filter(({ uncertainty }) => !Number.isNaN(uncertainty)) // not run
    .sort((a, b) => b.uncertainty - a.uncertainty)
    .slice(0, 3)
    .map(({ uncertainty, slice }) => `slice ${String(slice + 1)} (${uncertainty.toFixed(2)})`);
  return slices.length === 0 ? [] : [`most uncertain: ${slices.join(', ')}`];
}

const UNKNOWN_CODE = { codeValue: '', codingSchemeDesignator: '', codeMeaning: '' };
