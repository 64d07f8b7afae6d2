import { DISTINGUISHING_ATTRIBUTES, type DistinguishingAttribute } from './distinguishing-values.ts';
import type { PlacedSlice } from './dicom-instance.ts';
import { findGridProblem } from './regular-grid.ts';

/** An attribute as slices have it. */
interface Attribute extends DistinguishingAttribute {
  readonly valueOf: (slice: PlacedSlice) => string;
}

const STORED: readonly Attribute[] = DISTINGUISHING_ATTRIBUTES.map((attribute, n) => ({
  ...attribute,
  valueOf: ({ slice }) => slice.header.distinguishing.get(n) ?? '',
}));

const STACK_ID = STORED.find(({ name }) => name === 'StackID') ?? { name: 'StackID', valueOf: () => '' };

/** Enhanced images may come as one file a time point. */
const FILE: Attribute = {
  name: 'file',
  valueOf: ({ slice }) => (slice.header.frameCount === 1 ? '' : slice.instance.file.name),
};

/** All that may tell volumes apart, the most telling first. */
const ATTRIBUTES: readonly Attribute[] = [
  ...STORED.filter(({ isTimeOfDay }) => isTimeOfDay !== true),
  FILE,
  ...STORED.filter(({ isTimeOfDay }) => isTimeOfDay === true),
];

/** Instance Number, and that of the frame. */
const IMAGE_ORDER: Attribute = {
  name: 'InstanceNumber',
  valueOf: ({ slice: { instance, header } }) => `${instance.instanceNumber ?? 0}\\${header.frameIndex}`,
};

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
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
function groupBy(slices: readonly PlacedSlice[], attributes: readonly Attribute[]): PlacedSlice[][] {
  const groups = grouped(slices, (slice) => attributes.map((attribute) => valueOf(slice, attribute)).join('\n'));
  return [...groups.values()].sort(([a], [b]) =>
    a === undefined || b === undefined ? 0 : compareSlices(a, b, attributes),
  );
}

