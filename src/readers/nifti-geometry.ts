import { InputError } from '../errors.ts';
import { createGeometry, dot, type Vector3, type VolumeGeometry } from '../volume/geometry.ts';
import type { Notice } from '../volume/volume.ts';

/** What a NIfTI header says of its grid, in RAS and its own units. */
export interface NiftiForms {
  readonly dimensions: readonly [number, number, number];
  readonly pixdim: Vector3;
  /** The rows srow_x, srow_y, srow_z; undefined if sform_code is 0. */
  readonly sform: readonly [AffineRow, AffineRow, AffineRow] | undefined;
  /** Undefined if qform_code is 0. */
  readonly qform: { readonly quaternion: Vector3; readonly offset: Vector3; readonly qfac: 1 | -1 } | undefined;
  /** xyzt_units & 7. */
  readonly spatialUnits: number;
}

type AffineRow = readonly [number, number, number, number];

const MILLIMETRES_PER_UNIT: ReadonlyMap<number, number> = new Map([
  [1, 1000],
  [2, 1],
  [3, 0.001],
]);

/** Cosines of axes that pass as perpendicular: as strict as createGeometry. */
const SHEAR_TOLERANCE = 1e-3;

/** The LPS geometry of a NIfTI file: its sform, else its qform, else its voxel sizes alone.
 * @throws InputError `gantry-tilt` if the sform is sheared, `invalid-geometry`
 * @see nifti1.h, "3D IMAGE (VOLUME) ORIENTATION AND LOCATION IN SPACE" */
export function niftiGeometry(
  forms: NiftiForms,
  name: string,
): { readonly geometry: VolumeGeometry; readonly notices: readonly Notice[] } {
  const notices: Notice[] = [];
  const scale = MILLIMETRES_PER_UNIT.get(forms.spatialUnits);
  if (scale === undefined) {
    notices.push({ code: 'units-assumed', message: `${name} names no unit of length: millimetres are assumed.` });
  }
  if (forms.sform === undefined && forms.qform === undefined) {
    notices.push({
      code: 'position-assumed',
      message: `${name} names neither position nor orientation: axes are taken to run to the right, to the front and up.`,
    });
  }
  const { steps, spacing, origin } =
    forms.sform === undefined ? stepsFromPixdim(forms, name) : stepsFromSform(forms.sform);
  const toLps = ([x, y, z]: Vector3, factor: number): Vector3 => [0 - x * factor, 0 - y * factor, z * factor];
  const direction = steps.map((step) => toLps(step, 1 / Math.hypot(...step))) as [Vector3, Vector3, Vector3];
  assertNotSheared(direction, name);
  const millimetres = scale ?? 1;
  const geometry = createGeometry({
    dimensions: forms.dimensions,
    spacing: [spacing[0] * millimetres, spacing[1] * millimetres, spacing[2] * millimetres],
    origin: toLps(origin, millimetres),
    direction,
  });
  return { geometry, notices };
}

interface Steps {
  /** Along i, j, k, of any length, RAS. */
  readonly steps: readonly [Vector3, Vector3, Vector3];
  readonly spacing: Vector3;
  readonly origin: Vector3;
}

function stepsFromSform([x, y, z]: NonNullable<NiftiForms['sform']>): Steps {
  const column = (n: 0 | 1 | 2 | 3): Vector3 => [x[n], y[n], z[n]];
  const steps = [column(0), column(1), column(2)] as const;
  const spacing: Vector3 = [Math.hypot(...steps[0]), Math.hypot(...steps[1]), Math.hypot(...steps[2])];
  return { steps, spacing, origin: column(3) };
}

/** Voxel sizes, turned by the qform's quaternion if there is one (nifti1.h, methods 1 and 2). */
function stepsFromPixdim({ pixdim, qform }: NiftiForms, name: string): Steps {
  if (pixdim.some((size) => !(size > 0))) {
    throw new InputError('invalid-geometry', `${name} has no usable voxel size: ${pixdim.join(' × ')}.`, {
      remedy: 'Write the file again with its voxel sizes.',
      details: { file: name, pixdim },
    });
  }
  const {
    quaternion: [b, c, d],
    offset: origin,
    qfac,
  } = qform ?? { quaternion: [0, 0, 0], offset: [0, 0, 0] as Vector3, qfac: 1 };
  // Rounding may push b² + c² + d² a little over 1: a half turn, a = 0.
  const a = Math.sqrt(Math.max(0, 1 - (b * b + c * c + d * d)));
  const steps: Steps['steps'] = [
    [a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)],
    [2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)],
    [2 * (b * d + a * c) * qfac, 2 * (c * d - a * b) * qfac, (a * a + d * d - c * c - b * b) * qfac],
  ];
  return { steps, spacing: pixdim, origin };
}

function assertNotSheared([i, j, k]: readonly [Vector3, Vector3, Vector3], name: string): void {
  const cosines = [dot(i, j), dot(j, k), dot(i, k)];
  const worst = cosines.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  if (!(Math.abs(worst) > SHEAR_TOLERANCE)) return;
  const degrees = (Math.acos(worst) * 180) / Math.PI;
  throw new InputError('gantry-tilt', `The axes of ${name} meet at ${degrees.toFixed(1)}°, not at right angles.`, {
    remedy: 'Resample the image to a grid with perpendicular axes first.',
    details: { file: name, degrees },
  });
}
