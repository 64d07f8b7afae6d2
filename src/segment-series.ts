import type { InferenceBackend } from './inference/backend.ts';
import type { SegmentationResult } from './labelmap/segmentation-result.ts';
import type { LoadedModel } from './models/load-model.ts';
import { readVolume, type ReadVolumeOptions } from './series/read-volume.ts';
import type { SourceFile } from './io/reader.ts';
import type { Volume } from './volume/volume.ts';
import { segmentVolume, type SegmentVolumeOptions } from './pipeline/segment-volume.ts';

export interface SegmentSeriesOptions
  extends
    Omit<SegmentVolumeOptions, 'session'>,
    Pick<ReadVolumeOptions, 'readers' | 'seriesInstanceUID' | 'phase' | 'resample' | 'limits'> {
  readonly backend: InferenceBackend;
  readonly model: LoadedModel;
}

/** Reads one series or file, segments it, and closes the model again; the readers' warnings come first in the result's.
 * @throws what readVolume, openSession and segmentVolume throw */
export async function segmentSeries(
  files: readonly SourceFile[],
  options: SegmentSeriesOptions,
): Promise<{ readonly volume: Volume; readonly result: SegmentationResult }> {
  const { backend, model, readers, seriesInstanceUID, phase, resample, limits, ...rest } = options;
  const { volume, warnings } = await readVolume(files, {
    ...(readers && { readers }),
    ...(seriesInstanceUID !== undefined && { seriesInstanceUID }),
    ...(phase !== undefined && { phase }),
    ...(resample !== undefined && { resample }),
    ...(limits && { limits }),
    ...(rest.signal && { signal: rest.signal }),
  });
  const session = await backend.openSession(model);
  try {
    const result = await segmentVolume(volume, { ...rest, session });
    return { volume, result: { ...result, warnings: [...warnings, ...result.warnings] } };
  } finally {
    await session.dispose();
  }
}
