import { HttpError } from '../http-error.ts';

/** What a path below the DICOMweb root names (PS3.18 tables 10.1.1-1, 10.4.1-1, 10.6.1-1). */
export interface Resource {
  readonly kind: 'query' | 'objects' | 'metadata' | 'frames' | 'bulkdata';
  /** Of a query: what its rows are. Of what is retrieved: what the path names. */
  readonly level: 'study' | 'series' | 'instance';
  readonly study: string | undefined;
  readonly series: string | undefined;
  readonly instance: string | undefined;
  /** From 1. */
  readonly frames: readonly number[];
  /** Of bulk data: a tag, or tags with the numbers of items between them. */
  readonly value: readonly string[];
}

/** Parses the path of a resource. UIDs are taken as they are written: files have others than the standard allows.
 * @param path begins with a slash
 * @throws HttpError 404, 400 */
export function parseResourcePath(path: string): Resource {
  const [first, ...rest] = segmentsOf(path);
  const all = { ...NOTHING, kind: 'query' } as const;
  if (first === 'series' && rest.length === 0) return { ...all, level: 'series' };
  if (first === 'instances' && rest.length === 0) return { ...all, level: 'instance' };
  if (first !== 'studies') throw noResource();
  const [study, word, ...below] = rest;
  if (study === undefined) return { ...all, level: 'study' };
  const own = { ...NOTHING, study };
  if (word === undefined) return { ...own, kind: 'objects', level: 'study' };
  if (word === 'metadata' && below.length === 0) return { ...own, kind: 'metadata', level: 'study' };
  if (word === 'instances' && below.length === 0) return { ...own, kind: 'query', level: 'instance' };
  if (word === 'series') return belowSeries(own, below);
  throw noResource();
}

type Uids = Omit<Resource, 'kind' | 'level'>;

const NOTHING: Uids = { study: undefined, series: undefined, instance: undefined, frames: [], value: [] };

function belowSeries(uids: Uids, [series, word, ...below]: readonly string[]): Resource {
  if (series === undefined) return { ...uids, kind: 'query', level: 'series' };
  const own = { ...uids, series };
  if (word === undefined) return { ...own, kind: 'objects', level: 'series' };
  if (word === 'metadata' && below.length === 0) return { ...own, kind: 'metadata', level: 'series' };
  if (word === 'instances') return belowInstances(own, below);
  throw noResource();
}

function belowInstances(uids: Uids, [instance, word, ...below]: readonly string[]): Resource {
  if (instance === undefined) return { ...uids, kind: 'query', level: 'instance' };
  const own = { ...uids, instance, level: 'instance' } as const;
  const [numbers] = below;
  if (word === undefined) return { ...own, kind: 'objects' };
  if (word === 'metadata' && below.length === 0) return { ...own, kind: 'metadata' };
  if (word === 'frames' && numbers !== undefined && below.length === 1) {
    return { ...own, kind: 'frames', frames: parseFrameNumbers(numbers) };
  }
  if (word === 'bulkdata' && below.length % 2 === 1 && below.every(isStep)) {
    return { ...own, kind: 'bulkdata', value: below.map((part) => part.toUpperCase()) };
  }
  throw noResource();
}

/** Whether it is a tag at an even place, the number of an item at an odd one. */
function isStep(part: string, at: number): boolean {
  return at % 2 === 0 ? /^[0-9a-f]{8}$/i.test(part) : /^[1-9]\d{0,8}$/.test(part);
}

/** Commas of a list may be encoded. */
function parseFrameNumbers(text: string): number[] {
  const numbers = text.split(',');
  if (numbers.length > MAX_FRAMES || !numbers.every((number) => /^[1-9]\d{0,8}$/.test(number))) {
    throw new HttpError(400, 'Frames are numbers from 1, separated by commas.');
  }
  return numbers.map(Number);
}

/** In one request. */
const MAX_FRAMES = 1000;

function segmentsOf(path: string): string[] {
  const segments = path.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  try {
    return segments.map((segment) => decodeURIComponent(segment));
  } catch {
    throw new HttpError(400, 'The path is not encoded as a URL.');
  }
}

function noResource(): HttpError {
  return new HttpError(404, 'There is no such DICOMweb resource here.');
}
