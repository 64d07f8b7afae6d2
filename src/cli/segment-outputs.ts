import { measureSegments, type SegmentMeasure } from '../labelmap/measure.ts';
import type { SegmentationResult } from '../labelmap/segmentation-result.ts';
import { nameEdges, wholenessOf, type Wholeness } from '../labelmap/wholeness.ts';
import { writeFilesTogether } from '../node/write-file.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { encodeVerified } from './encode-labelmap.ts';
import { formatCount, formatJson } from './print.ts';
import { reportOf, type SegmentOutcome, type SegmentTimes } from './segment-report.ts';

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
