import { bordersTouched } from '../labelmap/borders.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import { measureSegments, type SegmentMeasure } from '../labelmap/measure.ts';
import type { SegmentationResult } from '../labelmap/segmentation-result.ts';
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
  return writeFilesTogether(
    async (stage) => {
      const { parts, description, warnings } = await encodeVerified(result.labelmap, request.format, {
        source: input.source,
        origin: result.provenance,
        space: input.volume.niftiSpace,
        segEncoding: request.segEncoding,
      });
      const segmentation = await stage(request.output, parts);
      const preview =
        request.preview === undefined
          ? undefined
          : await stage(request.preview, [await drawPreview(input.volume, result, measures)]);
      const outcome: SegmentOutcome = {
        ...made,
        measures,
        segmentation,
        description,
        outputWarnings: [...warnings, ...borderNotices(result.labelmap)],
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

/** Volumes of what may go on outside the image are not of the whole. */
function borderNotices(labelmap: Labelmap): Notice[] {
  const sides = new Map<number, string[]>();
  for (const { segmentNumber, side } of bordersTouched(labelmap)) {
    sides.set(segmentNumber, [...(sides.get(segmentNumber) ?? []), side]);
  }
  return labelmap.segments.flatMap(({ segmentNumber, segmentLabel }) => {
    const touched = sides.get(segmentNumber);
    if (touched === undefined) return [];
    const message = `${segmentLabel} touches the border of the image (${touched.join(', ')}): its volume may not be whole.`;
    return [{ code: 'touches-border', message }];
  });
}

async function drawPreview(
  volume: Volume,
  { labelmap, uncertainty, provenance }: SegmentationResult,
  measures: readonly SegmentMeasure[],
): Promise<Uint8Array> {
  const { renderPreview } = await import('../node/preview.ts');
  const { dimensions, spacing } = volume.geometry;
  const size = `${formatCount(dimensions[2], 'slice')} of ${String(dimensions[0])} × ${String(dimensions[1])}`;
  const millimetres = spacing.map((mm) => Number(mm.toFixed(2))).join(' × ');
  return renderPreview({
    volume,
    labelmap,
    title: provenance.modelTitle,
    subtitle: `${provenance.modelId} ${provenance.modelVersion} · ${size}, ${millimetres} mm · Research use only`,
    volumesMl: new Map(measures.map(({ segmentNumber, volumeMl }) => [segmentNumber, volumeMl])),
    uncertaintyPerSlice: uncertainty.perSlice,
  });
}
