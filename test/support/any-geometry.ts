import fc from 'fast-check';
import { createGeometry, cross, normalised, type Vector3, type VolumeGeometry } from '../../src/volume/geometry.ts';

export interface GeometryLimits {
  /** Largest dimensions. */
  readonly dimensions: readonly [number, number, number];
  /** Whether the third axis may run against the cross product of the others, as it never does in DICOM. */
  readonly leftHanded: boolean;
}

/** Any small grid in any orientation. */
export function anyGeometry({ dimensions: [i, j, k], leftHanded }: GeometryLimits): fc.Arbitrary<VolumeGeometry> {
  return fc
    .record({
      dimensions: fc.tuple(size(i), size(j), size(k)),
      spacing: anyVector(0.3, 12),
      origin: anyVector(-500, 500),
      axis: anyVector(-1, 1),
      other: anyVector(-1, 1),
      turned: leftHanded ? fc.boolean() : fc.constant(false),
    })
    .filter(({ axis, other }) => Math.hypot(...axis) > 0.1 && Math.hypot(...cross(axis, other)) > 0.1)
    .map(({ dimensions, spacing, origin, axis, other, turned }) => {
      const first = normalised(axis);
      const normal = normalised(cross(first, other));
      const third: Vector3 = turned ? [-normal[0], -normal[1], -normal[2]] : normal;
      const direction = [first, normalised(cross(normal, first)), third] as const;
      return createGeometry({ dimensions, spacing, origin, direction });
    });
}

function anyVector(min: number, max: number): fc.Arbitrary<Vector3> {
  const component = fc.double({ min, max, noNaN: true });
  return fc.tuple(component, component, component);
}

function size(max: number): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max });
}
