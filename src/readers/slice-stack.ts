import { InputError, IrregularSlicesError, type ErrorDetails } from '../errors.ts';
import { createGeometry, cross, dot, normalised, type Vector3, type VolumeGeometry } from '../volume/geometry.ts';
import { planResampling, type StackResampling } from '../volume/resample-stack.ts';
import type { Notice } from '../volume/volume.ts';
import type { DicomInstance } from './dicom-instance.ts';
import type { SliceHeader } from './slice-header.ts';
import { splitVolumes, type PlacedImage } from './split-volumes.ts';

export interface StackedSlice {
  readonly instance: DicomInstance;
  readonly header: SliceHeader;
}

export interface SliceStack {
  /** By increasing position along the slice normal: slice k of the volume is the k-th, unless it is resampled. */
  readonly slices: readonly StackedSlice[];
  readonly geometry: VolumeGeometry;
  /** How the slices' voxels become those of the geometry, where they are not its voxels themselves. */
  readonly resampling?: StackResampling;
  readonly notices: readonly Notice[];
}

export interface StackOptions {
  /** Which of several volumes, from 1. */
  readonly phase?: number | undefined;
  /** Interpolates unequal gaps and a tilted gantry away instead of refusing them. */
  readonly resample?: boolean | undefined;
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
 * `phase-not-found`, `duplicate-slices`, `gantry-tilt`; IrregularSlicesError if a gap differs from the median by more
 * than 1 % and 0.01 mm
 * @see DICOM PS3.3 C.7.6.2.1.1 */
export function stackSlices(instances: readonly DicomInstance[], options: StackOptions = {}): SliceStack {
  const all = instances.flatMap((instance): StackedSlice[] => {
    if (instance.slices instanceof InputError) throw instance.slices;
    return instance.slices.map((header) => ({ instance, header }));
  });
  const { images, notices } = withoutLocalizers(all);
  const chosen = chooseVolume(images, options.phase);
  const [any] = chosen;
  if (any === undefined) throw new RangeError('A stack needs at least one slice.');
  assertOneOrientation(chosen, any.header);
  assertOneImageFormat(chosen, any.header);

  const normal = normalOf(any.header);
  const depth = ({ header }: StackedSlice): number => dot(header.position, normal);
  const slices = chosen.toSorted((a, b) => depth(a) - depth(b));
  const depths = slices.map(depth);
  const stack = { slices, ...geometryOf(slices, depths, normal) };
  try {
    assertUpright(slices, any.header, normal);
    assertRegular(slices, depths);
  } catch (error) {
    if (options.resample !== true || !(error instanceof InputError)) throw error;
    return resampled(stack, error, notices);
  }
  return { ...stack, notices: [...notices, ...stack.notices] };
}

function resampled(stack: SliceStack, problem: InputError, notices: readonly Notice[]): SliceStack {
  const { geometry } = stack;
  const resampling = planResampling({ geometry, positions: stack.slices.map(({ header }) => header.position) });
  const { dimensions, spacing } = resampling.geometry;
  const message =
    `${problem.message} The volume was interpolated onto ${dimensions.join(' × ')} voxels of ` +
    `${spacing.map((mm) => Number(mm.toFixed(3))).join(' × ')} mm.`;
  return {
    ...stack,
    geometry: resampling.geometry,
    resampling,
    notices: [...notices, ...stack.notices, { code: 'resampled', message }],
  };
}

/** Scouts lie across the images that they were made to plan; a series of nothing else keeps them. */
function withoutLocalizers(slices: readonly StackedSlice[]): {
  readonly images: readonly StackedSlice[];
  readonly notices: readonly Notice[];
} {
  const images = slices.filter(({ header }) => !header.isLocalizer);
  const [any] = images;
  if (any === undefined || images.length === slices.length) return { images: slices, notices: [] };
  const count = slices.length - images.length;
  const message = `${count} localizer${count === 1 ? '' : 's'} (ImageType LOCALIZER) among the images left out.`;
  return { images, notices: [{ code: 'localizers-left-out', message }] };
}

/** @returns the images of the volume asked for, or of the only one */
function chooseVolume(slices: readonly StackedSlice[], phase: number | undefined): readonly StackedSlice[] {
  const placed = placeImages(slices);
  const volumes = splitVolumes(placed);
  if (volumes === undefined) throw duplicateSlices(placed);
  const [only, another] = volumes;
  const chosen = phase === undefined && another === undefined ? only : volumes[(phase ?? 0) - 1];
  if (chosen !== undefined) return chosen.images.map(({ slice }) => slice);
  const listed = volumes.map(({ label, images }, n) => {
    const count = `${images.length} image${images.length === 1 ? '' : 's'}`;
    return label === '' ? count : `${n + 1}: ${label} (${count})`;
  });
  const shown = [...listed.slice(0, MOST_LISTED), ...(listed.length > MOST_LISTED ? ['…'] : [])].join('; ');
  const details: ErrorDetails = {
    option: 'phase',
    choices: volumes.map((_, n) => n + 1),
    volumes: volumes.map(({ label, images }, n) => ({ phase: n + 1, label, images: images.length })),
  };
  if (phase !== undefined) {
    throw new InputError(
      'phase-not-found',
      `There is no volume ${phase} in the series, which holds ${volumes.length}: ${shown}.`,
      { remedy: 'Choose one of the volumes.', details },
    );
  }
  throw new InputError('several-volumes', `The series holds ${volumes.length} volumes, not one: ${shown}.`, {
    remedy: 'Choose one of the volumes.',
    details,
  });
}

const MOST_LISTED = 12;

interface PlacedSlice extends PlacedImage {
  readonly slice: StackedSlice;
}

/** Images of one orientation whose depths along their normal do not differ are at one place. */
function placeImages(slices: readonly StackedSlice[]): PlacedSlice[] {
  const placed: PlacedSlice[] = [];
  let place = 0;
  for (let rest = slices; rest.length > 0;) {
    const [first] = rest;
    if (first === undefined) break;
    const normal = normalOf(first.header);
    const parallel = rest
      .filter(({ header }) => isParallel(header, first.header))
      .map((slice) => ({ slice, depth: dot(slice.header.position, normal) }))
      .sort((a, b) => a.depth - b.depth);
    parallel.forEach(({ slice, depth }, n) => {
      if (n === 0 || depth - (parallel[n - 1]?.depth ?? 0) > POSITION_TOLERANCE_MM) place++;
      placed.push({ slice, place, distinguishing: slice.header.distinguishing });
    });
    rest = rest.filter(({ header }) => !isParallel(header, first.header));
  }
  return placed;
}

function normalOf({ rowDirection, columnDirection }: SliceHeader): Vector3 {
  return normalised(cross(rowDirection, columnDirection));
}

function isParallel(a: SliceHeader, b: SliceHeader): boolean {
  const [left, right] = [a, b].map(({ rowDirection, columnDirection }) => [...rowDirection, ...columnDirection]);
  return left?.every((cosine, n) => Math.abs(cosine - (right?.[n] ?? NaN)) <= ORIENTATION_TOLERANCE) ?? false;
}

function duplicateSlices(placed: readonly PlacedSlice[]): InputError {
  const countOf = new Map<number, number>();
  for (const { place } of placed) countOf.set(place, (countOf.get(place) ?? 0) + 1);
  const shared = [...countOf].filter(([, count]) => count > 1);
  const [[example] = []] = shared;
  const names = placed.filter(({ place }) => place === example).map(({ slice }) => slice.instance.file.name);
  return new InputError(
    'duplicate-slices',
    `${shared.length} of ${countOf.size} positions have more than one image, and nothing tells them apart: ${listedNames(names)}.`,
    { remedy: 'Pass each image once.', details: { files: names } },
  );
}

function listedNames(names: readonly string[]): string {
  return names.slice(0, 6).join(', ') + (names.length > 6 ? `, … (${names.length} in all)` : '');
}

function assertOneOrientation(slices: readonly StackedSlice[], first: SliceHeader): void {
  const others = slices.filter(({ header }) => !isParallel(header, first));
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
        remedy: 'Have the images interpolated onto an upright grid.',
        details: {
          option: 'resample',
          inPlaneMm: inPlane,
          alongNormalMm: alongNormal,
          degrees,
          file: instance.file.name,
        },
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
      remedy: 'Load the complete series (a slice may be missing), or have the gaps interpolated.',
      details: {
        option: 'resample',
        usualGapMm: usual,
        gaps: odd.map(({ k, gapMm }) => ({ slices: [k + 1, k + 2], gapMm })),
      },
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
