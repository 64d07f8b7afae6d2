import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelManifest } from '../../models/manifest.ts';
import { segmentationReportSchema, type SegmentationReport } from '../documents.ts';
import { softwareVersion } from '../software-version.ts';
import type { BatchRequest } from './batch-request.ts';
import type { FoundSeries } from './find-series.ts';
import type { OutputNames } from './output-names.ts';

/** What decides a series' output, as one hash: its files by name, size and time of change, the model, the options, and
 * the version of the software. */
export function fingerprintOf(
  { files, archiveEntries, leftOutFiles, seriesInstanceUID, phase }: FoundSeries,
  { format }: OutputNames,
  { id, version, file }: ModelManifest,
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
    id,
    version,
    file.sha256,
    options,
    softwareVersion(),
  ];
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

/** The report of an earlier run that made a series' output of the same: where the output is there and unchanged.
 * @returns undefined if it is to be made */
export async function doneBefore(
  outputDir: string,
  { segmentation, report }: OutputNames,
  fingerprint: string,
): Promise<SegmentationReport | undefined> {
  try {
    const parsed = segmentationReportSchema.safeParse(JSON.parse(await readFile(join(outputDir, report), 'utf8')));
    if (!parsed.success || parsed.data.fingerprint !== fingerprint) return undefined;
    const bytes = await readFile(join(outputDir, segmentation));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return sha256 === parsed.data.outputs.segmentation.sha256 ? parsed.data : undefined;
  } catch {
    return undefined; // missing, or no JSON: both mean that it is to be made
  }
}
