import { trimEnd } from '../../src/dicom/datasets.ts';
import { matchesWildcard } from './wildcard.ts';

/** A value of an attribute matches a value that a query asks for (PS3.4 C.2.2.2): UIDs and codes from a list, numbers by
 * value, dates and times by range, the groups of a name each, wild cards in the rest. Letter case is ignored.
 * @param values of the attribute, as the DICOM JSON model has them
 * @param wanted empty or `*` matches anything, `""` what has no value */
export function matchesValue(vr: string, values: readonly unknown[], wanted: string): boolean {
  const present = values.filter((value) => value !== null);
  const separator = LISTED_VRS.has(vr) ? /[\\,]/ : /\\/;
  const alternatives = wanted.split(separator).map((each) => each.trim());
  const asked = alternatives.filter((each) => each !== '');
  if (asked.length === 0) return true;
  return asked.some((each) => {
    if (isUniversal(each)) return true;
    if (each === '""') return present.length === 0;
    return present.some((value) => matchesOne(vr, value, each));
  });
}

/** Representations whose values have no commas, so that a comma parts alternatives, as a backslash does everywhere. */
const LISTED_VRS = new Set(['UI', 'CS', 'IS', 'DS', 'US', 'SS', 'UL', 'SL', 'AS', 'DA', 'TM', 'DT']);

function matchesOne(vr: string, value: unknown, wanted: string): boolean {
  if (vr === 'PN') return typeof value === 'object' && value !== null && matchesName({ ...value }, wanted);
  const text = String(value);
  switch (vr) {
    case 'UI':
      return text === wanted;
    case 'IS':
    case 'DS':
    case 'US':
      return Number(wanted) === Number(text);
    case 'DA':
    case 'TM':
      return matchesWhen(vr, text, wanted);
    default:
      return matchesWildcard(text, wanted);
  }
}

function isUniversal(wanted: string): boolean {
  for (const character of wanted) if (character !== '*') return false;
  return true;
}

const GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;

/** A name without groups is looked for in every group; one with groups, group by group (PS3.5 6.2.1.1). */
function matchesName(name: Readonly<Record<string, unknown>>, wanted: string): boolean {
  const groups = wanted.split('=');
  const valueOf = (group: string): string => (typeof name[group] === 'string' ? name[group] : '');
  if (groups.length === 1) return GROUPS.some((group) => matchesGroup(valueOf(group), wanted));
  return groups.every((group, at) => group === '' || matchesGroup(valueOf(GROUPS[at] ?? ''), group));
}

/** Components that are missing at the end are empty, whether their carets are written or not. */
function matchesGroup(value: string, wanted: string): boolean {
  const asked = trimCarets(wanted);
  const bare = trimCarets(value);
  if (bare === '') return false;
  return matchesWildcard(bare, asked) || matchesWildcard(padCarets(bare), asked);
}

const COMPONENTS = 5;

function padCarets(group: string): string {
  return group + '^'.repeat(Math.max(0, COMPONENTS - group.split('^').length));
}

function trimCarets(group: string): string {
  return trimEnd(group, '^ ');
}

/** Dates and times as spans of digits: one of less precision spans all that begins with it. */
function matchesWhen(vr: 'DA' | 'TM', value: string, wanted: string): boolean {
  if (wanted.includes('*') || wanted.includes('?')) return matchesWildcard(value, wanted);
  const stored = spanOf(vr, value);
  const range = rangeOf(vr, wanted);
  if (stored === undefined || range === undefined) return false;
  return stored.last >= range.first && stored.first <= range.last;
}

interface Span {
  readonly first: string;
  readonly last: string;
}

/** Whether a query can ask for a date or time in these words. */
export function isWhen(vr: 'DA' | 'TM', wanted: string): boolean {
  const isWild = wanted.includes('*') || wanted.includes('?');
  return isWild || wanted.split(/[\\,]/).every((each) => each.trim() === '' || rangeOf(vr, each.trim()) !== undefined);
}

/** A value, or a range: `from-to`, `from-`, `-to` (PS3.4 C.2.2.2.5). */
function rangeOf(vr: 'DA' | 'TM', wanted: string): Span | undefined {
  if (wanted === '""') return { first: '', last: '' };
  const whole = spanOf(vr, wanted);
  if (whole !== undefined) return whole;
  const parts = wanted.split('-');
  // Dates with hyphens have two on each side.
  const half = parts.length === 2 ? 1 : parts.length === 6 ? 3 : parts.length === 4 ? (parts[0] === '' ? 1 : 3) : 0;
  if (half === 0) return undefined;
  const [from, to] = [parts.slice(0, half).join('-').trim(), parts.slice(half).join('-').trim()];
  const first = from === '' ? '' : spanOf(vr, from)?.first;
  const last = to === '' ? '~' : spanOf(vr, to)?.last;
  return first === undefined || last === undefined || (from === '' && to === '') ? undefined : { first, last };
}

/** YYYY, YYYYMM, YYYYMMDD; HH, HHMM, HHMMSS, with a fraction of six digits; of ACR-NEMA and ISO 8601, with separators. */
const WRITTEN = {
  DA: [/^\d{4}(?:\d\d){0,2}$/, /^\d{4}\.\d\d\.\d\d$/, /^\d{4}-\d\d-\d\d$/],
  TM: [/^\d\d(?:\d\d){0,2}$/, /^\d{6}\.\d{1,6}$/, /^\d\d:\d\d(?::\d\d)?$/, /^\d\d:\d\d:\d\d\.\d{1,6}$/],
} as const;
const DIGITS = { DA: 8, TM: 12 } as const;

function spanOf(vr: 'DA' | 'TM', text: string): Span | undefined {
  const trimmed = text.trim();
  if (!WRITTEN[vr].some((pattern) => pattern.test(trimmed))) return undefined;
  const digits = trimmed.replaceAll(/[^\d]/g, '');
  return { first: digits.padEnd(DIGITS[vr], '0'), last: digits.padEnd(DIGITS[vr], '9') };
}
