import { cross, dot, normalised, type Vector3 } from '../volume/geometry.ts';
import type { DicomInstance } from './dicom-instance.ts';
import type { SlicePlace } from './regular-grid.ts';
import type { SliceHeader } from './slice-header.ts';

export interface StackedSlice {
  readonly instance: DicomInstance;
  readonly header: SliceHeader;
}

/** A slice with its place among those of its series. */
export interface PlacedSlice extends SlicePlace {
  readonly slice: StackedSlice;
  /** Equal for slices of one orientation. */
  readonly plane: number;
  /** Equal for slices of one orientation and depth; rises with the depth. */
  readonly place: number;
}

/** Components of one series' direction cosines agree to this: 0.05 mm at the edge of a 500 mm image. */
export const ORIENTATION_TOLERANCE = 1e-4;
/** Slices of one orientation closer than this are at one place. Scanners write positions to a micrometre or so
 * (Sunnybrook's gaps differ by 0.0007 mm). */
const POSITION_TOLERANCE_MM = 0.01;

/** By orientation, then by rising depth along the normal of the first slice of each. */
export function placeSlices(slices: readonly StackedSlice[]): PlacedSlice[] {
  const placed: PlacedSlice[] = [];
  let place = 0;
  let plane = 0;
  for (let rest = slices; rest.length > 0; plane++) {
    const [first] = rest;
    if (first === undefined) break;
    const { rowDirection, columnDirection } = first.header;
    const normal = normalOf(first.header);
    const parallel = rest
      .filter(({ header }) => isParallel(header, first.header))
      .map((slice) => ({
        slice,
        depth: dot(slice.header.position, normal),
        row: dot(slice.header.position, rowDirection),
        column: dot(slice.header.position, columnDirection),
      }))
      .sort((a, b) => a.depth - b.depth);
    parallel.forEach((each, n) => {
      if (n === 0 || each.depth - (parallel[n - 1]?.depth ?? 0) > POSITION_TOLERANCE_MM) place++;
      placed.push({ ...each, place, plane });
    });
    rest = rest.filter(({ header }) => !isParallel(header, first.header));
  }
  return placed;
}

export function normalOf({ rowDirection, columnDirection }: SliceHeader): Vector3 {
  return normalised(cross(rowDirection, columnDirection));
}

export function isParallel(a: SliceHeader, b: SliceHeader): boolean {
  return areNear(a.rowDirection, b.rowDirection) && areNear(a.columnDirection, b.columnDirection);
}

function areNear(a: Vector3, b: Vector3): boolean {
  return a.every((cosine, axis) => Math.abs(cosine - (b[axis] ?? NaN)) <= ORIENTATION_TOLERANCE);
}
