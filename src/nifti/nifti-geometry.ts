import { InputError } from '../errors.ts';
import { createGeometry, cross, dot, normalised, type Vector3, type VolumeGeometry } from '../volume/geometry.ts';
import { planResampling, type ParallelSlices, type StackResampling } from '../volume/resample.ts';
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
/** A slice axis along which voxels are this much smaller than along another one was hardly acquired so. */
const PERMUTED_RATIO = 1.5;
/** The most that NIfTI-1 can hold, and more than any scan: each is planned for before the voxels are read. */
const MAX_LEANING_SLICES = 2 ** 15;

export interface NiftiGeometry {
  readonly geometry: VolumeGeometry;
  /** How the voxels become those of the geometry, where the stored grid is sheared. */
  readonly resampling?: StackResampling;
  readonly notices: readonly Notice[];
}

/** The LPS geometry of a NIfTI file: its sform, else its qform, else its voxel sizes alone. An sform of zeros or NaN gives
 * way to a qform, and voxel sizes count only where the sform does not; a notice says so, and where the forms differ.
 * @param resample a third axis that leans, as after a scan with a tilted gantry, is interpolated away
 * @throws InputError `gantry-tilt` if the sform is sheared otherwise, `invalid-geometry`
 * @see nifti1.h, "3D IMAGE (VOLUME) ORIENTATION AND LOCATION IN SPACE" */
export function niftiGeometry(
  stated: NiftiForms,
  name: string,
  { resample }: { readonly resample?: boolean | undefined } = {},
): NiftiGeometry {
  const { forms, notices: doubts } = usableForms(stated, name);
  if (forms.sform === undefined) assertVoxelSizes(forms, name);
  const { steps, spacing, origin } =
    forms.sform === undefined ? stepsFromPixdim(forms) : stepsFromSform(forms.sform, forms);
  const millimetres = MILLIMETRES_PER_UNIT.get(forms.spatialUnits) ?? 1;
  const toLps = ([x, y, z]: Vector3, factor: number): Vector3 => [0 - x * factor, 0 - y * factor, z * factor];
  const direction = steps.map((step) => toLps(step, 1 / Math.hypot(...step))) as [Vector3, Vector3, Vector3];
  const stored = {
    dimensions: forms.dimensions,
    spacing: [spacing[0] * millimetres, spacing[1] * millimetres, spacing[2] * millimetres] as const,
    origin: toLps(origin, millimetres),
    direction,
  };
  const notices = [...doubts, ...assumptions(forms, name), ...permutedAxes(stored, name)];
  const lean = largestCosine(direction);
  if (!(Math.abs(lean) > SHEAR_TOLERANCE)) return { geometry: createGeometry(stored), notices };
  const [i, j] = direction;
  if (resample !== true || Math.abs(dot(i, j)) > SHEAR_TOLERANCE) throw sheared(lean, name);
  if (stored.dimensions[2] > MAX_LEANING_SLICES) throw tooManyLeaning(stored.dimensions[2], name);
  const resampling = planResampling(uprightSlices(stored));
  const { dimensions } = resampling.geometry;
  const message =
    `The axes of ${name} meet at ${degreesOf(lean)}°, not at right angles. ` +
    `The image was interpolated onto ${dimensions.join(' × ')} voxels.`;
  return { geometry: resampling.geometry, resampling, notices: [...notices, { code: 'resampled', message }] };
}

/** The forms without what cannot be one, and what a user should know of them. */
function usableForms(forms: NiftiForms, name: string): { forms: NiftiForms; notices: Notice[] } {
  const { sform, qform, pixdim } = forms;
  if (sform === undefined) return { forms, notices: [] };
  const isQformUsable = qform !== undefined && hasVoxelSizes(forms) && isQform(qform);
  if (!isSform(sform, forms)) {
    if (!isQformUsable) return { forms, notices: [] };
    const message = `The sform of ${name} is of zeros or has no numbers: its qform is taken.`;
    return { forms: { ...forms, sform: undefined }, notices: [{ code: 'sform-not-usable', message }] };
  }
  if (!hasVoxelSizes(forms)) {
    const message = `The voxel sizes of ${name} (pixdim ${pixdim.join(' × ')}) cannot be ones: those of its sform are taken.`;
    return { forms, notices: [{ code: 'voxel-sizes-not-usable', message }] };
  }
  return { forms, notices: isQformUsable ? differingForms(forms, sform, name) : [] };
}

