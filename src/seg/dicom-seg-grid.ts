import { InputError, IrregularSlicesError } from '../errors.ts';
import {
  createGeometry,
  cross,
  dot,
  normalised,
  worldToIndex,
  type Direction,
  type IndexPoint,
  type Vector3,
  type VolumeGeometry,
  type WorldPoint,
} from '../volume/geometry.ts';
import type { SourceSeries } from '../volume/volume.ts';
import type { StoredSegFrame, SegPlanes } from './dicom-seg-frames.ts';

/** A grid, and for each frame of a segmentation the slice of the grid it lies on. */
export interface SegGrid {
  readonly geometry: VolumeGeometry;
  readonly slices: readonly number[];
}

/** Part of a voxel that a frame may be off its slice: positions are rounded, and gaps of regular series differ a little. */
const TOLERANCE_VOXELS = 0.1;
/** Cosine of two directions that run the same way, as in regridLabelmap. */
const PARALLEL = 0.9999;
/** More voxels than any real scan; a wrong gap in a small file must not ask for all memory. */
const MAX_VOXELS = 2 ** 31;

/** The smallest regular grid that holds all frames. Its gap is the given one, else Spacing Between Slices where all
 * positions are multiples of it, else the smallest distance of two frames; of a single plane, its thickness.
 * @throws IrregularSlicesError `irregular-slices`; InputError `gantry-tilt` if positions drift within the plane */
export function gridOfPlanes(planes: SegPlanes, gapMm?: number): SegGrid {
  const { rowDirection, columnDirection, spacing, frames } = planes;
  const i = normalised(rowDirection);
  const j = normalised(columnDirection);
  const normal = normalised(cross(i, j));
  const heights = frames.map(({ position }) => dot(position, normal));
  const sorted = [...heights].sort((a, b) => a - b);
  const lowest = sorted[0] ?? 0;
  const gap = gapMm ?? sliceGapMm(sorted, planes);
  const last = Math.round(((sorted.at(-1) ?? lowest) - lowest) / gap);
  const direction: Direction = [i, j, normal];
  const geometry = createGeometry({
    dimensions: [planes.columns, planes.rows, last + 1],
    spacing: [...spacing, gap],
    origin: frames[heights.indexOf(lowest)]?.position ?? [0, 0, 0],
    direction,
    ...(planes.frameOfReferenceUID !== undefined && { frameOfReferenceUID: planes.frameOfReferenceUID }),
  });
  if (planes.columns * planes.rows * (last + 1) > MAX_VOXELS) {
    throw new IrregularSlicesError(
      'irregular-slices',
      `The DICOM-SEG's frames are up to ${last} gaps of ${gap} mm apart.`,
      {
        remedy: 'Name the series that it was made from as reference.',
        details: { option: 'reference' },
      },
    );
  }
  const slices = frames.map(({ position }) => {
    const index = worldToIndex(geometry, position);
    if (Math.abs(index[0]) > TOLERANCE_VOXELS || Math.abs(index[1]) > TOLERANCE_VOXELS) throw tilted(index, spacing);
    const slice = Math.round(index[2]);
    if (Math.abs(index[2] - slice) > TOLERANCE_VOXELS) {
      throw mismatch(`a frame lies ${(Math.abs(index[2] - slice) * gap).toPrecision(3)} mm off its slices`);
    }
    return slice;
  });
  return { geometry, slices };
}

/** The grid to fill: a volume that a segmentation was made from, or another one on the same grid. */
export interface SegReference {
  readonly geometry: VolumeGeometry;
  readonly source?: SourceSeries | undefined;
}

/** Where the frames lie as images of the reference, each whole and the same way round.
 * @returns for each frame the slice of the reference: that of its source image, else the nearest one; either way the
 * frame's corners are the slice's. The images that a volume was interpolated between lie each at its own place.
 * Undefined if a frame is not such an image: turned round, across the slices, or a part of them. */
