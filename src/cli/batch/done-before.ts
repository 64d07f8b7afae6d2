import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../../models/canonical-json.ts';
import type { ModelManifest } from '../../models/manifest.ts';
import { segmentationReportSchema, type SegmentationReport } from '../documents.ts';
import { softwareVersion } from '../software-version.ts';
import type { BatchRequest } from './batch-request.ts';
import type { ChangedOutput } from './changed-output.ts';
import type { FoundSeries } from './find-series.ts';
import type { OutputNames } from './output-names.ts';

/** What decides a series' output, as one hash: its files by name, size and time of change, the model's manifest (which
 * names the SHA-256 of its weights), the options, and the version of the software. */
export function fingerprintOf(
  { files, archiveEntries, leftOutFiles, seriesInstanceUID, phase }: FoundSeries,
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
    const { readChangedOutput } = await import('./changed-output.ts');
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
