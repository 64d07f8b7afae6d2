import type { DicomKeyword } from './dicom-dictionary.ts';
import { UNSPOKEN_ATTRIBUTES, type DistinguishingValues } from './distinguishing-values.ts';

/** An image with the place where it lies and what may tell it from others there. */
export interface PlacedImage {
  /** Equal for images at one place, also of one orientation. */
  readonly place: number;
  readonly distinguishing: DistinguishingValues;
}

export interface VolumeOfSeries<T> {
  readonly images: readonly T[];
  /** "EchoTime 4.6"; empty where there is only one volume. */
  readonly label: string;
}

/** Attributes that are tried together; three have always been enough (diffusion: b-value, direction, image type). */
const MOST_ATTRIBUTES = 3;

/** Divides the images of one series into volumes, each with at most one image a place: cardiac phases, echoes,
 * b-values, time points, stacks. Volumes are ordered by what tells them apart, numbers as numbers.
 * @returns undefined if nothing tells images at one place apart */
export function splitVolumes<T extends PlacedImage>(images: readonly T[]): VolumeOfSeries<T>[] | undefined {
  const stacks = groupBy(images, ['StackID']);
  // A stack is a volume by definition (PS3.3 C.7.6.16.2.2.4); some writers number single frames with it.
  if (stacks.length < 2 || stacks.some((stack) => stack.length < 2)) return splitStack(images);
  const parts = stacks.map((stack) => {
    const prefix = labelOf(stack, ['StackID']);
    return splitStack(stack)?.map(({ images: own, label }) => ({
      images: own,
      label: label === '' ? prefix : `${prefix}, ${label}`,
    }));
  });
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

function splitStack<T extends PlacedImage>(images: readonly T[]): VolumeOfSeries<T>[] | undefined {
  const places = [...grouped(images, ({ place }) => place).values()];
  const most = Math.max(...places.map((own) => own.length));
  if (most === 1) return [{ images, label: '' }];
  const varying = [...new Set(places.flatMap(varyingKeywords))];
  const choices = combinations(varying);

  const divisions = choices
    .map((keywords) => ({ keywords, groups: groupBy(images, keywords) }))
    .filter(({ groups }) => groups.every(hasOneImageAPlace));
  const exact = divisions.find(({ groups }) => groups.length === most);
  if (exact !== undefined)
    return exact.groups.map((group) => ({ images: group, label: labelOf(group, exact.keywords) }));
  // A trigger time, say, may differ from place to place within one phase: then its rank counts.
  const ranked = places.every((own) => own.length === most) ? splitByRank(places, choices) : undefined;
  if (ranked !== undefined) return ranked;
  const [coarsest] = divisions.toSorted((a, b) => a.groups.length - b.groups.length);
  return coarsest?.groups.map((group) => ({ images: group, label: labelOf(group, coarsest.keywords) }));
}

function hasOneImageAPlace(images: readonly PlacedImage[]): boolean {
  return new Set(images.map(({ place }) => place)).size === images.length;
}

function varyingKeywords(images: readonly PlacedImage[]): DicomKeyword[] {
  const keywords = new Set(images.flatMap(({ distinguishing }) => [...distinguishing.keys()]));
  return [...keywords].filter((keyword) => new Set(images.map((image) => valueOf(image, keyword))).size > 1);
}

/** One, two or three of the keywords, fewer first. */
function combinations(keywords: readonly DicomKeyword[]): DicomKeyword[][] {
  let longest: { readonly chosen: DicomKeyword[]; readonly next: number }[] = [{ chosen: [], next: 0 }];
  const all: DicomKeyword[][] = [];
  for (let length = 1; length <= MOST_ATTRIBUTES; length++) {
    longest = longest.flatMap(({ chosen, next }) =>
      keywords.slice(next).map((keyword, n) => ({ chosen: [...chosen, keyword], next: next + n + 1 })),
    );
    all.push(...longest.map(({ chosen }) => chosen));
  }
  return all;
}

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
function groupBy<T extends PlacedImage>(images: readonly T[], keywords: readonly DicomKeyword[]): T[][] {
  const groups = grouped(images, (image) => keywords.map((keyword) => valueOf(image, keyword)).join('\n'));
  return [...groups.values()].sort(([a], [b]) =>
    a === undefined || b === undefined ? 0 : compareImages(a, b, keywords),
  );
}

function splitByRank<T extends PlacedImage>(
  places: readonly (readonly T[])[],
  choices: readonly (readonly DicomKeyword[])[],
): VolumeOfSeries<T>[] | undefined {
  const keywords = choices.find((choice) => places.every((own) => groupBy(own, choice).length === own.length));
  if (keywords === undefined) return undefined;
  const ordered = places.map((own) => own.toSorted((a, b) => compareImages(a, b, keywords)));
  return (ordered[0] ?? []).map((_, rank) => {
    const images = ordered.flatMap((own) => own.slice(rank, rank + 1));
    return { images, label: labelOf(images, keywords) };
  });
}

function compareImages(a: PlacedImage, b: PlacedImage, keywords: readonly DicomKeyword[]): number {
  for (const keyword of keywords) {
    const order = compareValues(valueOf(a, keyword), valueOf(b, keyword));
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: string, b: string): number {
  const [left, right] = [a.split('\\').map(Number), b.split('\\').map(Number)];
  const areNumbers = a !== '' && b !== '' && [...left, ...right].every(Number.isFinite);
  if (!areNumbers) return a < b ? -1 : a > b ? 1 : 0;
  const differing = left.findIndex((value, n) => value !== right[n]);
  return differing < 0 ? 0 : (left[differing] ?? 0) - (right[differing] ?? 0);
}

function labelOf(images: readonly PlacedImage[], keywords: readonly DicomKeyword[]): string {
  return keywords
    .map((keyword) => {
      if (UNSPOKEN_ATTRIBUTES.has(keyword)) return `another ${keyword}`;
      const values = [...new Set(images.map((image) => valueOf(image, keyword)))].sort(compareValues);
      const [first = '', last = ''] = [values[0], values.at(-1)];
      return `${keyword} ${values.length < 2 ? first || 'none' : `${first || 'none'} to ${last}`}`;
    })
    .join(', ');
}

function valueOf({ distinguishing }: PlacedImage, keyword: DicomKeyword): string {
  return distinguishing.get(keyword) ?? '';
}