export function slicesOnReference(planes: SegPlanes, { geometry, source }: SegReference): SegGrid | undefined {
  const [columns, rows] = geometry.dimensions;
  if (planes.columns !== columns || planes.rows !== rows) return undefined;
  const stack = source?.interpolated === undefined ? slicesOfGrid(geometry) : slicesOfSource(source, columns, rows);
  const sliceOfSource = new Map(
    source?.instances.map((instance) => [
      sourceKey(instance.sopInstanceUID, instance.frameNumber),
      instance.sliceIndex,
    ]),
  );
  const toleranceMm = TOLERANCE_VOXELS * Math.min(...geometry.spacing);
  const sliceOf = ({ sourceSOPInstanceUID: uid, sourceFrameNumber }: StoredSegFrame): number | undefined =>
    uid === undefined
      ? undefined
      : // A single-frame image may be referred to with the number of its only frame.
        (sliceOfSource.get(sourceKey(uid, sourceFrameNumber)) ?? sliceOfSource.get(uid));
  const slices: number[] = [];
  for (const frame of planes.frames) {
    const corners = cornersOf(frame.position, planes);
    const named = sliceOf(frame);
    const slice = named ?? nearestTo(frame.position, stack);
    if (!(distanceMm(corners, stack[slice]) <= toleranceMm)) {
      if (named !== undefined) assertInPlaneOf(corners, { slice, image: stack[slice] }, toleranceMm);
      return undefined;
    }
    slices.push(slice);
  }
  return { geometry, slices };
}

/** A frame that is parallel to the image it names lies in its plane, whichever way round and however much of it.
 * @throws InputError `geometry-mismatch` */
function assertInPlaneOf(
  frame: Corners,
  { slice, image }: { readonly slice: number; readonly image: Corners | undefined },
  toleranceMm: number,
): void {
  if (image === undefined) return;
  const [normal, ofFrame] = [normalOf(image), normalOf(frame)];
  const distance = Math.abs(dot(difference(frame[0], image[0]), normal));
  if (!(Math.abs(dot(normal, ofFrame)) > PARALLEL) || distance <= toleranceMm) return;
  throw mismatch(`a frame is ${distance.toPrecision(3)} mm away from slice ${slice} of the reference, which it names`);
}

function normalOf([first, lastOfRow, lastOfColumn]: Corners): Vector3 {
  return normalised(cross(difference(lastOfRow, first), difference(lastOfColumn, first)));
}

/** The smallest grid on the frames' own axes whose voxels are the reference's: what it holds is then put on the
 * reference whatever the order, the direction and the extent of its axes.
 * @throws InputError `geometry-mismatch` if the frames are not parallel to slices of the reference, or between them */
export function gridAlongReference(planes: SegPlanes, { geometry }: Pick<SegReference, 'geometry'>): SegGrid {
  const normal = normalised(cross(planes.rowDirection, planes.columnDirection));
  const along = ([0, 1, 2] as const).find((axis) => Math.abs(dot(normal, geometry.direction[axis])) > PARALLEL);
  if (along === undefined) throw mismatch("its frames are parallel to none of the reference's planes of voxels");
  try {
    return gridOfPlanes(planes, geometry.spacing[along]);
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== 'gantry-tilt') throw error;
    throw mismatch('its frames are shifted in their plane, as those of a tilted gantry, and the reference is not');
  }
}

function sliceGapMm(sorted: readonly number[], { spacingBetweenSlices, sliceThickness }: SegPlanes): number {
  const lowest = sorted[0] ?? 0;
  const smallest = smallestStep(sorted);
  if (smallest === Infinity) return spacingBetweenSlices ?? sliceThickness ?? 1;
  const fits = (gap: number): boolean =>
    sorted.every((height) => {
      const slice = (height - lowest) / gap;
      return Math.abs(slice - Math.round(slice)) <= TOLERANCE_VOXELS;
    });
  if (spacingBetweenSlices !== undefined && fits(spacingBetweenSlices)) return spacingBetweenSlices;
  if (fits(smallest)) {
    // Over the whole height a position's rounding weighs least.
    const height = (sorted.at(-1) ?? lowest) - lowest;
    return height / Math.round(height / smallest);
  }
  throw new IrregularSlicesError(
    'irregular-slices',
    `The DICOM-SEG's frames are not on slices of one gap: two are ${smallest.toPrecision(4)} mm apart, and others no multiple of it.`,
    {
      remedy: 'Name the series that it was made from as reference.',
      details: { option: 'reference', positionsMm: [...new Set(sorted)] },
    },
  );
}

