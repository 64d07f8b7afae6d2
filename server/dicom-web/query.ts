import { attribute, inOrder, pick, textOf, type JsonAttribute, type JsonDataset } from './dicom-json.ts';
import { parseQueryParameters, type Filter, type QueryParameters } from './query-parameters.ts';
import type { Resource } from './resource-path.ts';
import type { StoredInstance } from './known-file.ts';
import { INDEXED_TAGS, INSTANCE_ATTRIBUTES, OPTIONAL_TAGS, SERIES_ATTRIBUTES, STUDY_ATTRIBUTES, Tag } from './tags.ts';
import { matchesValue } from './value-matching.ts';

/** The rows that answer a query, and what of it was not heeded. */
export interface QueryResult {
  readonly rows: readonly QueryRow[];
  /** In words, for Warning headers. */
  readonly warnings: readonly string[];
  /** Attributes that the rows shall have and the index does not keep. */
  readonly missingFields: ReadonlySet<string>;
}

interface QueryRow {
  readonly dataset: JsonDataset;
  /** One that the row tells of. */
  readonly instance: StoredInstance;
}

/** Answers a query for studies (newest first), series or instances.
 * @param instances that the path names
 * @param hasStudy whether the path names a study: otherwise rows tell of the study too (PS3.18 10.6.3.3)
 * @param urlOf the address of what a row tells of
 * @throws HttpError 400
 * @see DICOM PS3.18 10.6 */
export function query(
  instances: readonly StoredInstance[],
  { level, study, series }: Pick<Resource, 'level' | 'study' | 'series'>,
  parameters: URLSearchParams,
  urlOf: (study: string, series?: string, instance?: string) => string,
): QueryResult {
  const parsed = parseQueryParameters(parameters, (tag) => INDEXED_TAGS.has(tag) || GATHERED[level].has(tag));
  const tags = {
    ...(level === 'study' || study === undefined ? STUDY_ATTRIBUTES : {}),
    ...(level === 'series' || (level === 'instance' && series === undefined) ? SERIES_ATTRIBUTES : {}),
    ...(level === 'instance' ? INSTANCE_ATTRIBUTES : {}),
  };
  const groups = groupBy(instances, (instance) => instance[UID_OF_LEVEL[level]]);
  const rows = groups.flatMap((group): QueryRow[] => {
    const [first] = group;
    if (first === undefined) return [];
    const url = urlOf(
      first.studyInstanceUID,
      level === 'study' ? undefined : first.seriesInstanceUID,
      level === 'instance' ? first.sopInstanceUID : undefined,
    );
    const row = {
      ...pick(first.attributes, tags, OPTIONAL_TAGS),
      ...gathered(level, group),
      [Tag.RetrieveURL]: attribute('UR', url),
    };
    if (!hasAll(row, group, parsed.filters)) return [];
    return [{ dataset: withFields(row, first.attributes, level, parsed.includeFields), instance: first }];
  });
  return paged(level === 'study' ? rows.toSorted(newestFirst) : rows, parsed);
}

const UID_OF_LEVEL = {
  study: 'studyInstanceUID',
  series: 'seriesInstanceUID',
  instance: 'sopInstanceUID',
} as const;

/** What a row says of all its instances together. */
const GATHERED: Readonly<Record<Resource['level'], ReadonlySet<string>>> = {
  study: new Set([
    Tag.ModalitiesInStudy,
    Tag.SOPClassesInStudy,
    Tag.NumberOfStudyRelatedSeries,
    Tag.NumberOfStudyRelatedInstances,
  ]),
  series: new Set([Tag.NumberOfSeriesRelatedInstances]),
  instance: new Set(),
};

function gathered(level: Resource['level'], instances: readonly StoredInstance[]): JsonDataset {
  if (level === 'instance') return {};
  if (level === 'series') return { [Tag.NumberOfSeriesRelatedInstances]: attribute('IS', instances.length) };
  const each = (tag: string): Set<string> =>
    new Set(instances.flatMap(({ attributes }) => textOf(attributes, tag) ?? []));
  return {
    [Tag.ModalitiesInStudy]: attribute('CS', ...each(Tag.Modality)),
    [Tag.SOPClassesInStudy]: attribute('UI', ...each(Tag.SOPClassUID)),
    [Tag.NumberOfStudyRelatedSeries]: attribute('IS', new Set(instances.map((one) => one.seriesInstanceUID)).size),
    [Tag.NumberOfStudyRelatedInstances]: attribute('IS', instances.length),
  };
}

/** A key that is not of the row's level is looked for in its instances: one of them must have all of these. */
function hasAll(row: JsonDataset, instances: readonly StoredInstance[], filters: readonly Filter[]): boolean {
  const ofRow = filters.filter(({ tag }) => row[tag] !== undefined);
  const ofInstance = filters.filter(({ tag }) => row[tag] === undefined);
  return (
    ofRow.every((filter) => matches(row[filter.tag], filter)) &&
    (ofInstance.length === 0 ||
      instances.some(({ attributes }) => ofInstance.every((filter) => matches(attributes[filter.tag], filter))))
  );
}

function matches(found: JsonAttribute | undefined, { wanted }: Filter): boolean {
  return wanted.some((value) => matchesValue(found?.vr ?? 'LO', found?.Value ?? [], value));
}

/** The row with what else is asked for of its level and those above it, as far as the index has it. */
function withFields(
  row: JsonDataset,
  attributes: JsonDataset,
  level: Resource['level'],
  fields: ReadonlySet<string>,
): JsonDataset {
  const allowed: Readonly<Record<string, string>> = {
    ...STUDY_ATTRIBUTES,
    ...(level === 'study' ? {} : SERIES_ATTRIBUTES),
  };
  const more = [...fields].flatMap((tag) => {
    const found = tag in allowed ? attributes[tag] : undefined;
    return found === undefined ? [] : [[tag, found] as const];
  });
  return inOrder({ ...Object.fromEntries(more), ...row });
}

function paged(rows: readonly QueryRow[], { offset, limit, ignored, includeFields }: QueryParameters): QueryResult {
  const page = rows.slice(offset, offset + limit);
  const left = rows.length - offset - page.length;
  return {
    rows: page,
    warnings: [...ignored, ...(left > 0 ? [`There are ${left} additional results that can be requested`] : [])],
    missingFields: new Set([...includeFields].filter((tag) => !INDEXED_TAGS.has(tag))),
  };
}

function newestFirst(a: QueryRow, b: QueryRow): number {
  const when = ({ dataset }: QueryRow): string =>
    `${textOf(dataset, Tag.StudyDate) ?? ''} ${textOf(dataset, Tag.StudyTime) ?? ''}`;
  return when(a) === when(b) ? 0 : when(a) < when(b) ? 1 : -1;
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