function isSform(rows: NonNullable<NiftiForms['sform']>, forms: NiftiForms): boolean {
  const { steps } = stepsFromSform(rows, forms);
  const [i, j, k] = steps;
  const volume = Math.abs(dot(cross(i, j), k));
  return rows.flat().every(Number.isFinite) && volume > 1e-6 * Math.hypot(...i) * Math.hypot(...j) * Math.hypot(...k);
}

function isQform({ quaternion, offset }: NonNullable<NiftiForms['qform']>): boolean {
  return [...quaternion, ...offset].every(Number.isFinite) && Math.hypot(...quaternion) < 1 + 1e-3;
}

/** Parts of the smallest voxel that both forms may be apart at the corners: float32 and quaternions round. */
const FORMS_TOLERANCE = 0.1;

function differingForms(forms: NiftiForms, sform: NonNullable<NiftiForms['sform']>, name: string): Notice[] {
  const [s, q] = [stepsFromSform(sform, forms), stepsFromPixdim(forms)];
  const corner = (form: Steps, n: number): number[] => {
    const ends = forms.dimensions.map((size, axis) => ((n >> axis) & 1) * (size - 1));
    return [0, 1, 2].map((row) =>
      form.steps.reduce(
        (sum, step, axis) => {
          const length = Math.hypot(...step);
          return sum + ((ends[axis] ?? 0) * (form.spacing[axis as 0 | 1 | 2] * step[row as 0 | 1 | 2])) / length;
        },
        form.origin[row as 0 | 1 | 2],
      ),
    );
  };
  const distance = Math.max(
    ...Array.from({ length: 8 }, (_, n) => {
      const [a, b] = [corner(s, n), corner(q, n)];
      return Math.hypot(...a.map((value, row) => value - (b[row] ?? 0)));
    }),
  );
  const millimetres = MILLIMETRES_PER_UNIT.get(forms.spatialUnits) ?? 1;
  if (!(distance > FORMS_TOLERANCE * Math.min(...s.spacing))) return [];
  const message =
    `The sform and the qform of ${name} place its voxels up to ${(distance * millimetres).toPrecision(3)} mm apart: the sform is taken. ` +
    'Programs differ in which they take; a labelmap carries both.';
  return [{ code: 'forms-differ', message }];
}

function hasVoxelSizes({ pixdim, dimensions }: Pick<NiftiForms, 'pixdim' | 'dimensions'>): boolean {
  return pixdim.every((size, axis) => size > 0 || dimensions[axis as 0 | 1 | 2] === 1);
}

/** Voxel sizes must be there for every axis with more than one voxel, unless the sform has them. */
function assertVoxelSizes({ pixdim, dimensions }: NiftiForms, name: string): void {
  if (hasVoxelSizes({ pixdim, dimensions })) return;
  throw new InputError('invalid-geometry', `${name} has no usable voxel size: ${pixdim.join(' × ')}.`, {
    remedy: 'Write the file again with its voxel sizes.',
    details: { file: name, pixdim },
  });
}

function assumptions({ spatialUnits, sform, qform }: NiftiForms, name: string): Notice[] {
  const notices: Notice[] = [];
  const scale = MILLIMETRES_PER_UNIT.get(spatialUnits);
  if (scale === undefined) {
    notices.push({ code: 'units-assumed', message: `${name} names no unit of length: millimetres are assumed.` });
  } else if (scale !== 1) {
    const unit = scale > 1 ? 'metres' : 'micrometres';
    notices.push({ code: 'units-converted', message: `The lengths of ${name} are in ${unit}: taken as such.` });
  }
  if (sform === undefined && qform === undefined) {
    notices.push({
      code: 'position-assumed',
      message: `${name} names neither position nor orientation: axes are taken to run to the right, to the front and up.`,
    });
  }
  return notices;
}

