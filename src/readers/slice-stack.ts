import { InputError, IrregularSlicesError } from '../errors.ts';
import { createGeometry, cross, dot, normalised, type Vector3, type VolumeGeometry } from '../volume/geometry.ts';
import type { Notice } from '../volume/volume.ts';
import type { DicomInstance } from './dicom-instance.ts';
import type { SliceHeader } from './slice-header.ts';

export interface StackedSlice {
  readonly instance: DicomInstance;
  readonly header: SliceHeader;
}

export interface SliceStack {
  /** By increasing position along the slice normal: slice k of the volume is the k-th. */
  readonly slices: readonly StackedSlice[];
  readonly geometry: VolumeGeometry;
  readonly notices: readonly Notice[];
}

/** Components of one series' direction cosines agree to this: 0.05 mm at the edge of a 500 mm image. */
const ORIENTATION_TOLERANCE = 1e-4;
/** Positions closer than this along the normal are one position; also the least tolerance of a gap. Scanners write
 * positions to a micrometre or so (Sunnybrook's gaps differ by 0.0007 mm). */
const POSITION_TOLERANCE_MM = 0.01;
const GAP_TOLERANCE = 0.01;
/** A stack leans if it leaves its normal by more than this part of its length: 0.06°. */
const TILT_TOLERANCE = 1e-3;

/** Sorts the images of one series along the slice normal and checks that they form one regular, upright grid.
 * @param instances at least one, any order
 * @throws the first instance's own problem; InputError `mixed-images`, `mixed-orientations`, `several-volumes`,
 * `duplicate-slices`, `gantry-tilt`; IrregularSlicesError if a gap differs from the median by more than 1 % and 0.01 mm
 * @see DICOM PS3.3 C.7.6.2.1.1 */
export function stackSlices(instances: readonly DicomInstance[]): SliceStack {
  const slices = instances.map((instance): StackedSlice => {
    if (instance.slice instanceof InputError) throw instance.slice;
    return { instance, header: instance.slice };
  });
  const [any] = slices;
  if (any === undefined) throw new RangeError('A stack needs at least one slice.');
  assertOneOrientation(slices, any.header);
  assertOneImageFormat(slices, any.header);

  const normal = normalised(cross(any.header.rowDirection, any.header.columnDirection));
  const depth = ({ header }: StackedSlice): number => dot(header.position, normal);
  const sorted = slices.toSorted((a, b) => depth(a) - depth(b));
  const depths = sorted.map(depth);
  assertOneImageAPosition(sorted, depths);
  assertUpright(sorted, any.header, normal);
  assertRegular(sorted, depths);
  return { slices: sorted, ...geometryOf(sorted, depths, normal) };
}

function assertOneOrientation(slices: readonly StackedSlice[], first: SliceHeader): void {
  const isFirst = ({ header }: StackedSlice): boolean =>
    [...header.rowDirection, ...header.columnDirection].every(
      (cosine, n) =>
        Math.abs(cosine - ([...first.rowDirection, ...first.columnDirection][n] ?? NaN)) <= ORIENTATION_TOLERANCE,
    );
  const others = slices.filter((slice) => !isFirst(slice));
  if (others.length === 0) return;
  throw new InputError(
    'mixed-orientations',
    `The images of the series are not parallel: ${slices.length - others.length} lie like the first, ${others.length} otherwise.`,
    {
      remedy: 'Pass the files of one orientation only; localizers (scouts) are no volume.',
      details: { otherwise: others.map(({ instance }) => instance.file.name) },
    },
  );
}

function assertOneImageFormat(slices: readonly StackedSlice[], first: SliceHeader): void {
  for (const { header, instance } of slices) {
    const { format, pixelSpacing } = header;
    if (format.rows !== first.format.rows || format.columns !== first.format.columns) {
      throw mixedImages(
        `images of ${first.format.columns} × ${first.format.rows} and of ${format.columns} × ${format.rows} pixels`,
        instance,
      );
    }
    if (pixelSpacing.some((mm, axis) => Math.abs(mm / first.pixelSpacing[axis as 0 | 1] - 1) > ORIENTATION_TOLERANCE)) {
      throw mixedImages(
        `pixels of ${first.pixelSpacing.join(' × ')} mm and of ${pixelSpacing.join(' × ')} mm`,
        instance,
      );
    }
  }
}

function mixedImages(what: string, { file }: DicomInstance): InputError {
  return new InputError('mixed-images', `The series has ${what}: ${file.name} differs from the first.`, {
    remedy: 'Pass the files of one acquisition only.',
    details: { file: file.name },
  });
}

function assertOneImageAPosition(sorted: readonly StackedSlice[], depths: readonly number[]): void {
  const positions: StackedSlice[][] = [];
  sorted.forEach((slice, k) => {
    const isNew = k === 0 || (depths[k] ?? 0) - (depths[k - 1] ?? 0) > POSITION_TOLERANCE_MM;
    if (isNew) positions.push([slice]);
    else positions.at(-1)?.push(slice);
  });
  const shared = positions.filter((slices) => slices.length > 1);
  const [example] = shared;
  if (example === undefined) return;
  const uids = example.map(({ instance }) => instance.sopInstanceUID).filter((uid) => uid !== '');
  const distinguishing = new Set(uids).size === uids.length ? distinguishingAttributes(example) : [];
  if (distinguishing.length === 0) {
    const names = example.map(({ instance }) => instance.file.name);
    throw new InputError(
      'duplicate-slices',
      `${shared.length} of ${positions.length} positions have more than one image, and nothing tells them apart: ${listed(names)}.`,
      { remedy: 'Pass each image once.', details: { files: names } },
    );
  }
  throw new InputError(
    'several-volumes',
    `The series holds ${example.length} images at ${shared.length === positions.length ? 'each position' : 'some positions'}, ` +
      `not one volume: they differ in ${distinguishing.map(({ keyword, values }) => `${keyword} (${listed(values)})`).join(', ')}.`,
    {
      remedy: 'Pass only the files of one phase, echo or time point.',
      details: { positions: positions.length, imagesAPosition: example.length, distinguishing },
    },
  );
}

