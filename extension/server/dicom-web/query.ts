import { attribute, pick, textOf, type JsonDataset } from './dicom-json.ts';
import type { StoredInstance } from './study-index.ts';
import { INSTANCE_ATTRIBUTES, SERIES_ATTRIBUTES, STUDY_ATTRIBUTES, Tag } from './tags.ts';

/** The rows of a query for studies, newest first.
 * @see DICOM PS3.18 10.6 */
export function queryStudies(instances: readonly StoredInstance[], parameters: URLSearchParams): JsonDataset[] {
  const rows = groupBy(instances, ({ studyInstanceUID }) => studyInstanceUID).map(studyRow);
  const byDate = rows.toSorted((a, b) =>
    (textOf(b, Tag.StudyDate) ?? '').localeCompare(textOf(a, Tag.StudyDate) ?? ''),
  );
  return page(byDate.filter(matcher(parameters)), parameters);
}

/** The rows of a query for the series of a study. */
export function querySeries(instances: readonly StoredInstance[], parameters: URLSearchParams): JsonDataset[] {
  const rows = groupBy(instances, ({ seriesInstanceUID }) => seriesInstanceUID).map(seriesRow);
  return page(rows.filter(matcher(parameters)), parameters);
}

/** The rows of a query for instances. */
export function queryInstances(instances: readonly StoredInstance[], parameters: URLSearchParams): JsonDataset[] {
  const rows = instances.map(({ attributes }) => pick(attributes, INSTANCE_ATTRIBUTES));
  return page(rows.filter(matcher(parameters)), parameters);
}

function studyRow(instances: readonly StoredInstance[]): JsonDataset {
  const series = groupBy(instances, ({ seriesInstanceUID }) => seriesInstanceUID);
  const modalities = new Set(series.flatMap(([first]) => textOf(first?.attributes ?? {}, Tag.Modality) ?? []));
  return {
    ...pick(instances[0]?.attributes ?? {}, STUDY_ATTRIBUTES),
    [Tag.ModalitiesInStudy]: attribute('CS', ...modalities),
    [Tag.NumberOfStudyRelatedSeries]: attribute('IS', series.length),
    [Tag.NumberOfStudyRelatedInstances]: attribute('IS', instances.length),
  };
}

function seriesRow(instances: readonly StoredInstance[]): JsonDataset {
  return {
    ...pick(instances[0]?.attributes ?? {}, SERIES_ATTRIBUTES),
    [Tag.NumberOfSeriesRelatedInstances]: attribute('IS', instances.length),
  };
}

function groupBy(
  instances: readonly StoredInstance[],
  keyOf: (instance: StoredInstance) => string,
): StoredInstance[][] {
  const groups = new Map<string, StoredInstance[]>();
  for (const instance of instances) {
    const group = groups.get(keyOf(instance));
    if (group === undefined) groups.set(keyOf(instance), [instance]);
    else group.push(instance);
  }
  return [...groups.values()];
}

/** Whether a row has all that is asked for. Keys that are no attribute of the row do not restrict it (10.6.1.2). */
function matcher(parameters: URLSearchParams): (row: JsonDataset) => boolean {
  const wanted = [...parameters].map(([key, value]) => [TAG_OF_KEYWORD[key] ?? key.toUpperCase(), value] as const);
  return (row) =>
    wanted.every(([tag, value]) => {
      const found = row[tag];
      return found === undefined || value === '' || matches(found.vr, valuesOf(row, tag), value);
    });
}

const TAG_OF_KEYWORD: Readonly<Record<string, string>> = {
  StudyDate: '00080020',
  StudyTime: '00080030',
  AccessionNumber: '00080050',
  ModalitiesInStudy: '00080061',
  ReferringPhysicianName: '00080090',
  StudyDescription: '00081030',
  PatientName: '00100010',
  PatientID: '00100020',
  StudyInstanceUID: '0020000D',
  StudyID: '00200010',
  Modality: '00080060',
  SeriesInstanceUID: '0020000E',
  SeriesNumber: '00200011',
  SeriesDescription: '0008103E',
  SOPClassUID: '00080016',
  SOPInstanceUID: '00080018',
  InstanceNumber: '00200013',
};

function valuesOf(row: JsonDataset, tag: string): string[] {
  return (row[tag]?.Value ?? []).map(
    (_, at) => textOf({ [tag]: { vr: '', Value: [row[tag]?.Value?.[at]] } }, tag) ?? '',
  );
}

/** PS3.4 C.2.2.2: lists of UIDs, ranges of dates and times, wild cards in the rest, letter case ignored. */
function matches(vr: string, values: readonly string[], wanted: string): boolean {
  if (vr === 'UI') return wanted.split(/[,\\]/).some((uid) => values.includes(uid.trim()));
  if (vr === 'DA' || vr === 'TM') {
    const [from = '', to = ''] = wanted.includes('-') ? wanted.split('-') : [wanted, wanted];
    return values.some((value) => (from === '' || value >= from) && (to === '' || value.slice(0, to.length) <= to));
  }
  const pattern = wildcard(wanted);
  return values.length === 0 ? pattern.test('') : values.some((value) => pattern.test(value));
}

function wildcard(wanted: string): RegExp {
  const source = wanted
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    // A run of stars is one star: many of them would take time that grows with each.
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'is');
}

function page<T>(rows: readonly T[], parameters: URLSearchParams): T[] {
  const offset = wholeNumber(parameters.get('offset')) ?? 0;
  const limit = wholeNumber(parameters.get('limit')) ?? rows.length;
  return rows.slice(offset, offset + limit);
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
