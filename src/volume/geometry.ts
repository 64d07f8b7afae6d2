import { InputError } from '../errors.ts';

declare const frame: unique symbol;

/** Voxel indices (i, j, k), i fastest; integers at voxel centres, fractions between. */
export type IndexPoint = readonly [i: number, j: number, k: number] & { readonly [frame]?: 'index' };
/** A point in millimetres in LPS: +x to the patient's left, +y posterior, +z to the head (PS3.3 C.7.6.2.1.1). */
export type WorldPoint = readonly [x: number, y: number, z: number] & { readonly [frame]?: 'LPS' };

export type Vector3 = readonly [number, number, number];
/** An index axis (i, j, k) or a patient axis (L, P, S). */
export type Axis = 0 | 1 | 2;
/** The ways to assign three axes to three others. */
export const AXIS_ORDERS: readonly (readonly [Axis, Axis, Axis])[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];
/** Row n is the unit LPS vector of one step along index axis n: Cornerstone's flat 9-array, ITK's matrix transposed. */
export type Direction = readonly [Vector3, Vector3, Vector3];

/** A regular grid of voxels in the patient: LPS, millimetres, voxel centres. Immutable. */
export interface VolumeGeometry {
  /** Voxels along i, j, k; i is the fastest axis in memory. */
  readonly dimensions: readonly [number, number, number];
  /** Distance of neighbouring voxel centres along i, j, k in mm. */
  readonly spacing: Vector3;
  /** Centre of voxel (0, 0, 0) in LPS mm. */
  readonly origin: WorldPoint;
  readonly direction: Direction;
  readonly frameOfReferenceUID?: string;
}

/** Directions this far from unit length or from each other's normal are refused: DICOM writes six digits or so. */
const DIRECTION_TOLERANCE = 1e-3;

/** Checks and freezes a geometry.
 * @throws InputError `invalid-geometry` if a dimension is no positive integer, a spacing is not positive, or the
 * directions are not orthonormal to 1e-3 */
export function createGeometry(geometry: VolumeGeometry): VolumeGeometry {
  const { dimensions, spacing, origin, direction } = geometry;
  const refuse = (what: string): never => {
    throw new InputError('invalid-geometry', `The image has no usable geometry: ${what}.`, {
      remedy: 'Export the image again with its position, orientation and spacing.',
      details: { dimensions, spacing, origin, direction },
    });
  };
  if (dimensions.some((n) => !Number.isInteger(n) || n < 1)) {
    refuse(`its dimensions are ${dimensions.join(' × ')}`);
  }
  if (spacing.some((s) => !(s > 0) || !Number.isFinite(s))) refuse(`its spacing is ${spacing.join(' × ')} mm`);
  if (origin.some((v) => !Number.isFinite(v))) refuse(`its origin is ${origin.join(', ')} mm`);
  for (const a of [0, 1, 2] as const) {
    for (const b of [0, 1, 2] as const) {
      const expected = a === b ? 1 : 0;
      if (!(Math.abs(dot(direction[a], direction[b]) - expected) <= DIRECTION_TOLERANCE)) {
        refuse(`its axes ${direction.map((v) => `(${v.join(', ')})`).join(' ')} are not orthonormal`);
      }
    }
  }
  return Object.freeze({ ...geometry });
}

export function voxelCount({ dimensions: [i, j, k] }: Pick<VolumeGeometry, 'dimensions'>): number {
  return i * j * k;
}

/** Millilitres of one voxel. */
export function voxelVolumeMl({ spacing: [i, j, k] }: Pick<VolumeGeometry, 'spacing'>): number {
  return (i * j * k) / 1000;
}

export function indexToWorld({ spacing, origin, direction }: VolumeGeometry, [i, j, k]: IndexPoint): WorldPoint {
  const steps: Vector3 = [i * spacing[0], j * spacing[1], k * spacing[2]];
  return [0, 1, 2].map(
    (axis) =>
      at(origin, axis) +
      steps[0] * at(direction[0], axis) +
      steps[1] * at(direction[1], axis) +
      steps[2] * at(direction[2], axis),
  ) as unknown as WorldPoint;
}

/** The inverse of {@link indexToWorld}; the result is not clipped to the grid. */
export function worldToIndex({ spacing, origin, direction }: VolumeGeometry, point: WorldPoint): IndexPoint {
  const offset: Vector3 = [point[0] - origin[0], point[1] - origin[1], point[2] - origin[2]];
  return [
    dot(offset, direction[0]) / spacing[0],
    dot(offset, direction[1]) / spacing[1],
    dot(offset, direction[2]) / spacing[2],
  ];
}

/** Largest distance in mm between equal corners of two grids; Infinity if the dimensions differ.
 * Corners, because an error of direction or spacing is largest there. */
export function gridDistanceMm(a: VolumeGeometry, b: VolumeGeometry): number {
  if (a.dimensions.some((n, axis) => n !== b.dimensions[axis])) return Infinity;
  const [i, j, k] = a.dimensions;
  let distance = 0;
  for (let corner = 0; corner < 8; corner++) {
    const index: IndexPoint = [corner & 1 ? i - 1 : 0, corner & 2 ? j - 1 : 0, corner & 4 ? k - 1 : 0];
    const p = indexToWorld(a, index);
    const q = indexToWorld(b, index);
    distance = Math.max(distance, Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
  }
  return distance;
}

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function normalised(v: Vector3): Vector3 {
  const length = Math.hypot(...v);
  return [v[0] / length, v[1] / length, v[2] / length];
}

function at(v: Vector3, axis: number): number {
  return v[axis as 0 | 1 | 2];
}