function distinguishingAttributes(slices: readonly StackedSlice[]) {
  return [...(slices[0]?.instance.distinguishing.keys() ?? [])]
    .map((keyword) => ({
      keyword,
      values: [...new Set(slices.map(({ instance }) => instance.distinguishing.get(keyword) ?? ''))],
    }))
    .filter(({ values }) => values.length > 1);
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 6).map((value) => value || 'none');
  return shown.join(', ') + (values.length > shown.length ? `, … (${values.length} in all)` : '');
}

/** A tilted gantry, or slices shifted in their plane: the grid would be sheared. */
function assertUpright(sorted: readonly StackedSlice[], any: SliceHeader, normal: Vector3): void {
  const start = sorted[0]?.header.position ?? any.position;
  for (const { header, instance } of sorted) {
    const [x, y, z] = header.position;
    const offset: Vector3 = [x - start[0], y - start[1], z - start[2]];
    const alongNormal = dot(offset, normal);
    const inPlane = Math.hypot(dot(offset, any.rowDirection), dot(offset, any.columnDirection));
    if (inPlane <= Math.max(POSITION_TOLERANCE_MM, TILT_TOLERANCE * alongNormal)) continue;
    const degrees = (Math.atan2(inPlane, alongNormal) * 180) / Math.PI;
    throw new InputError(
      'gantry-tilt',
      `The slices are not stacked at right angles: ${instance.file.name} lies ${inPlane.toFixed(2)} mm aside of the first slice's normal at ${alongNormal.toFixed(2)} mm (${degrees.toFixed(1)}°).`,
      {
        remedy: 'Correct the gantry tilt first, for example with dcm2niix, and load the resulting NIfTI.',
        details: { inPlaneMm: inPlane, alongNormalMm: alongNormal, degrees, file: instance.file.name },
      },
    );
  }
}

function assertRegular(sorted: readonly StackedSlice[], depths: readonly number[]): void {
  const gaps = depths.slice(1).map((depth, k) => depth - (depths[k] ?? 0));
  if (gaps.length < 2) return;
  const usual = gaps.toSorted((a, b) => a - b)[(gaps.length - 1) >> 1] ?? 0;
  const tolerance = Math.max(POSITION_TOLERANCE_MM, GAP_TOLERANCE * usual);
  const odd = gaps.flatMap((gapMm, k) => (Math.abs(gapMm - usual) > tolerance ? [{ k, gapMm }] : []));
  if (odd.length === 0) return;
  const shown = odd.slice(0, 5).map(({ k, gapMm }) => {
    const names = [sorted[k], sorted[k + 1]].map((slice) => slice?.instance.file.name ?? '');
    return `slices ${k + 1} and ${k + 2} (${names.join(', ')}) are ${gapMm.toFixed(3)} mm apart`;
  });
  const more = odd.length > shown.length ? ` and ${odd.length - shown.length} more gaps differ` : '';
  throw new IrregularSlicesError(
    'irregular-slices',
    `The slices are not evenly spaced: ${shown.join('; ')}${more}, the usual gap is ${usual.toFixed(3)} mm.`,
    {
      remedy: 'Load the complete series (a slice may be missing), or resample it to an even spacing first.',
      details: { usualGapMm: usual, gaps: odd.map(({ k, gapMm }) => ({ slices: [k + 1, k + 2], gapMm })) },
    },
  );
}

function geometryOf(
  sorted: readonly StackedSlice[],
  depths: readonly number[],
  normal: Vector3,
): Pick<SliceStack, 'geometry' | 'notices'> {
  const [first] = sorted;
  if (first === undefined) throw new RangeError('A stack needs at least one slice.');
  const { header, instance } = first;
  const notices: Notice[] = [];
  const span = (depths.at(-1) ?? 0) - (depths[0] ?? 0);
  const sliceSpacing = sorted.length > 1 ? span / (sorted.length - 1) : header.nominalSliceSpacing;
  if (sliceSpacing === undefined) {
    notices.push({
      code: 'slice-spacing-assumed',
      message: 'The single image names no slice thickness: 1 mm is assumed, so volumes in ml are arbitrary.',
    });
  }
  const geometry = createGeometry({
    dimensions: [header.format.columns, header.format.rows, sorted.length],
    spacing: [header.pixelSpacing[1], header.pixelSpacing[0], sliceSpacing ?? 1],
    origin: header.position,
    direction: [header.rowDirection, header.columnDirection, normal],
    ...(instance.frameOfReferenceUID === undefined ? {} : { frameOfReferenceUID: instance.frameOfReferenceUID }),
  });
  return { geometry, notices };
}
