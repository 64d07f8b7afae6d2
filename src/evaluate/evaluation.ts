import * as z from 'zod/mini';
import { InputError } from '../errors.ts';
import type { CodedConcept, Labelmap, Segment } from '../labelmap/labelmap.ts';
import { assertSameVoxels, regridLabelmap } from '../labelmap/regrid.ts';
import { evaluateOverlap, labelBoxes, overlapSchema } from './overlap.ts';
import { measureSurfaceDistances, NO_DISTANCES } from './surface-distances.ts';
import type { Notice } from '../volume/volume.ts';

const mm = (description: string) => z.nullable(z.number().check(z.nonnegative())).check(z.describe(description));
const share = (description: string) =>
  z.nullable(z.number().check(z.minimum(0), z.maximum(1))).check(z.describe(description));
const label = overlapSchema.shape.labels.def.element;

const surfaceFigures = {
  surfaceDice: share('the part of both surfaces no farther than toleranceMm from the other; null if both are empty'),
  hd95Mm: mm('the larger of both 95th percentiles of the distances, weighted by area; null if one is empty'),
  averageSymmetricSurfaceDistanceMm: mm('mean of the two averages; null if one is empty'),
};

/** Normative description of an evaluation with surfaces; JSON Schema and type come from it. */
export const evaluationSchema = z.strictObject({
  toleranceMm: z.number().check(z.positive(), z.describe('of the surface Dice')),
  labels: z
    .array(
      z.strictObject({
        ...label.shape,
        ...surfaceFigures,
        predictionToReferenceMm: mm("average distance over the prediction's surface"),
        referenceToPredictionMm: mm("average distance over the reference's surface"),
        empty: z
          .optional(z.enum(['prediction', 'reference', 'both']))
          .check(z.describe('which of them lacks the label: why distances are null')),
      }),
    )
    .check(z.describe('every label that is described or occurs in either labelmap, ascending')),
  meanDice: overlapSchema.shape.meanDice,
  absentInBoth: overlapSchema.shape.absentInBoth,
  means: z
    .strictObject({ ...surfaceFigures, labels: z.int().check(z.nonnegative(), z.describe('with distances')) })
    .check(z.describe('over the labels that have the figure; null if none has')),
});

export type Evaluation = z.infer<typeof evaluationSchema>;
export type LabelEvaluation = Evaluation['labels'][number];

export interface EvaluationOptions {
  /** Of the surface Dice: how far a surface may be off and count as found. Default 2 mm. */
  readonly toleranceMm?: number;
}

const DEFAULT_TOLERANCE_MM = 2;

/** Compares two labelmaps of the same voxels label by label: Dice, volumes in ml and distances of surfaces in mm, by the
 * definitions of Nikolov et al., 10.2196/26151. Their axes may be in another order and run the other way; a DICOM-SEG,
 * which leaves out empty slices, is first put on the grid of its series. Segments that are described are matched by what
 * they are, see {@link matchSegments}; labels are the reference's.
 * @throws InputError `geometry-mismatch` saying how the grids differ, `invalid-arguments` for a tolerance of 0 or less */
export function evaluateLabelmaps(
  prediction: Labelmap,
  reference: Labelmap,
  { toleranceMm = DEFAULT_TOLERANCE_MM }: EvaluationOptions = {},
): Evaluation {
  if (!(toleranceMm > 0)) {
    throw new InputError('invalid-arguments', `A tolerance is a distance in mm above 0, not ${toleranceMm}.`, {
      remedy: 'Pass a tolerance above 0.',
    });
  }
  assertSameVoxels(prediction.geometry, reference.geometry);
  const placed = regridLabelmap(matchSegments(prediction, reference).labelmap, reference.geometry);
  const overlap = evaluateOverlap(placed, reference);
  const boxes = labelBoxes([placed, reference]);
  const labels = overlap.labels.map((figures): LabelEvaluation => {
    const box = boxes.get(figures.label);
    const distances =
      box === undefined
        ? NO_DISTANCES
        : measureSurfaceDistances(placed, reference, { label: figures.label, box, toleranceMm });
    const empty = emptyOf(figures);
    return { ...figures, ...distances, ...(empty && { empty }) };
  });
  const { meanDice, absentInBoth } = overlap;
  return { toleranceMm, labels, meanDice, absentInBoth, means: meansOf(labels) };
}

function emptyOf({
  predictionVoxels,
  referenceVoxels,
}: Pick<LabelEvaluation, 'predictionVoxels' | 'referenceVoxels'>): LabelEvaluation['empty'] {
  if (predictionVoxels === 0) return referenceVoxels === 0 ? 'both' : 'prediction';
  return referenceVoxels === 0 ? 'reference' : undefined;
}

function meansOf(labels: readonly LabelEvaluation[]): Evaluation['means'] {
  const mean = (figure: keyof typeof surfaceFigures): number | null => {
    const values = labels.map((one) => one[figure]).filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    surfaceDice: mean('surfaceDice'),
    hd95Mm: mean('hd95Mm'),
    averageSymmetricSurfaceDistanceMm: mean('averageSymmetricSurfaceDistanceMm'),
    labels: labels.filter(({ empty }) => empty === undefined).length,
  };
}

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

const MAX_NAMED = 5;

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
  const more = differing.length - MAX_NAMED;
  const named = [...differing.slice(0, MAX_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  const message = `Equal segment numbers mean different structures: ${named}. Segments were matched by what they are, not by number.`;
  return [{ code: 'segments-matched-by-code', message }];
}
