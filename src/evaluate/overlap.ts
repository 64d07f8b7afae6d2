import * as z from 'zod/mini';
import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import { gridDistanceMm, type VolumeGeometry, voxelVolumeMl } from '../volume/geometry.ts';
import type { VoxelBox } from './surface-areas.ts';

const count = z.int().check(z.nonnegative());
const volumeMl = z.number().check(z.nonnegative());
const dice = (description: string) =>
  z.nullable(z.number().check(z.minimum(0), z.maximum(1))).check(z.describe(description));

/** Normative description of an evaluation; JSON Schema and type come from it. */
export const overlapSchema = z.strictObject({
  labels: z
    .array(
      z.strictObject({
        label: z.int().check(z.minimum(1)),
        name: z.optional(z.string()).check(z.describe("the segment's label, where a file has one")),
        dice: dice('2 |A∩B| / (|A| + |B|); null where both are empty'),
        predictionVoxels: count,
        referenceVoxels: count,
        commonVoxels: count,
        predictionMl: volumeMl,
        referenceMl: volumeMl,
      }),
    )
    .check(z.describe('every label that is described or occurs in either labelmap, ascending')),
  meanDice: dice('mean over the labels that either labelmap has; null if none has any'),
  absentInBoth: count.check(z.describe('labels that are described and that neither labelmap has: not in the mean')),
});

export type Overlap = z.infer<typeof overlapSchema>;

export interface OverlapOptions {
  /** Largest distance in mm between equal corners of the grids; a tenth of the smallest spacing by default. */
  readonly toleranceMm?: number;
}

/** Compares two labelmaps on one grid label by label. A label that neither has says nothing of the prediction: it has no
 * Dice, and is counted beside the mean.
 * @throws InputError `geometry-mismatch` saying how the grids differ */
export function evaluateOverlap(prediction: Labelmap, reference: Labelmap, options: OverlapOptions = {}): Overlap {
  assertSameGrid(prediction.geometry, reference.geometry, options.toleranceMm);
  const [inPrediction, inReference, inBoth] = countVoxels(prediction.voxels, reference.voxels);
  const voxelMl = voxelVolumeMl(reference.geometry);
  const labels = labelsOf(prediction, reference, inPrediction, inReference).map((label) => {
    const [a, b, common] = [inPrediction[label] ?? 0, inReference[label] ?? 0, inBoth[label] ?? 0];
    const name = [reference, prediction]
      .flatMap(({ segments }) => segments)
      .find((segment) => segment.segmentNumber === label)?.segmentLabel;
    return {
      label,
      ...(name !== undefined && { name }),
      dice: a + b === 0 ? null : (2 * common) / (a + b),
      predictionVoxels: a,
      referenceVoxels: b,
      commonVoxels: common,
      predictionMl: a * voxelMl,
      referenceMl: b * voxelMl,
    };
  });
  const dices = labels.map((one) => one.dice).filter((value) => value !== null);
  return {
    labels,
    meanDice: dices.length === 0 ? null : dices.reduce((sum, value) => sum + value, 0) / dices.length,
    absentInBoth: labels.length - dices.length,
  };
}

function assertSameGrid(prediction: VolumeGeometry, reference: VolumeGeometry, tolerance?: number): void {
  const size = (geometry: VolumeGeometry): string => geometry.dimensions.join(' × ');
  const distance = gridDistanceMm(prediction, reference);
  const toleranceMm = tolerance ?? 0.1 * Math.min(...reference.spacing);
  if (distance <= toleranceMm) return;
  const how =
    distance === Infinity
      ? `the prediction has ${size(prediction)} voxels, the reference ${size(reference)}`
      : `their corners are up to ${distance.toPrecision(3)} mm apart, at most ${toleranceMm.toPrecision(2)} mm is allowed`;
  throw new InputError('geometry-mismatch', `The labelmaps are on different grids: ${how}.`, {
    remedy: 'Compare labelmaps of one image, on the grid of that image.',
    details: { prediction, reference, distanceMm: distance, toleranceMm },
  });
}

type Voxels = Labelmap['voxels'];

/** Voxels of each label in the prediction, in the reference, and in both at one place. */
function countVoxels(prediction: Voxels, reference: Voxels): [Float64Array, Float64Array, Float64Array] {
  const sizes = 65536;
  const counts: [Float64Array, Float64Array, Float64Array] = [
    new Float64Array(sizes),
    new Float64Array(sizes),
    new Float64Array(sizes),
  ];
  const [inPrediction, inReference, inBoth] = counts;
  for (let at = 0; at < reference.length; at++) {
    const a = prediction[at] ?? 0;
    const b = reference[at] ?? 0;
    if (a === 0 && b === 0) continue;
    inPrediction[a] = (inPrediction[a] ?? 0) + 1;
    inReference[b] = (inReference[b] ?? 0) + 1;
    if (a === b) inBoth[a] = (inBoth[a] ?? 0) + 1;
  }
  return counts;
}

function labelsOf(
  prediction: Labelmap,
  reference: Labelmap,
  inPrediction: Float64Array,
  inReference: Float64Array,
): number[] {
  const described = [...prediction.segments, ...reference.segments].map((segment) => segment.segmentNumber);
  const occurring = Array.from(inReference.keys()).filter(
    (label) => label > 0 && (inPrediction[label] ?? 0) + (inReference[label] ?? 0) > 0,
  );
  return [...new Set([...described, ...occurring])].sort((a, b) => a - b);
}

/** The smallest box around each label of some labelmaps on one grid; background has none. */
export function labelBoxes(labelmaps: readonly Labelmap[]): Map<number, VoxelBox> {
  const extents = new Map<number, Extent>();
  for (const labelmap of labelmaps) extendBy(extents, labelmap);
  return new Map(
    [...extents].map(([label, { first, last }]) => [
      label,
      {
        start: first,
        size: [last[0] - first[0] + 1, last[1] - first[1] + 1, last[2] - first[2] + 1],
      },
    ]),
  );
}

interface Extent {
  readonly first: [number, number, number];
  readonly last: [number, number, number];
}

/** By runs of one label in a row, of which most rows are one. */
function extendBy(extents: Map<number, Extent>, { voxels, geometry }: Labelmap): void {
  const [columns, rows, slices] = geometry.dimensions;
  for (let k = 0, row = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++, row += columns) {
      for (let i = 0; i < columns;) {
        const label = voxels[row + i] ?? 0;
        const start = i;
        do i++;
        while (i < columns && voxels[row + i] === label);
        if (label === 0) continue;
        const extent = extents.get(label) ?? {
          first: [Infinity, Infinity, Infinity],
          last: [-Infinity, -Infinity, -Infinity],
        };
        extents.set(label, extent);
        const { first, last } = extent;
        if (start < first[0]) first[0] = start;
        if (i - 1 > last[0]) last[0] = i - 1;
        if (j < first[1]) first[1] = j;
        if (j > last[1]) last[1] = j;
        if (k < first[2]) first[2] = k;
        if (k > last[2]) last[2] = k;
      }
    }
  }
}