function compareSlices(a: PlacedSlice, b: PlacedSlice, attributes: readonly Attribute[]): number {
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
function labelOf(
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

export interface DividedVolume {
  readonly slices: readonly PlacedSlice[];
  /** What tells it from the others: "EchoTime 4.6 ms"; empty where there is only one volume. */
  readonly label: string;
}

export interface DividedSeries {
  /** In the order of what tells them apart, numbers as numbers. */
  readonly volumes: readonly DividedVolume[];
  /** A volume that lacks slices beside others that lack none. */
  readonly incomplete?: DividedVolume;
  /** That the images' order alone tells them apart: what it is the order of. */
  readonly orderedBy?: string;
}

/** Divides the images of one series into volumes with at most one image a place: cardiac phases, echoes, b-values, time
 * points, stacks. Every attribute that changes is tried, alone and together with one or two others; images of places
 * that hold equally many are told apart by their order at last.
 * @returns undefined if nothing tells images at one place apart, so that one may have been sent twice */
export function splitVolumes(slices: readonly PlacedSlice[]): DividedSeries | undefined {
  const stacks = groupBy(slices, [STACK_ID]);
  // Some writers number single frames with it.
  const areStacks = stacks.length > 1 && stacks.every((stack) => stack.length > 1);
  if (!areStacks) return splitStack(slices, true);
  // A stack is a volume by definition (PS3.3 C.7.6.16.2.2.4), unless the slices of one were taken in turns.
  const together = splitStack(slices, false);
  if (together !== undefined && areStacksOfOne(together)) return together;
  const parts = stacks.map((stack) => splitPrefixed(stack));
  if (!parts.every((part) => part !== undefined)) return undefined;
  const [orderedBy] = parts.flatMap((part) => part.orderedBy ?? []);
  const [incomplete] = parts.flatMap((part) => part.incomplete ?? []);
  const lacking = parts.filter((part) => part.incomplete !== undefined).length;
  if (lacking > 1) return undefined;
  return {
    volumes: parts.flatMap(({ volumes }) => volumes),
    ...(incomplete !== undefined && { incomplete }),
    ...(orderedBy !== undefined && { orderedBy }),
  };
}

function areStacksOfOne({ volumes, orderedBy }: DividedSeries): boolean {
  return (
    orderedBy === undefined &&
    volumes.every(
      ({ slices }) =>
        slices.some((slice) => valueOf(slice, STACK_ID) !== valueOf(slices[0], STACK_ID)) && isRegular(slices),
    )
  );
}

function splitPrefixed(stack: readonly PlacedSlice[]): DividedSeries | undefined {
  const prefix = labelOf(stack, [STACK_ID], [stack]);
  const division = splitStack(stack, false);
  if (division === undefined) return undefined;
  const labelled = ({ slices, label }: DividedVolume): DividedVolume => ({
    slices,
    label: label === '' ? prefix : `${prefix}, ${label}`,
  });
  return {
    ...division,
    volumes: division.volumes.map(labelled),
    ...(division.incomplete !== undefined && { incomplete: labelled(division.incomplete) }),
  };
}

function splitStack(slices: readonly PlacedSlice[], byStack: boolean): DividedSeries | undefined {
  const places = [...grouped(slices, ({ place }) => place).values()];
  const most = places.reduce((count, own) => Math.max(count, own.length), 0);
  if (most === 1) return { volumes: [{ slices, label: '' }] };
  const attributes = ATTRIBUTES.filter((attribute) => byStack || attribute !== STACK_ID).filter((attribute) =>
    places.some((own) => own.some((slice) => valueOf(slice, attribute) !== valueOf(own[0], attribute))),
  );
  return splitByValue(slices, attributes, { most, places }) ?? splitByOrder(places, attributes, most);
}

/** Attributes that are tried together; three have always been enough (diffusion: b-value, direction, image type). */
const MAX_TOGETHER = 3;
/** That many of those that change are tried together, the most telling. */
const MAX_ATTRIBUTES = 16;

/** Volumes in which every attribute of some few has one value. */
function splitByValue(
  slices: readonly PlacedSlice[],
  attributes: readonly Attribute[],
  { most, places }: { readonly most: number; readonly places: readonly (readonly PlacedSlice[])[] },
): DividedSeries | undefined {
  const partitions: Partition[] = [];
  const seen = new Set<string>();
  for (const attribute of attributes) {
    const partition = partitionBy(slices, attribute);
    const key = partition.groupOf.join();
    // What has more values than there are volumes has several within one.
    if (partition.count > most || seen.has(key)) continue;
    seen.add(key);
    partitions.push(partition);
  }
  for (const partition of combinations(partitions.slice(0, MAX_ATTRIBUTES))) {
    if (partition.count !== most) continue;
    const groups = groupBy(slices, partition.attributes);
    if (!groups.every(hasOneSliceAPlace)) continue;
    const volumes = groups.map((group) => ({ slices: group, label: labelOf(group, partition.attributes, groups) }));
    const division = withoutIncomplete(volumes, places.length);
    if (division !== undefined) return division;
  }
  return undefined;
}

/** The slices by an attribute's values, numbered as they come. */
interface Partition {
  readonly attributes: readonly Attribute[];
  readonly groupOf: readonly number[];
  readonly count: number;
}

function partitionBy(slices: readonly PlacedSlice[], attribute: Attribute): Partition {
  const numbers = new Map<string, number>();
  const groupOf = slices.map((slice) => {
    const value = valueOf(slice, attribute);
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  });
  return { attributes: [attribute], groupOf, count: numbers.size };
}

/** One, two or three of them, fewer first. */
function* combinations(partitions: readonly Partition[]): Generator<Partition> {
  let longest = partitions.map((partition, n) => ({ partition, next: n + 1 }));
  for (const { partition } of longest) yield partition;
  for (let length = 2; length <= MAX_TOGETHER; length++) {
    const longer: typeof longest = [];
    for (const { partition, next } of longest) {
      for (const [n, other] of partitions.slice(next).entries()) {
        const both = intersection(partition, other);
        yield both;
        longer.push({ partition: both, next: next + n + 1 });
      }
    }
    longest = longer;
  }
}

function intersection(a: Partition, b: Partition): Partition {
  const numbers = new Map<number, number>();
  const groupOf = a.groupOf.map((group, n) => {
    const pair = group * b.count + (b.groupOf[n] ?? 0);
    const number = numbers.get(pair) ?? numbers.size;
    numbers.set(pair, number);
    return number;
  });
  return { attributes: [...a.attributes, ...b.attributes], groupOf, count: numbers.size };
}

/** Fewer slices are no volume but images that were sent twice. */
const MIN_SLICES = 3;

/** Volumes that hold a slice at every place, or a regular run of slices of their own (phases may differ in their extent);
 * one that lacks slices is left out where others lack none.
 * @returns undefined if more are incomplete, or there is too little of one to be a volume: images sent twice are */
function withoutIncomplete(volumes: readonly DividedVolume[], places: number): DividedSeries | undefined {
  const isComplete = ({ slices }: DividedVolume): boolean => slices.length === places;
  const complete = volumes.filter(isComplete);
  const short = volumes.filter((volume) => !isComplete(volume));
  const [first, another] = short;
  if (first === undefined) return { volumes };
  const isAlone = another === undefined;
  if (isAlone && complete.length > 1) return { volumes: complete, incomplete: first };
  if (short.every(({ slices }) => slices.length >= MIN_SLICES && isRegular(slices))) return { volumes };
  if (isAlone && complete.length > 0 && isMuch(first, places)) return { volumes: complete, incomplete: first };
  // Whoever chooses an incomplete one is told what it lacks.
  return short.every((volume) => isMuch(volume, places)) ? { volumes } : undefined;
}

function isMuch({ slices }: DividedVolume, places: number): boolean {
  return slices.length >= MIN_SLICES && 2 * slices.length >= places;
}

function isRegular(slices: readonly PlacedSlice[]): boolean {
  const isOnePlane = slices.every(({ plane }) => plane === slices[0]?.plane);
  return isOnePlane && findGridProblem(slices.toSorted((a, b) => a.depth - b.depth)) === undefined;
}

/** The images that are the n-th at their place are volume n. A trigger time, say, may differ from place to place within
 * one phase. */
function splitByOrder(
  places: readonly (readonly PlacedSlice[])[],
  attributes: readonly Attribute[],
  most: number,
): DividedSeries | undefined {
  if (places.some((own) => own.length !== most)) return undefined;
  const differs = (attribute: Attribute): boolean =>
    places.every((own) => new Set(own.map((slice) => valueOf(slice, attribute))).size === most);
  // One place with two images has none that it would be in order with.
  const last = places.length > 1 ? [IMAGE_ORDER] : [];
  const order = [...attributes.filter(({ isOrdered }) => isOrdered === true), ...last].find(differs);
  if (order === undefined) return undefined;
  const ordered = places.map((own) => own.toSorted((a, b) => compareSlices(a, b, [order])));
  const groups = Array.from({ length: most }, (_, rank) => ordered.flatMap((own) => own.slice(rank, rank + 1)));
  const volumes = groups.map((slices, rank) => ({
    slices,
    label: order === IMAGE_ORDER ? `number ${rank + 1} in order` : labelOf(slices, [order], groups),
  }));
  const isGuess = order === IMAGE_ORDER || order.isTimeOfDay === true;
  return { volumes, ...(isGuess && { orderedBy: order.name }) };
}

function hasOneSliceAPlace(slices: readonly PlacedSlice[]): boolean {
  return new Set(slices.map(({ place }) => place)).size === slices.length;
}
