import { InputError, type ErrorDetails } from '../errors.ts';
import type { DicomInstance } from './dicom-instance.ts';

/** By SeriesInstanceUID (empty where the files have none), in the files' order. */
export type InstancesBySeries = ReadonlyMap<string, readonly DicomInstance[]>;

/** Series with an image. A file without one in such a series is kept: there it is an error, for its slice would be
 * missing. */
export function imageSeries(instances: readonly DicomInstance[]): InstancesBySeries {
  return new Map([...groupBySeries(instances)].filter(([, group]) => group.some(({ isImage }) => isImage)));
}

/** Series of reports, segmentations and the like. */
export function seriesWithoutImage(instances: readonly DicomInstance[]): InstancesBySeries {
  return new Map([...groupBySeries(instances)].filter(([, group]) => !group.some(({ isImage }) => isImage)));
}

function groupBySeries(instances: readonly DicomInstance[]): InstancesBySeries {
  const groups = new Map<string, DicomInstance[]>();
  for (const instance of instances) {
    const group = groups.get(instance.seriesInstanceUID);
    if (group === undefined) groups.set(instance.seriesInstanceUID, [instance]);
    else group.push(instance);
  }
  return groups;
}

/** The series asked for, or the only one.
 * @throws InputError `no-pixel-data`, `several-series`, `series-not-found` */
export function chooseSeries(groups: InstancesBySeries, seriesInstanceUID?: string): readonly DicomInstance[] {
  if (groups.size === 0) {
    throw noImages();
  }
  const [only, another] = groups.values();
  if (seriesInstanceUID !== undefined) {
    const chosen = groups.get(seriesInstanceUID);
    if (chosen !== undefined) return chosen;
    throw new InputError(
      'series-not-found',
      `No image of series ${seriesInstanceUID} is in the input, which holds ${seriesList(groups)}.`,
      { remedy: 'Choose one of these series.', details: choicesOf(groups) },
    );
  }
  if (only !== undefined && another === undefined) return only;
  throw new InputError('several-series', `The input holds ${groups.size} series: ${seriesList(groups)}.`, {
    remedy: 'Choose one by its Series Instance UID.',
    details: choicesOf(groups),
  });
}

function choicesOf(groups: InstancesBySeries): ErrorDetails {
  const seriesInstanceUIDs = [...groups.keys()];
  return { option: 'series', choices: seriesInstanceUIDs, seriesInstanceUIDs };
}

export function noImages(): InputError {
  return new InputError('no-pixel-data', 'The DICOM files hold no images: reports, segmentations or the like.', {
    remedy: 'Pass the image series itself.',
  });
}

function seriesList(groups: InstancesBySeries): string {
  return [...groups]
    .map(([uid, instances]) => {
      const count = `${instances.length} image${instances.length === 1 ? '' : 's'}`;
      return `${uid || 'one without a UID'} (${instances[0]?.modality ?? 'no modality'}, ${count})`;
    })
    .join(', ');
}
