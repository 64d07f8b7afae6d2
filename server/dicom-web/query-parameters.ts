import { HttpError } from '../http-error.ts';
import { dictionaryEntry, tagOf } from './attribute-dictionary.ts';
import { isWhen } from './value-matching.ts';

/** What a query asks for (PS3.18 8.3.4, 10.6.1.2). */
export interface QueryParameters {
  readonly filters: readonly Filter[];
  readonly limit: number;
  readonly offset: number;
  /** Attributes that the rows shall have besides. */
  readonly includeFields: ReadonlySet<string>;
  /** What was not heeded, in words for a Warning header. */
  readonly ignored: readonly string[];
}

export interface Filter {
  readonly tag: string;
  /** Any of them. */
  readonly wanted: readonly string[];
}

/** Of the request, not of the query. */
const OTHER_PARAMETERS = new Set(['accept', 'charset']);

/** Parses the parameters of a query.
 * @param canFilter whether rows can be told by an attribute
 * @throws HttpError 400 for dates and times that are none */
export function parseQueryParameters(
  parameters: URLSearchParams,
  canFilter: (tag: string) => boolean,
): QueryParameters {
  const filters = new Map<string, string[]>();
  const includeFields = new Set<string>();
  const ignored: string[] = [];
  let limit = Infinity;
  let offset = 0;
  for (const [name, value] of parameters) {
    const key = name.toLowerCase();
    if (OTHER_PARAMETERS.has(key)) continue;
    if (key === 'limit' || key === 'offset') {
      const number = wholeNumber(value);
      if (number === undefined) ignored.push(`${key} is not a whole number, and was ignored`);
      else if (key === 'limit') limit = number;
      else offset = number;
    } else if (key === 'includefield') {
      for (const field of value.split(',').map((each) => each.trim())) {
        // Rows have all that is known of their level.
        if (field === '' || field === 'all') continue;
        const tag = tagOf(field);
        if (tag !== undefined && isTopLevel(tag)) includeFields.add(tag);
        else ignored.push(`${printable(field)} is not an attribute that rows can include`);
      }
    } else if (key === 'fuzzymatching') {
      if (value === 'true') ignored.push('fuzzymatching is not supported: only literal matching has been performed');
    } else if (key === 'emptyvaluematching' || key === 'multiplevaluematching') {
      // Both are always understood.
    } else {
      const tag = tagOf(name);
      if (tag === undefined || !canFilter(tag)) ignored.push(`${printable(name)} is not a key here, and was ignored`);
      else filters.set(tag, [...(filters.get(tag) ?? []), checked(tag, value)]);
    }
  }
  return {
    filters: [...filters].map(([tag, wanted]) => ({ tag, wanted })),
    limit,
    offset,
    includeFields,
    ignored: [...new Set(ignored)],
  };
}

function isTopLevel(tag: string): boolean {
  return !tag.startsWith('0002') && !tag.startsWith('7FE0') && !tag.endsWith('0000');
}

function checked(tag: string, value: string): string {
  const { vr, keyword = 'A key' } = dictionaryEntry(tag) ?? {};
  if ((vr === 'DA' || vr === 'TM') && !isWhen(vr, value)) {
    const written = vr === 'DA' ? 'a date (YYYYMMDD)' : 'a time (HHMMSS)';
    throw new HttpError(400, `${keyword} is ${written}, or a range of two with a hyphen between them.`);
  }
  return value;
}

/** A header holds no other characters than these. */
function printable(name: string): string {
  return /^[\w.]{1,64}$/.test(name) ? name : 'a parameter';
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