/** Scanners stack the plane of the finest voxels; where those are not along i and j, axes were probably exchanged. */
function permutedAxes({ spacing, dimensions }: Pick<VolumeGeometry, 'spacing' | 'dimensions'>, name: string): Notice[] {
  const coarsest = Math.max(spacing[0], spacing[1]);
  if (dimensions[2] === 1 || !(coarsest > PERMUTED_RATIO * spacing[2])) return [];
  const axis = spacing[0] >= spacing[1] ? 'first' : 'second';
  const sizes = spacing.map((mm) => Number(mm.toFixed(3))).join(' × ');
  return [
    {
      code: 'slice-axis-doubtful',
      message:
        `The voxels of ${name} (${sizes} mm) are largest along its ${axis} axis, yet slices are taken along its third, ` +
        'as NIfTI has them: reorder the axes if the scanner stacked its slices otherwise, or name its DICOM series as reference.',
      option: 'reference',
    },
  ];
}

/** Slices across a leaning third axis, with their normal in its place. */
function uprightSlices(
  stored: Pick<VolumeGeometry, 'dimensions' | 'spacing' | 'origin' | 'direction'>,
): ParallelSlices {
  const [i, j, k] = stored.direction;
  const across = normalised(cross(i, j));
  const sign = dot(across, k) < 0 ? -1 : 1;
  const normal: Vector3 = [sign * across[0], sign * across[1], sign * across[2]];
  const [x, y, z] = stored.origin;
  const positions = Array.from({ length: stored.dimensions[2] }, (_, n): Vector3 => {
    const length = n * stored.spacing[2];
    return [x + length * k[0], y + length * k[1], z + length * k[2]];
  });
  const gap = stored.spacing[2] * dot(k, normal);
  return {
    geometry: { ...stored, spacing: [stored.spacing[0], stored.spacing[1], gap], direction: [i, j, normal] },
    positions,
  };
}

interface Steps {
  /** Along i, j, k, of any length, RAS. */
  readonly steps: readonly [Vector3, Vector3, Vector3];
  readonly spacing: Vector3;
  readonly origin: Vector3;
}

function stepsFromSform([x, y, z]: NonNullable<NiftiForms['sform']>, { dimensions, pixdim }: NiftiForms): Steps {
  const column = (n: 0 | 1 | 2 | 3): Vector3 => [x[n], y[n], z[n]];
  const [i, j, k] = [column(0), column(1), column(2)];
  // A plane's third axis may be left out.
  const isPlane = dimensions[2] === 1 && Math.hypot(...k) === 0;
  const steps = [i, j, isPlane ? cross(i, j) : k] as const;
  const thickness = isPlane ? positiveOr1(pixdim[2]) : Math.hypot(...k);
  return { steps, spacing: [Math.hypot(...i), Math.hypot(...j), thickness], origin: column(3) };
}

/** Voxel sizes, turned by the qform's quaternion if there is one (nifti1.h, methods 1 and 2). */
function stepsFromPixdim({ pixdim, qform }: NiftiForms): Steps {
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
  return { steps, spacing: [positiveOr1(pixdim[0]), positiveOr1(pixdim[1]), positiveOr1(pixdim[2])], origin };
}

function positiveOr1(size: number): number {
  return size > 0 ? size : 1;
}

function largestCosine([i, j, k]: readonly [Vector3, Vector3, Vector3]): number {
  return [dot(i, j), dot(j, k), dot(i, k)].reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
}

function degreesOf(cosine: number): string {
  return ((Math.acos(cosine) * 180) / Math.PI).toFixed(1);
}

function sheared(cosine: number, name: string): InputError {
  return new InputError('gantry-tilt', `The axes of ${name} meet at ${degreesOf(cosine)}°, not at right angles.`, {
    remedy: 'Have the image interpolated onto an upright grid; its rows and columns must be perpendicular.',
    details: { option: 'resample', file: name, cosine },
  });
}

function tooManyLeaning(slices: number, name: string): InputError {
  return new InputError(
    'gantry-tilt',
    `The third axis of ${name} leans and has ${slices} voxels; at most ${MAX_LEANING_SLICES} are interpolated.`,
    { remedy: 'Write the image again on an upright grid.', details: { file: name, slices } },
  );
}
