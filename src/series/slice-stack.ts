import { InputError, IrregularSlicesError } from '../errors.ts';
import { createGeometry, dot, type VolumeGeometry } from '../volume/geometry.ts';
import { planResampling, type StackResampling } from '../volume/resample.ts';
import type { Notice } from '../volume/volume.ts';
import {
  type DicomInstance,
  isParallel,
  normalOf,
  ORIENTATION_TOLERANCE,
  type StackedSlice,
} from './dicom-instance.ts';
import { findGridProblem, fittedSpacing, type GridProblem, type SlicePlace } from './regular-grid.ts';
import { chooseVolume, volumesOf } from './series-volumes.ts';
import type { SliceHeader } from './slice-header.ts';

export type { StackedSlice } from './dicom-instance.ts';

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

/** Slices further apart than this many times their thickness say little of what lies between them. */
const MAX_THICKNESSES_APART = 5;
/** Thicker than any slice. */
const FAR_APART_MM = 50;

/** Finds the volumes of one series, and stacks the one asked for.
 * @throws as {@link volumesOf}, {@link stackVolume}; InputError `several-volumes`, `phase-not-found` */
export function stackSlices(instances: readonly DicomInstance[], { phase, resample }: StackOptions = {}): SliceStack {
  const { volumes, notices } = volumesOf(instances);
  const stack = stackVolume(chooseVolume(volumes, phase), { resample });
  return { ...stack, notices: [...notices, ...stack.notices] };
}

/** Sorts the slices of one volume along their normal and checks that they form one regular, upright grid.
 * @throws InputError `mixed-images`, `mixed-orientations`, `gantry-tilt`; IrregularSlicesError if a slice lies off the
 * regular grid (least squares) by more than max(0.06 mm, 1 % of the gap), or a tenth of the gap
 * @see DICOM PS3.3 C.7.6.2.1.1 */
export function stackVolume(
  volume: { readonly slices: readonly StackedSlice[] },
  { resample }: Pick<StackOptions, 'resample'> = {},
): SliceStack {
  const [any] = volume.slices;
  if (any === undefined) throw new RangeError('A stack needs at least one slice.');
  assertOneOrientation(volume.slices, any.header);
  assertOneImageFormat(volume.slices, any.header);

  const placed = volume.slices
    .map((slice) => ({ slice, ...placeOf(slice, any.header) }))
    .sort((a, b) => a.depth - b.depth);
  const slices = placed.map(({ slice }) => slice);
  const { geometry, notices } = geometryOf(slices, placed);
  const stack = { slices, geometry, notices: [...notices, ...assumedDirection(slices)] };
  const problem = findGridProblem(placed);
  if (problem === undefined) return stack;
  const error = gridError(problem, slices);
  const isWrong = problem.kind === 'misplaced' && problem.isAside;
  if (resample !== true || isWrong) throw error;
  return resampled(stack, error);
}

function placeOf({ header: { position } }: StackedSlice, any: SliceHeader): SlicePlace {
  const { rowDirection, columnDirection } = any;
  return {
    depth: dot(position, normalOf(any)),
    row: dot(position, rowDirection),
    column: dot(position, columnDirection),
  };
}

function resampled(stack: SliceStack, problem: InputError): SliceStack {
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
    notices: [...stack.notices, { code: 'resampled', message }],
  };
}

