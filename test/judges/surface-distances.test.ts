import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { evaluateLabelmaps } from '../../src/evaluate/evaluation.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { createGeometry, type Vector3 } from '../../src/volume/geometry.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { obliqueGeometry } from '../support/labelled-series.ts';
import { describeWithPython, runJudge } from '../support/python.ts';
import { temporaryFolder } from './judged-series.ts';

type IsInside = (i: number, j: number, k: number) => boolean;

interface Pair {
  readonly prediction: Labelmap;
  readonly reference: Labelmap;
  readonly toleranceMm: number;
}

/** Masks on an axis-parallel grid, or on the oblique one of the tests. */
function pair(
  dimensions: readonly [number, number, number],
  spacing: Vector3,
  prediction: IsInside,
  reference: IsInside,
  toleranceMm = 2,
): Pair {
  const { direction, origin } = obliqueGeometry();
  const geometry = createGeometry({ dimensions, spacing, origin, direction });
  const mask = (isInside: IsInside): Labelmap => {
    const [columns, rows, slices] = dimensions;
    const voxels = Uint8Array.from({ length: columns * rows * slices }, (_, at) =>
      Number(isInside(at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows)))),
    );
    return { geometry, voxels, segments: [] };
  };
  return { prediction: mask(prediction), reference: mask(reference), toleranceMm };
}

const ball =
  (centre: Vector3, radius: number, spacing: Vector3): IsInside =>
  (i, j, k) =>
    Math.hypot((i - centre[0]) * spacing[0], (j - centre[1]) * spacing[1], (k - centre[2]) * spacing[2]) <= radius;

/** Voxels that look like chance and are the same each time. */
const noise =
  (seed: number, density: number): IsInside =>
  (i, j, k) => {
    const mixed = Math.imul(i * 73856093 + j * 19349663 + k * 83492791 + seed * 2654435761, 0x45d9f3b);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32 < density;
  };

const nothing: IsInside = () => false;
const anisotropic: Vector3 = [0.75, 1.1, 6.5];

function heart(toleranceMm: number): Pair {
  const { geometry, phases } = createShortAxisHeart({ size: 96, phases: 4, supersampling: [1, 1, 1] });
  const myocardium = (phase: number): Labelmap => {
    const labels = phases[phase]?.labels ?? new Uint8Array();
    return { geometry, voxels: Uint8Array.from(labels, (label) => Number(label === 2)), segments: [] };
  };
  return { prediction: myocardium(1), reference: myocardium(0), toleranceMm };
}

const pairs: Readonly<Record<string, () => Pair>> = {
  'two balls on an anisotropic grid': () =>
    pair([40, 36, 12], anisotropic, ball([18, 17, 5], 9, anisotropic), ball([20, 16, 6], 11, anisotropic)),
  'masks that touch every border of the image': () =>
    pair(
      [14, 11, 9],
      [1.5, 1, 2],
      (i) => i < 8,
      (i, j) => i < 6 || j > 8,
      1,
    ),
  'an image that is inside wholly': () => pair([5, 6, 7], [1, 2, 3], (i) => i >= 0, ball([2, 3, 3], 4, [1, 2, 3])),
  'an empty prediction': () => pair([9, 9, 9], [1, 1, 1], nothing, ball([4, 4, 4], 3, [1, 1, 1])),
  'an empty reference': () => pair([9, 9, 9], [1, 1, 1], ball([4, 4, 4], 3, [1, 1, 1]), nothing),
  'two empty masks': () => pair([9, 9, 9], [1, 1, 1], nothing, nothing),
  'one voxel each, far apart': () =>
    pair(
      [30, 20, 10],
      anisotropic,
      (i, j, k) => i === 1 && j === 2 && k === 0,
      (i, j, k) => i === 28 && j === 19 && k === 9,
    ),
  'noise with every neighbourhood there is': () => pair([24, 22, 20], [0.9, 1.7, 2.3], noise(1, 0.5), noise(2, 0.5), 1),
  'sparse noise against dense': () => pair([40, 30, 20], [1, 0.6, 3.5], noise(3, 0.002), noise(4, 0.9), 3),
  'equal masks': () => pair([16, 16, 8], anisotropic, noise(5, 0.3), noise(5, 0.3)),
  'one slice': () => pair([32, 28, 1], [1.25, 1.25, 8], ball([14, 14, 0], 11, [1, 1, 1]), noise(6, 0.4), 1.25),
  'one row of voxels': () => pair([60, 1, 1], [0.5, 4, 4], noise(7, 0.2), noise(8, 0.2), 0.5),
  'a sheet and a line': () =>
    pair(
      [20, 20, 20],
      [1, 1, 1],
      (i, _, k) => i === 3 && k > 2,
      (i, j) => i === 15 && j === 4,
      12,
    ),
  'the myocardium of a heart in two phases': () => heart(1),
};

const said = z.array(
  z.object({
    dice: z.number().nullable(),
    hd95Mm: z.number().nullable(),
    predictionToReferenceMm: z.number().nullable(),
    referenceToPredictionMm: z.number().nullable(),
    surfaceDice: z.number().nullable(),
  }),
);

async function judge(list: readonly Pair[]) {
  const folder = temporaryFolder();
  const write = (name: string, { voxels }: Labelmap): string => {
    writeFileSync(join(folder, name), voxels);
    return join(folder, name);
  };
  const described = list.map(({ prediction, reference, toleranceMm }, n) => ({
    shape: reference.geometry.dimensions,
    spacing: reference.geometry.spacing,
    toleranceMm,
    prediction: write(`prediction-${n}`, prediction),
    reference: write(`reference-${n}`, reference),
  }));
  const file = join(folder, 'pairs.json');
  writeFileSync(file, JSON.stringify(described));
  return said.parse(await runJudge('surface_distances.py', [file]));
}

describeWithPython('surface-distance', ['surface_distance'], () => {
  const made = new Map(Object.entries(pairs).map(([name, make]) => [name, make()]));
  let figures: Awaited<ReturnType<typeof judge>> = [];
  beforeAll(async () => {
    figures = await judge([...made.values()]);
  });

  test.each([...[...made.keys()].entries()])('%i %s: every figure is that of the package to 1e-6', (at, name) => {
    const [masks, expected] = [made.get(name), figures[at]];
    if (masks === undefined) throw new RangeError(name);
    const { labels } = evaluateLabelmaps(masks.prediction, masks.reference, { toleranceMm: masks.toleranceMm });
    const [found] = labels;
    if (found === undefined) {
      // Labels that no labelmap has are not listed; the package has no figure for them either.
      expect(Object.values(expected ?? {})).toEqual([null, null, null, null, null]);
      return;
    }
    for (const [figure, value] of Object.entries(expected ?? {})) {
      const ours = found[figure as keyof NonNullable<typeof expected>];
      // One of both averages is 0 / 0 and the other infinite where a mask is empty.
      if (value === null) expect({ figure, ours }).toEqual({ figure, ours: null });
      else expect({ figure, error: Math.abs((ours ?? NaN) - value) < 1e-6 }).toEqual({ figure, error: true });
    }
    const { predictionToReferenceMm: there, referenceToPredictionMm: back } = found;
    if (there !== null && back !== null)
      expect(found.averageSymmetricSurfaceDistanceMm).toBeCloseTo((there + back) / 2, 12);
  });
});