/** Smallest distance of two planes; frames of one plane may differ by the rounding of their positions. */
function smallestStep(sorted: readonly number[]): number {
  const steps = sorted.slice(1).map((height, at) => height - (sorted[at] ?? height));
  return steps.filter((step) => step > 1e-3).reduce((smallest, step) => Math.min(smallest, step), Infinity);
}

type Corners = readonly [WorldPoint, WorldPoint, WorldPoint];

/** Where a slice's first voxel is, the last of its first row and the last of its first column. */
function cornersOf(
  position: WorldPoint,
  plane: Pick<SegPlanes, 'rows' | 'columns' | 'rowDirection' | 'columnDirection' | 'spacing'>,
): Corners {
  return [
    position,
    moved(position, plane.rowDirection, (plane.columns - 1) * plane.spacing[0]),
    moved(position, plane.columnDirection, (plane.rows - 1) * plane.spacing[1]),
  ];
}

function slicesOfGrid({ dimensions, spacing, direction, ...geometry }: VolumeGeometry): Corners[] {
  const [columns, rows, count] = dimensions;
  const plane = {
    columns,
    rows,
    rowDirection: direction[0],
    columnDirection: direction[1],
    spacing: [spacing[0], spacing[1]],
  } as const;
  return Array.from({ length: count }, (_, k) =>
    cornersOf(moved(geometry.origin, direction[2], k * spacing[2]), plane),
  );
}

function slicesOfSource(source: SourceSeries, columns: number, rows: number): Corners[] {
  const [xi = NaN, yi = NaN, zi = NaN, xj = NaN, yj = NaN, zj = NaN] = source.imageOrientationPatient.map(Number);
  const [rowSpacing = NaN, columnSpacing = NaN] = source.pixelSpacing.map(Number);
  const plane = {
    columns,
    rows,
    rowDirection: [xi, yi, zi],
    columnDirection: [xj, yj, zj],
    spacing: [columnSpacing, rowSpacing],
  } as const;
  return source.instances.map(({ imagePositionPatient }) => {
    const [x = NaN, y = NaN, z = NaN] = imagePositionPatient.map(Number);
    return cornersOf([x, y, z], plane);
  });
}

function nearestTo(position: WorldPoint, stack: readonly Corners[]): number {
  const distances = stack.map(([first]) => Math.hypot(...difference(first, position)));
  return distances.indexOf(Math.min(...distances));
}

/** Largest distance of equal corners. */
function distanceMm(corners: Corners, others: Corners | undefined): number {
  if (others === undefined) return Infinity;
  return Math.max(...corners.map((corner, at) => Math.hypot(...difference(corner, others[at] ?? corner))));
}

function moved(point: WorldPoint, direction: Vector3, mm: number): WorldPoint {
  return [point[0] + mm * direction[0], point[1] + mm * direction[1], point[2] + mm * direction[2]];
}

function difference(a: WorldPoint, b: WorldPoint): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function sourceKey(sopInstanceUID: string, frameNumber: number | undefined): string {
  return frameNumber === undefined ? sopInstanceUID : `${sopInstanceUID}#${frameNumber}`;
}

function tilted(index: IndexPoint, spacing: readonly [number, number]): InputError {
  const drift = Math.hypot(index[0] * spacing[0], index[1] * spacing[1]);
  return new InputError(
    'gantry-tilt',
    `The DICOM-SEG's frames are shifted by ${drift.toPrecision(3)} mm in their plane.`,
    {
      remedy:
        'Convert it to a NIfTI labelmap, with the series that it was made from as the reference, interpolated onto an ' +
        'upright grid.',
      details: { option: 'reference' },
    },
  );
}

function mismatch(how: string): InputError {
  return new InputError('geometry-mismatch', `The DICOM-SEG is not on the grid of the reference: ${how}.`, {
    remedy: 'Name the series that the segmentation was made from.',
  });
}
