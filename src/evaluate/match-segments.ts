import type { Labelmap } from '../labelmap/labelmap.ts';
import type { CodedConcept, Segment } from '../labelmap/segment.ts';
import type { Notice } from '../volume/volume.ts';

/** Numbers the segments of one labelmap as another numbers the same structures. Two segments are of one structure if
 * their Segmented Property Type and its modifier (laterality) are equal; of several such ones, those with one Segment
 * Label, then those with one number. Segments whose codes match none are paired by Segment Label, unless both have a
 * modifier and these differ; those that say nothing of themselves by number.
 * @returns the labelmap with the other's numbers (a segment without a counterpart keeps its own, or gets a free one where
 * that is taken), and a notice where one number means two things. A labelmap without segments is returned as it is. */
export function matchSegments(
  prediction: Labelmap,
  reference: Labelmap,
): { readonly labelmap: Labelmap; readonly notices: readonly Notice[] } {
  if (prediction.segments.length === 0 || reference.segments.length === 0) return { labelmap: prediction, notices: [] };
  const pairs = pairSegments(prediction.segments, reference.segments);
  const taken = new Set(reference.segments.map(({ segmentNumber }) => segmentNumber));
  let free = Math.max(...[...prediction.segments, ...reference.segments].map(({ segmentNumber }) => segmentNumber));
  const numbers = new Map(
    prediction.segments.map((segment) => {
      const own = segment.segmentNumber;
      return [own, pairs.get(segment)?.segmentNumber ?? (taken.has(own) ? ++free : own)];
    }),
  );
  return { labelmap: renumbered(prediction, numbers), notices: differentMeanings(prediction, reference, numbers) };
}

function pairSegments(ours: readonly Segment[], theirs: readonly Segment[]): ReadonlyMap<Segment, Segment> {
  const pairs = new Map<Segment, Segment>();
  const paired = new Set<Segment>();
  /** Pairs segments where one rule holds for just one on either side. */
  const pair = (matches: (a: Segment, b: Segment) => boolean): void => {
    const left = ours.filter((segment) => !pairs.has(segment));
    const right = theirs.filter((segment) => !paired.has(segment));
    for (const a of left) {
      const [b, another] = right.filter((candidate) => matches(a, candidate));
      if (b === undefined || another !== undefined || left.filter((one) => matches(one, b)).length > 1) continue;
      pairs.set(a, b);
      paired.add(b);
    }
  };
  const isSameLabel = (a: Segment, b: Segment): boolean => wordsOf(a.segmentLabel) === wordsOf(b.segmentLabel);
  const isSameNumber = (a: Segment, b: Segment): boolean => a.segmentNumber === b.segmentNumber;
  const isSameCode = (a: Segment, b: Segment): boolean => !isUnspecific(a) && codeOf(a) === codeOf(b);
  pair((a, b) => isSameCode(a, b) && isSameLabel(a, b));
  pair((a, b) => isSameCode(a, b) && isSameNumber(a, b));
  pair(isSameCode);
  pair((a, b) => isSameLabel(a, b) && !hasOtherModifier(a, b));
  pair((a, b) => isSameNumber(a, b) && isUnspecific(a) && isUnspecific(b));
  return pairs;
}

function codeOf({ segmentedPropertyType, segmentedPropertyTypeModifier }: Segment): string {
  const text = ({ codingSchemeDesignator, codeValue }: CodedConcept): string =>
    `${codingSchemeDesignator} ${codeValue}`;
  return [segmentedPropertyType, segmentedPropertyTypeModifier].map((code) => (code ? text(code) : '')).join('|');
}

function hasOtherModifier(a: Segment, b: Segment): boolean {
  const [one, other] = [a.segmentedPropertyTypeModifier, b.segmentedPropertyTypeModifier];
  return one !== undefined && other !== undefined && one.codeValue !== other.codeValue;
}

/** Codes of what may be anything: what a reader substitutes for a missing one, and "Tissue". */
const UNSPECIFIC: ReadonlySet<string> = new Set(['91723000', '85756007', '261665006', 'T-D0050']);

function isUnspecific({ segmentedPropertyType }: Segment): boolean {
  return UNSPECIFIC.has(segmentedPropertyType.codeValue);
}

function wordsOf(label: string): string {
  return label
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ')
    .trim();
}

function renumbered(labelmap: Labelmap, numbers: ReadonlyMap<number, number>): Labelmap {
  if ([...numbers].every(([own, other]) => own === other)) return labelmap;
  const largest = Math.max(...numbers.values());
  const table = Uint16Array.from({ length: 0x10000 }, (_, label) => numbers.get(label) ?? label);
  const { voxels } = labelmap;
  const placed =
    voxels instanceof Uint8Array && largest <= 0xff ? new Uint8Array(voxels.length) : new Uint16Array(voxels.length);
  for (let at = 0; at < voxels.length; at++) placed[at] = table[voxels[at] ?? 0] ?? 0;
  const segments = labelmap.segments.map((segment) => ({
    ...segment,
    segmentNumber: numbers.get(segment.segmentNumber) ?? segment.segmentNumber,
  }));
  return { ...labelmap, voxels: placed, segments };
}

const MOST_NAMED = 5;

function differentMeanings(
  { segments: ours }: Labelmap,
  { segments: theirs }: Labelmap,
  numbers: ReadonlyMap<number, number>,
): Notice[] {
  const byNumber = new Map(theirs.map((segment) => [segment.segmentNumber, segment]));
  const differing = ours.flatMap(({ segmentNumber, segmentLabel }) => {
    const other = byNumber.get(segmentNumber);
    return other === undefined || numbers.get(segmentNumber) === segmentNumber
      ? []
      : [`${segmentNumber} is "${segmentLabel}" in the first and "${other.segmentLabel}" in the second`];
  });
  if (differing.length === 0) return [];
  const more = differing.length - MOST_NAMED;
  const named = [...differing.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  const message = `Equal segment numbers mean different structures: ${named}. Segments were matched by what they are, not by number.`;
  return [{ code: 'segments-matched-by-code', message }];
}
