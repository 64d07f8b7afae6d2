import { createRequire } from 'node:module';
import type Dcmjs from 'dcmjs';

/** What PS3.6 says of an attribute. */
export interface DictionaryEntry {
  readonly keyword: string;
  /** `ox` is OB or OW; `xs` is US or SS; `lt` is US, SS or OW: see {@link file://./value-representation.ts}. */
  readonly vr: string;
}

type Dictionary = typeof Dcmjs.data.DicomMetaDictionary.dictionary;
let loaded: Dictionary | undefined;

/** Loaded when it is first asked: the library takes 70 MB in each thread, and most files say their representations. */
function dictionary(): Dictionary {
  loaded ??= (createRequire(import.meta.url)('dcmjs') as typeof Dcmjs).data.DicomMetaDictionary.dictionary;
  return loaded;
}

/** Groups and elements that repeat (PS3.6 section 6): overlays, curves, variable pixel data; source image IDs. */
const REPEATING_GROUPS: readonly (readonly [first: number, last: number, key: string])[] = [
  [0x5000, 0x50ff, '5000-50FF'],
  [0x6000, 0x60ff, '6000-60FF'],
  [0x7f00, 0x7fdf, '7F00-7FFF'],
];

/** The entry of a standard attribute; undefined if there is none.
 * @param tag eight hexadecimal digits in capitals */
export function dictionaryEntry(tag: string): DictionaryEntry | undefined {
  const group = tag.slice(0, 4);
  const element = tag.slice(4);
  const number = parseInt(group, 16);
  const repeated = REPEATING_GROUPS.find(([first, last]) => number >= first && number <= last && number % 2 === 0);
  return (
    entryOf(`(${group},${element})`) ??
    (repeated === undefined ? undefined : entryOf(`(${repeated[2]},${element})`)) ??
    (group === '0020' && element.startsWith('31') ? entryOf('(0020,3100-31FF)') : undefined)
  );
}

/** The representation of a private attribute that vendors have made known; undefined for any other.
 * @param creator the value of its Private Creator (PS3.5 7.8.1) */
export function privateRepresentation(tag: string, creator: string): string | undefined {
  const key = (element: string): string => `(${tag.slice(0, 4)},"${creator}",${element})`;
  const element = tag.slice(6);
  // The list has both letter cases.
  const vr = (dictionary()[key(element)] ?? dictionary()[key(element.toLowerCase())])?.vr;
  return vr !== undefined && /^[A-Z]{2}$/.test(vr) ? vr : undefined;
}

/** The tag of an attribute that is named by its keyword, or by its tag in hexadecimal digits; undefined if it is
 * neither. */
export function tagOf(keywordOrTag: string): string | undefined {
  return /^[0-9a-f]{8}$/i.test(keywordOrTag) ? keywordOrTag.toUpperCase() : tagsOfKeywords().get(keywordOrTag);
}

/** Where dcmjs's list is behind PS3.6 (2025). */
const CORRECTED_VRS: Readonly<Record<string, string | undefined>> = {
  '(0066,0040)': 'OL',
  '(0066,0041)': 'OL',
  '(0066,0042)': 'OL',
  '(0066,0043)': 'OL',
  '(0068,62F0)': 'SQ',
  '(0070,150C)': 'UL',
  '(0076,0034)': 'SQ',
};

function entryOf(key: string): DictionaryEntry | undefined {
  const entry = dictionary()[key];
  if (entry?.name === undefined || entry.vr === undefined) return undefined;
  const vr = CORRECTED_VRS[key] ?? entry.vr;
  return { keyword: entry.name.replace(/^RETIRED_/, ''), vr: vr === 'up' ? 'UL' : vr };
}

let byKeyword: ReadonlyMap<string, string> | undefined;

function tagsOfKeywords(): ReadonlyMap<string, string> {
  byKeyword ??= new Map(
    Object.entries(dictionary()).flatMap(([key, entry]) => {
      const [, group, element] = /^\(([0-9A-F]{4}),([0-9A-F]{4})\)$/.exec(key) ?? [];
      if (group === undefined || element === undefined || entry?.name === undefined) return [];
      return [[entry.name.replace(/^RETIRED_/, ''), `${group}${element}`] as const];
    }),
  );
  return byKeyword;
}
