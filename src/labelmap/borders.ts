import type { Axis, Vector3 } from '../volume/geometry.ts';
import type { Labelmap } from './labelmap.ts';

/** A side of the volume, or of the slices that were run, that a segment touches: there it may go on. */
export interface TouchedBorder {
  readonly segmentNumber: number;
  /** The index axis, and whether its first or last voxels. */
  readonly axis: Axis;
  readonly end: 'first' | 'last';
  /** Where that is in the patient: the nearest of the six directions. */
  readonly side: PatientSide;
}

export type PatientSide = 'left' | 'right' | 'posterior' | 'anterior' | 'superior' | 'inferior';

/** Slices that were run, along one axis; all by default. */
export interface SlicesRun {
  readonly axis: Axis;
  readonly slices: readonly number[];
}

/** The borders that each segment touches, by segment number, axis and end. An axis of one voxel has no borders: the
 * volume is a single slice. Next to a slice that was not run a border is one too, wherever it lies. */
export function bordersTouched({ geometry, voxels }: Labelmap, run?: SlicesRun): TouchedBorder[] {
  const { dimensions, direction } = geometry;
  const touched = new Map<string, TouchedBorder>();
  const [columns, rows] = dimensions;
  const strides = [1, columns, columns * rows] as const;
  const visit = (axis: Axis, index: number, end: 'first' | 'last'): void => {
    const [a, b] = ([0, 1, 2] as const).filter((other) => other !== axis);
    if (a === undefined || b === undefined) return;
    for (let q = 0; q < dimensions[b]; q++) {
      for (let p = 0; p < dimensions[a]; p++) {
        const label = voxels[index * strides[axis] + p * strides[a] + q * strides[b]] ?? 0;
        const key = `${label} ${axis} ${end}`;
        if (label === 0 || touched.has(key)) continue;
        touched.set(key, { segmentNumber: label, axis, end, side: patientSideOf(direction[axis], end) });
      }
    }
  };
  for (const axis of [0, 1, 2] as const) {
    if (dimensions[axis] === 1) continue;
    const isRun = new Set(run?.axis === axis ? run.slices : Array.from({ length: dimensions[axis] }, (_, n) => n));
    for (const index of isRun) {
      if (!isRun.has(index - 1)) visit(axis, index, 'first');
      if (!isRun.has(index + 1)) visit(axis, index, 'last');
    }
  }
  return [...touched.values()].sort(
    (x, y) => x.segmentNumber - y.segmentNumber || x.axis - y.axis || (x.end < y.end ? -1 : x.end > y.end ? 1 : 0),
  );
}

/** The side of the patient that an end of an axis lies at: the nearest of the six.
 * @param step unit vector of one step along the axis, LPS */
export function patientSideOf(step: Vector3, end: 'first' | 'last'): PatientSide {
  const sizes = step.map(Math.abs);
  const along = sizes.indexOf(Math.max(...sizes));
  const isForward = step[along as Axis] > 0 === (end === 'last');
  const [forward, backward] = SIDES[along as Axis];
  return isForward ? forward : backward;
}

const SIDES: readonly [
  readonly [PatientSide, PatientSide],
  readonly [PatientSide, PatientSide],
  readonly [PatientSide, PatientSide],
] = [
  ['left', 'right'],
  ['posterior', 'anterior'],
  ['superior', 'inferior'],
];
