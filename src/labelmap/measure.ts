import { type Axis, indexToWorld, type Vector3, voxelVolumeMl, type WorldPoint } from '../volume/geometry.ts';
import type { Labelmap } from './labelmap.ts';
import type { SourceSeries } from '../volume/volume.ts';
import { labelmapOnSourceSlices } from './source-slices.ts';

/** The size and place of one segment. */
export interface SegmentMeasure {
  readonly segmentNumber: number;
  readonly voxelCount: number;
  readonly volumeMl: number;
  /** Mean of the voxel centres, LPS mm; undefined for an empty segment. */
  readonly centroid?: WorldPoint;
}

/** Measures every segment of a labelmap, in the order of its segments; labels without a segment are not counted. */
export function measureSegments(labelmap: Labelmap): SegmentMeasure[] {
  const { geometry, segments } = labelmap;
  const sums = sumIndices(labelmap);
  return segments.map(({ segmentNumber }) => {
    const [count, i, j, k] = sums.get(segmentNumber) ?? [0, 0, 0, 0];
    const size = { segmentNumber, voxelCount: count, volumeMl: count * voxelVolumeMl(geometry) };
    return count === 0 ? size : { ...size, centroid: indexToWorld(geometry, [i / count, j / count, k / count]) };
  });
}

type IndexSums = [count: number, i: number, j: number, k: number];

/** Voxel count and sums of i, j, k by label. Runs of one label in a row are added at once: most of a row is one. */
function sumIndices({ geometry, voxels }: Labelmap): Map<number, IndexSums> {
  const [columns, rows, slices] = geometry.dimensions;
  const sums = new Map<number, IndexSums>();
  for (let k = 0, row = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++, row += columns) {
      for (let i = 0; i < columns;) {
        const label = voxels[row + i] ?? 0;
        const start = i;
        do i++;
        while (i < columns && voxels[row + i] === label);
        if (label === 0) continue;
        const sum = sums.get(label) ?? [0, 0, 0, 0];
        const length = i - start;
        sum[0] += length;
        sum[1] += (length * (start + i - 1)) / 2;
        sum[2] += length * j;
        sum[3] += length * k;
        sums.set(label, sum);
      }
    }
  }
  return sums;
}

/** What a segment of a labelmap may lack of the structure that it stands for. */
export interface Wholeness {
  readonly segmentNumber: number;
  /** Where it touches the border of the images, or of the slices that were run. */
  readonly touchesBorder: readonly PatientSide[];
  /** Why its volume is a lower bound, to be read after it: "cut at the superior edge"; none for what is whole. */
  readonly reasons: readonly string[];
}

export interface WholenessOptions {
  /** The images; of an interpolated volume theirs are the borders, not those of the grid around them. */
  readonly source?: SourceSeries | undefined;
  /** Absent: all slices. */
  readonly slicesRun?: SlicesRun | undefined;
  /** Files beside the series could not be read and may belong to it. */
  readonly isSeriesIncomplete?: boolean | undefined;
}

/** Says of each segment, in the order of the labelmap's segments, whether its volume is that of a whole structure. */
export function wholenessOf(labelmap: Labelmap, options: WholenessOptions = {}): Wholeness[] {
  const { source, slicesRun, isSeriesIncomplete = false } = options;
  const { dimensions } = labelmap.geometry;
  const onImages = source === undefined ? labelmap : labelmapOnSourceSlices(labelmap, source);
  const touched = [
    // An interpolated grid has slices of its own: those that were run are named on it.
    ...(onImages === labelmap ? [] : bordersTouched(onImages)),
    ...(onImages === labelmap || slicesRun !== undefined ? bordersTouched(labelmap, slicesRun) : []),
  ];
  const ofAll = [
    ...(slicesRun === undefined
      ? []
      : [`in ${String(slicesRun.slices.length)} of ${String(dimensions[slicesRun.axis])} slices`]),
    ...(dimensions.includes(1) ? ['in a single slice'] : []),
    ...(isSeriesIncomplete ? ['of an incomplete series'] : []),
  ];
  return labelmap.segments.map(({ segmentNumber }) => {
    const own = touched.filter((border) => border.segmentNumber === segmentNumber).map(({ side }) => side);
    const touchesBorder = [...new Set(own)];
    return {
      segmentNumber,
      touchesBorder,
      reasons: [...(touchesBorder.length === 0 ? [] : [`cut at ${nameEdges(touchesBorder)}`]), ...ofAll],
    };
  });
}

/** Sides in words: "the superior edge", "the left, anterior and superior edges". */
export function nameEdges(sides: readonly PatientSide[]): string {
  const last = sides.at(-1) ?? '';
  const others = sides.slice(0, -1);
  return others.length === 0 ? `the ${last} edge` : `the ${others.join(', ')} and ${last} edges`;
}

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
