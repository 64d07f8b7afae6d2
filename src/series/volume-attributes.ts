import { DISTINGUISHING_ATTRIBUTES, type DistinguishingAttribute } from './distinguishing-values.ts';
import type { PlacedSlice } from './placed-slices.ts';

/** An attribute as slices have it. */
export interface Attribute extends DistinguishingAttribute {
  readonly valueOf: (slice: PlacedSlice) => string;
}

const STORED: readonly Attribute[] = DISTINGUISHING_ATTRIBUTES.map((attribute, n) => ({
  ...attribute,
  valueOf: ({ slice }) => slice.header.distinguishing.get(n) ?? '',
}));

export const STACK_ID = STORED.find(({ name }) => name === 'StackID') ?? { name: 'StackID', valueOf: () => '' };

/** Enhanced images may come as one file a time point. */
const FILE: Attribute = {
  name: 'file',
  valueOf: ({ slice }) => (slice.header.frameCount === 1 ? '' : slice.instance.file.name),
};

/** All that may tell volumes apart, the most telling first. */
export const ATTRIBUTES: readonly Attribute[] = [
  ...STORED.filter(({ isTimeOfDay }) => isTimeOfDay !== true),
  FILE,
  ...STORED.filter(({ isTimeOfDay }) => isTimeOfDay === true),
];

/** Instance Number, and that of the frame. */
export const IMAGE_ORDER: Attribute = {
  name: 'InstanceNumber',
  valueOf: ({ slice: { instance, header } }) => `${instance.instanceNumber ?? 0}\\${header.frameIndex}`,
};

export function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Groups of equal values, in the order of their values. */
export function groupBy(slices: readonly PlacedSlice[], attributes: readonly Attribute[]): PlacedSlice[][] {
  const groups = grouped(slices, (slice) => attributes.map((attribute) => valueOf(slice, attribute)).join('\n'));
  return [...groups.values()].sort(([a], [b]) =>
    a === undefined || b === undefined ? 0 : compareSlices(a, b, attributes),
  );
}

export function compareSlices(a: PlacedSlice, b: PlacedSlice, attributes: readonly Attribute[]): number {
  for (const attribute of attributes) {
    const order = compareValues(valueOf(a, attribute), valueOf(b, attribute), attribute);
    if (order !== 0) return order;
  }
  return 0;
}

/** As numbers where they are some; times of day, which may end early (1200 is before 13), as text. */
function compareValues(a: string, b: string, { isTimeOfDay }: Attribute): number {
  const [left, right] = [a.split('\\').map(Number), b.split('\\').map(Number)];
  const areNumbers = isTimeOfDay !== true && a !== '' && b !== '' && [...left, ...right].every(Number.isFinite);
  if (!areNumbers) return a < b ? -1 : a > b ? 1 : 0;
  const differing = left.findIndex((value, n) => value !== right[n]);
  return differing < 0 ? 0 : (left[differing] ?? 0) - (right[differing] ?? 0);
}

/** @param all the groups of the division: the time of one is told from the first of them */
export function labelOf(
  slices: readonly PlacedSlice[],
  attributes: readonly Attribute[],
  all: readonly (readonly PlacedSlice[])[],
): string {
  return attributes
    .map((attribute) => {
      const [first, last] = rangeOf(slices, attribute);
      if (attribute.isTimeOfDay === true) {
        const [start] = rangeOf(all[0] ?? slices, attribute);
        const seconds = secondsBetween(start, first);
        return `${attribute.name} ${seconds === undefined ? 'of its own' : `+ ${seconds} s`}`;
      }
      const unit = attribute.unit === undefined || last === '' ? '' : ` ${attribute.unit}`;
      return `${attribute.name} ${first === last ? first || 'none' : `${first || 'none'} to ${last}`}${unit}`;
    })
    .join(', ');
}

/** The least and the greatest value. */
function rangeOf(slices: readonly PlacedSlice[], attribute: Attribute): [string, string] {
  const values = [...new Set(slices.map((slice) => valueOf(slice, attribute)))].sort((a, b) =>
    compareValues(a, b, attribute),
  );
  return [values[0] ?? '', values.at(-1) ?? ''];
}

/** Of two values of VR TM, DA or DT (PS3.5 6.2); undefined where one is none. */
function secondsBetween(from: string, to: string): number | undefined {
  const [start, end] = [from, to].map((text) => {
    const [, date, time = ''] = /^(\d{8})?((?:\d{2}){0,3}(?:\.\d+)?)(?:[+-]\d{4})?$/.exec(text) ?? [];
    if (date === undefined && time === '') return NaN;
    const [year, month, day] = [date?.slice(0, 4), date?.slice(4, 6), date?.slice(6, 8)].map(Number);
    const days = date === undefined ? 0 : Date.UTC(year ?? 0, (month ?? 1) - 1, day) / 86_400_000;
    const [hours, minutes, seconds] = [time.slice(0, 2), time.slice(2, 4), time.slice(4)].map(Number);
    return 86_400 * days + 3600 * (hours ?? 0) + 60 * (minutes ?? 0) + (seconds ?? 0);
  });
  const seconds = (end ?? NaN) - (start ?? NaN);
  return Number.isFinite(seconds) ? Number(seconds.toFixed(3)) : undefined;
}

export function valueOf(slice: PlacedSlice | undefined, attribute: Attribute): string {
  return slice === undefined ? '' : attribute.valueOf(slice);
}
