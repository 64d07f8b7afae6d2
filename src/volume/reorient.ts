import { AXIS_ORDERS, cross, dot, type Axis, type VolumeGeometry } from './geometry.ts';
import type { VoxelArray } from './volume.ts';

export type SliceAxis = 'acquired' | 'axial' | 'sagittal' | 'coronal';

/** A voxel grid seen along other axes, without a copy: voxel (column, row, slice) of the view is
 * voxels[offset + column · strides.column + row · strides.row + slice · strides.slice]. */
export interface GridView {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  /** Distance of neighbouring columns and rows in mm. */
  readonly spacing: { readonly column: number; readonly row: number };
  readonly offset: number;
  readonly strides: { readonly column: number; readonly row: number; readonly slice: number };
  /** The index axis of the grid that the view's slices are stacked along. */
  readonly sliceAxis: Axis;
  /** Whether slice 0 of the view is the grid's last along that axis. */
  readonly sliceFlipped: boolean;
}

const PATIENT_AXIS = { sagittal: 0, coronal: 1, axial: 2 } as const;

/** Views a grid as a model wants it.
 * @param sliceAxis 'acquired' stacks along k; the others along the index axis nearest to the patient axis they name
 * @param orientation 'LPS' flips every axis to run to the left, back and head, and takes the in-plane axes in that
 * order, columns first; 'any' keeps the stored order, and turns the rows of a left-handed grid round: so a NIfTI file
 * whose rows were mirrored on conversion is seen as its DICOM series, which is right-handed (PS3.3 C.7.6.2.1.1).
 * Oblique grids go to the nearest axes: nothing is resampled, so a result maps back voxel by voxel */
export function viewGrid(geometry: VolumeGeometry, sliceAxis: SliceAxis, orientation: 'LPS' | 'any'): GridView {
  const { dimensions, spacing, direction } = geometry;
  const patientAxes = nearestPatientAxes(geometry);
  const stacked = stackedAxis(geometry, sliceAxis);
  const inPlane = ([0, 1, 2] as const).filter((axis) => axis !== stacked);
  if (orientation === 'LPS') inPlane.sort((a, b) => patientAxes[a] - patientAxes[b]);
  const [across, down] = inPlane as [Axis, Axis];

  const steps = [1, dimensions[0], dimensions[0] * dimensions[1]] as const;
  const isLeftHanded = dot(cross(direction[0], direction[1]), direction[2]) < 0;
  const isFlipped = (axis: Axis): boolean =>
    orientation === 'LPS' ? direction[axis][patientAxes[axis]] < 0 : axis === down && isLeftHanded;
  const stride = (axis: Axis): number => (isFlipped(axis) ? -steps[axis] : steps[axis]);
  const start = (axis: Axis): number => (isFlipped(axis) ? (dimensions[axis] - 1) * steps[axis] : 0);
  return {
    columns: dimensions[across],
    rows: dimensions[down],
    slices: dimensions[stacked],
    spacing: { column: spacing[across], row: spacing[down] },
    offset: start(0) + start(1) + start(2),
    strides: { column: stride(across), row: stride(down), slice: stride(stacked) },
    sliceAxis: stacked,
    sliceFlipped: isFlipped(stacked),
  };
}

/** The index axis of a grid that slices are stacked along; see {@link viewGrid}. */
export function stackedAxis(geometry: VolumeGeometry, sliceAxis: SliceAxis): Axis {
  return sliceAxis === 'acquired' ? 2 : axisAlong(nearestPatientAxes(geometry), PATIENT_AXIS[sliceAxis]);
}

/** The view's slice for slice `index` of the grid along its slice axis, and back: the map is its own inverse. */
export function flipSliceIndex({ slices, sliceFlipped }: GridView, index: number): number {
  return sliceFlipped ? slices - 1 - index : index;
}

/** The view of one slice that has an array of its own, in the grid's own order, the faster axis first. */
export function sliceGrid(view: GridView): GridView {
  const { columns, rows, strides } = view;
  const columnsAreFaster = Math.abs(strides.column) < Math.abs(strides.row);
  const column = Math.sign(strides.column) * (columnsAreFaster ? 1 : rows);
  const row = Math.sign(strides.row) * (columnsAreFaster ? columns : 1);
  const offset = (column < 0 ? -column * (columns - 1) : 0) + (row < 0 ? -row * (rows - 1) : 0);
  return { ...view, offset, strides: { column, row, slice: 0 } };
}

/** Slice `index` of the grid along the view's slice axis, in the grid's own order, the faster axis first:
 * a view into `voxels` where slices are stacked along k, else a copy. */
export function sourceSlice<T extends VoxelArray>(
  voxels: T,
  { dimensions }: VolumeGeometry,
  sliceAxis: Axis,
  index: number,
): T {
  const [columns, rows, slices] = dimensions;
  const plane = columns * rows;
  if (sliceAxis === 2) return voxels.subarray(index * plane, (index + 1) * plane) as T;
  const [length, count] = sliceAxis === 0 ? [rows, slices] : [columns, slices];
  const copy = voxels.slice(0, length * count) as T;
  for (let k = 0, at = 0; k < count; k++) {
    for (let n = 0; n < length; n++, at++) {
      copy[at] = voxels[k * plane + (sliceAxis === 0 ? index + n * columns : n + index * columns)] ?? 0;
    }
  }
  return copy;
}

/** Writes a slice as {@link sourceSlice} gives it to its place among the voxels. */
export function placeSlice(
  slice: VoxelArray,
  voxels: VoxelArray,
  { dimensions }: Pick<VolumeGeometry, 'dimensions'>,
  sliceAxis: Axis,
  index: number,
): void {
  const [columns, rows, slices] = dimensions;
  const plane = columns * rows;
  if (sliceAxis === 2) {
    voxels.set(slice, index * plane);
    return;
  }
  const length = sliceAxis === 0 ? rows : columns;
  for (let k = 0, at = 0; k < slices; k++) {
    for (let n = 0; n < length; n++, at++) {
      voxels[k * plane + (sliceAxis === 0 ? index + n * columns : n + index * columns)] = slice[at] ?? 0;
    }
  }
}

/** The patient axis (0 L, 1 P, 2 S) of each index axis: the assignment whose cosines sum highest, so that two
 * axes of an oblique grid never claim the same one. */
function nearestPatientAxes({ direction }: VolumeGeometry): readonly [Axis, Axis, Axis] {
  const fit = ([a, b, c]: readonly [Axis, Axis, Axis]): number =>
    Math.abs(direction[0][a]) + Math.abs(direction[1][b]) + Math.abs(direction[2][c]);
  return AXIS_ORDERS.reduce((best, next) => (fit(next) > fit(best) ? next : best));
}

function axisAlong(patientAxes: readonly [Axis, Axis, Axis], patientAxis: Axis): Axis {
  if (patientAxes[0] === patientAxis) return 0;
  return patientAxes[1] === patientAxis ? 1 : 2;
}
