import * as z from 'zod/mini';
import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import { assertSameVoxels, labelmapOnto } from '../labelmap/onto-grid.ts';
import { labelBoxes } from './label-boxes.ts';
import { evaluateOverlap, overlapSchema } from './overlap.ts';
import { matchSegments } from './match-segments.ts';
import { measureSurfaceDistances, NO_DISTANCES } from './surface-distances.ts';

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
  const placed = labelmapOnto(matchSegments(prediction, reference).labelmap, reference.geometry);
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
