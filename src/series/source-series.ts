import type { CopiedAttribute, Notice, SourceInstance, SourceSeries } from '../volume/volume.ts';
import type { SliceStack, StackedSlice } from './slice-stack.ts';
import { InputError } from '../errors.ts';
import type { DicomInstance } from './dicom-instance.ts';
import { folderOf, listNames } from '../io/file-names.ts';

/** What a DICOM-SEG needs to know of the series, and what is odd about it.
 * @returns no source if a UID is missing: nothing could refer to the images */
export function sourceSeriesOf({ slices, resampling }: SliceStack): { source?: SourceSeries; notices: Notice[] } {
  const [first] = slices;
  if (first === undefined) return { notices: [] };
  const { instance, header } = first;
  const notices: Notice[] = [];

  const frames = new Set(slices.map((slice) => slice.instance.frameOfReferenceUID));
  if (frames.size > 1) {
    notices.push({
      code: 'several-frames-of-reference',
      message: `The ${slices.length} slices name ${frames.size} frames of reference; as they form one regular grid, the first slice's is taken for all.`,
    });
  }
  if (slices.some((slice) => slice.instance.isInverted)) {
    notices.push({
      code: 'inverted-greyscale',
      message: 'The images are MONOCHROME1 (low values are bright); the values are used as stored.',
    });
  }
  const { attributes, emptied } = withoutInvalidDates(instance.copied);
  if (emptied.length > 0) {
    notices.push({
      code: 'invalid-date-emptied',
      message: `${emptied.join(' and ')} hold${emptied.length === 1 ? 's' : ''} no calendar date and will be left empty in what is written.`,
    });
  }
  if (slices.some((slice) => slice.header.tile !== undefined)) {
    notices.push({
      code: 'source-without-identity',
      message: 'The images are mosaics, of whose slices no DICOM-SEG can be: it would lie on the mosaic; write NIfTI.',
    });
    return { notices };
  }
  const instances = [...new Set(slices.map((slice) => slice.instance))];
  if (!hasIdentity(instances)) {
    const sopInstanceUIDs = new Set(instances.map(({ sopInstanceUID }) => sopInstanceUID));
    const what =
      sopInstanceUIDs.has('') || sopInstanceUIDs.size === instances.length
        ? 'The images lack UIDs (study, series, SOP class or SOP instance)'
        : `The ${instances.length} images share ${sopInstanceUIDs.size === 1 ? 'one SOP Instance UID' : `${sopInstanceUIDs.size} SOP Instance UIDs`}`;
    notices.push({
      code: 'source-without-identity',
      message: `${what}, so no DICOM-SEG can refer to them; write NIfTI.`,
    });
    return { notices };
  }
  const source: SourceSeries = {
    studyInstanceUID: instance.studyInstanceUID,
    seriesInstanceUID: instance.seriesInstanceUID,
    ...(instance.frameOfReferenceUID === undefined ? {} : { frameOfReferenceUID: instance.frameOfReferenceUID }),
    instances: slices.map((slice, sliceIndex): SourceInstance => ({
      sopClassUID: slice.instance.sopClassUID,
      sopInstanceUID: slice.instance.sopInstanceUID,
      ...(slice.header.frameCount === 1 ? {} : { frameNumber: slice.header.frameIndex + 1 }),
      sliceIndex,
      imagePositionPatient: slice.header.positionStrings,
    })),
    imageOrientationPatient: header.orientationStrings,
    pixelSpacing: header.pixelSpacingStrings,
    attributes,
    lossyImageCompression: slices.some((slice) => slice.instance.isLossy),
    ...lossyCompressionOf(slices),
    ...(resampling === undefined ? {} : { interpolated: { columns: header.format.columns, rows: header.format.rows } }),
  };
  return { source, notices };
}

/** Of the slice that was compressed most: the ratios of one image are those of its compressions in turn. */
function lossyCompressionOf(
  slices: readonly StackedSlice[],
): Pick<SourceSeries, 'lossyImageCompressionRatio' | 'lossyImageCompressionMethod'> {
  const overall = ({ instance }: StackedSlice): number =>
    instance.lossyRatios.reduce((product, ratio) => product * (Number(ratio) || 1), 1);
  const [worst] = slices.filter(({ instance }) => instance.isLossy).toSorted((a, b) => overall(b) - overall(a));
  if (worst === undefined) return {};
  const { lossyRatios, lossyMethods } = worst.instance;
  return {
    ...(lossyRatios.length === 0 ? {} : { lossyImageCompressionRatio: lossyRatios }),
    ...(lossyMethods.length === 0 ? {} : { lossyImageCompressionMethod: lossyMethods }),
  };
}