function assertOneOrientation(slices: readonly StackedSlice[], first: SliceHeader): void {
  const others = slices.filter(({ header }) => !isParallel(header, first));
  const [other, another] = others;
  if (other === undefined) return;
  const which = another === undefined ? ` (${other.instance.file.name})` : '';
  throw new InputError(
    'mixed-orientations',
    `The images of the series are not parallel: ${slices.length - others.length} lie like the first, ${others.length}${which} otherwise.`,
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

const RESAMPLE = { option: 'resample' } as const;
const MAX_GAPS_SHOWN = 5;

function gridError(problem: GridProblem, slices: readonly StackedSlice[]): InputError {
  const nameOf = (k: number): string => slices[k]?.instance.file.name ?? '';
  if (problem.kind === 'misplaced') {
    const { slice, offMm, isAside } = problem;
    const file = nameOf(slice);
    const position = slices[slice]?.header.positionStrings.join(', ') ?? '';
    return new IrregularSlicesError(
      'irregular-slices',
      `${file} lies ${formatMm(offMm)} mm off the regular grid that the other ${slices.length - 1} slices form: its position is (${position}) mm.`,
      {
        remedy: isAside
          ? 'Export this image again: its position is wrong.'
          : 'Export this image again, if its position is wrong, or have the volume interpolated.',
        details: { file, offMm, ...(!isAside && RESAMPLE) },
      },
    );
  }
  if (problem.kind === 'leaning') {
    const { slice, inPlaneMm, alongNormalMm } = problem;
    const degrees = (Math.atan2(inPlaneMm, alongNormalMm) * 180) / Math.PI;
    return new InputError(
      'gantry-tilt',
      `The slices are not stacked at right angles: ${nameOf(slice)} lies ${inPlaneMm.toFixed(2)} mm aside of the first slice's normal at ${alongNormalMm.toFixed(2)} mm (${degrees.toFixed(1)}°).`,
      {
        remedy: 'Have the images interpolated onto an upright grid.',
        details: { inPlaneMm, alongNormalMm, degrees, file: nameOf(slice), ...RESAMPLE },
      },
    );
  }
  const { usualGapMm, gaps } = problem;
  const shown = gaps.slice(0, MAX_GAPS_SHOWN).map(({ n, gapMm }) => {
    const names = [n, n + 1].map(nameOf).join(', ');
    return `slices ${n + 1} and ${n + 2} (${names}) are ${gapMm.toFixed(3)} mm apart`;
  });
  const more = gaps.length > shown.length ? ` and ${gaps.length - shown.length} more gaps differ` : '';
  return new IrregularSlicesError(
    'irregular-slices',
    `The slices are not evenly spaced: ${shown.join('; ')}${more}, the usual gap is ${usualGapMm.toFixed(3)} mm.`,
    {
      remedy: 'Load the complete series (a slice may be missing), or have the gaps interpolated.',
      details: {
        usualGapMm,
        gaps: gaps.map(({ n, gapMm }) => ({ slices: [n + 1, n + 2], gapMm })),
        ...RESAMPLE,
      },
    },
  );
}

/** Wrong positions are anything: 3.42e+9. */
function formatMm(mm: number): string {
  return mm < 1e6 ? mm.toFixed(2) : mm.toExponential(2);
}

function geometryOf(
  sorted: readonly StackedSlice[],
  places: readonly SlicePlace[],
): Pick<SliceStack, 'geometry' | 'notices'> {
  const [first] = sorted;
  if (first === undefined) throw new RangeError('A stack needs at least one slice.');
  const { header, instance } = first;
  const depths = places.map(({ depth }) => depth);
  const sliceSpacing = sorted.length > 1 ? fittedSpacing(depths) : header.nominalSliceSpacing;
  const notices: Notice[] = [];
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
    direction: [header.rowDirection, header.columnDirection, normalOf(header)],
    ...(instance.frameOfReferenceUID === undefined ? {} : { frameOfReferenceUID: instance.frameOfReferenceUID }),
  });
  return { geometry, notices: [...notices, ...slicesFarApart(sorted, depths)] };
}

function assumedDirection(slices: readonly StackedSlice[]): Notice[] {
  if (!slices.some(({ header }) => header.tile?.isDirectionAssumed === true)) return [];
  const message =
    'The images are mosaics that do not say (CSA SliceNormalVector) to which side their slices follow each other: the normal of the image plane was taken. Check that the volume is not upside down.';
  return [{ code: 'mosaic-direction-assumed', message }];
}

/** What lies between slices that are far apart is not in the image, yet counts for the volumes of segments. */
function slicesFarApart(sorted: readonly StackedSlice[], depths: readonly number[]): Notice[] {
  const gaps = depths.slice(1).map((depth, n) => depth - (depths[n] ?? 0));
  const widest = gaps.reduce((best, gap, n) => (gap > (gaps[best] ?? 0) ? n : best), 0);
  const [gapMm, before, after] = [gaps[widest], sorted[widest], sorted[widest + 1]];
  if (gapMm === undefined || before === undefined || after === undefined) return [];
  const { sliceThickness } = before.header;
  const isThick = sliceThickness !== undefined && sliceThickness > 0;
  if (gapMm <= (isThick ? MAX_THICKNESSES_APART * sliceThickness : FAR_APART_MM)) return [];
  const thickness = isThick ? `, and ${sliceThickness} mm thick` : '';
  const names = [before, after].map(({ instance }) => instance.file.name);
  const message = `Slices are ${Number(gapMm.toFixed(2))} mm apart${thickness} (${names.join(', ')}): slices may be missing, and what lies between them is not in the image, so volumes in ml are rough.`;
  return [{ code: 'slices-far-apart', message }];
}