const DATE_ATTRIBUTES = ['PatientBirthDate', 'StudyDate'] as const satisfies readonly CopiedAttribute[];

/** A SEG with the source's invalid date would be invalid itself; an empty date is allowed (type 2). */
function withoutInvalidDates(copied: SourceSeries['attributes']) {
  const emptied = DATE_ATTRIBUTES.filter((keyword) => {
    const date = copied[keyword];
    return date !== undefined && !isCalendarDate(date);
  });
  return { attributes: { ...copied, ...Object.fromEntries(emptied.map((keyword) => [keyword, ''])) }, emptied };
}

/** DA: YYYYMMDD of a day that exists (PS3.5 6.2). */
function isCalendarDate(text: string): boolean {
  const match = /^(\d{4})(\d\d)(\d\d)$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  date.setUTCFullYear(year);
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** The files of each series, in the files' order. A series is told by Study and Series Instance UID, and where its files
 * have no Series Instance UID by their folder. One that lies in several folders as a copy is one in each: else no place in
 * it would have one image. */
export function groupBySeries(instances: readonly DicomInstance[]): (readonly DicomInstance[])[] {
  const bySeries = groupBy(instances, ({ studyInstanceUID, seriesInstanceUID, file }) =>
    seriesInstanceUID === '' ? `folder ${folderOf(file.name)}` : `${studyInstanceUID}\n${seriesInstanceUID}`,
  );
  return bySeries.flatMap((group) => (hasCopies(group) ? groupBy(group, ({ file }) => folderOf(file.name)) : [group]));
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** Whether one SOP Instance UID is in several folders, while no folder has it twice (there it tells nothing). */
function hasCopies(group: readonly DicomInstance[]): boolean {
  const foldersOf = new Map<string, string[]>();
  for (const { sopInstanceUID, file } of group) {
    if (sopInstanceUID === '') continue;
    const folders = foldersOf.get(sopInstanceUID) ?? [];
    folders.push(folderOf(file.name));
    foldersOf.set(sopInstanceUID, folders);
  }
  const repeated = [...foldersOf.values()].filter((folders) => folders.length > 1);
  return repeated.length > 0 && repeated.every((folders) => new Set(folders).size === folders.length);
}

/** Whether a DICOM-SEG can refer to each image: all UIDs are there, and each file has a SOP Instance UID of its own. */
export function hasIdentity(group: readonly DicomInstance[]): boolean {
  const isNamed = group.every(({ studyInstanceUID, seriesInstanceUID, sopClassUID, sopInstanceUID }) =>
    [studyInstanceUID, seriesInstanceUID, sopClassUID, sopInstanceUID].every((uid) => uid !== ''),
  );
  return isNamed && new Set(group.map(({ sopInstanceUID }) => sopInstanceUID)).size === group.length;
}

const PATIENT_ATTRIBUTES = ['PatientID', 'PatientName', 'PatientBirthDate', 'PatientSex'] as const;

/** @throws InputError `several-patients`, naming the attribute and a file of each, if the files of one series are not of
 * one patient; an empty value says nothing of whom it is (de-identified in part) */
export function assertOnePatient(group: readonly DicomInstance[]): void {
  for (const keyword of PATIENT_ATTRIBUTES) {
    const named = group.flatMap(({ copied, file }) => {
      const value = normalised(copied[keyword] ?? '');
      return value === '' ? [] : [{ value, name: file.name }];
    });
    const [first] = named;
    const other = named.find(({ value }) => value !== first?.value);
    if (first === undefined || other === undefined) continue;
    throw new InputError(
      'several-patients',
      `The series is not of one patient: ${keyword} of ${first.name} is another than that of ${other.name}.`,
      {
        remedy:
          'Pass the files of one patient only; two patients in one series are a mistake of the archive or the export.',
        details: { attribute: keyword, files: [first.name, other.name] },
      },
    );
  }
}

/** Names are compared without case, and without separators and padding, which archives add and remove (PS3.5 6.2.1). */
function normalised(value: string): string {
  return value
    .toUpperCase()
    .replaceAll(/[\s^=]+/g, ' ')
    .trim();
}

export function noImages(names: readonly string[] = []): InputError {
  const which = names.length === 0 ? '' : `: ${listNames(names, 3)}`;
  return new InputError(
    'no-pixel-data',
    `The DICOM files hold no images, but reports, segmentations or the like${which}.`,
    {
      remedy: 'Pass the image series itself.',
    },
  );
}
