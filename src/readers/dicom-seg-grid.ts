import { InputError, IrregularSlicesError } from '../errors.ts';
import {
  createGeometry,
  cross,
  dot,
  indexToWorld,
  normalised,
  worldToIndex,
  type Direction,
  type IndexPoint,
  type VolumeGeometry,
} from '../volume/geometry.ts';
import type { SourceSeries } from '../volume/volume.ts';
import type { SegFrame, SegPlanes } from './dicom-seg-frames.ts';

/** A grid, and for each frame of a segmentation the slice of the grid it lies on. */
export interface SegGrid {
  readonly geometry: VolumeGeometry;
  readonly slices: readonly number[];
}

/** Part of a voxel that a frame may be off its slice: positions are rounded, and gaps of regular series differ a little. */
const TOLERANCE_VOXELS = 0.1;
/** More voxels than any real scan; a wrong gap in a small file must not ask for all memory. */
const MAX_VOXELS = 2 ** 31;

/** The smallest regular grid that holds all frames. Its gap is Spacing Between Slices where all positions are multiples
 * of it, else the smallest distance of two frames; of a single plane, its thickness.
 * @throws IrregularSlicesError `irregular-slices`; InputError `gantry-tilt` if positions drift within the plane */
export function gridOfPlanes(planes: SegPlanes): SegGrid {
  const { rowDirection, columnDirection, spacing, frames } = planes;
  const i = normalised(rowDirection);
  const j = normalised(columnDirection);
  const normal = normalised(cross(i, j));
  const heights = frames.map(({ position }) => dot(position, normal));
  const sorted = [...heights].sort((a, b) => a - b);
  const lowest = sorted[0] ?? 0;
  const gap = sliceGapMm(sorted, planes);
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
        remedy: 'Name the series it was made from with --reference.',
      },
    );
  }
  const slices = frames.map(({ position }) => {
    const index = worldToIndex(geometry, position);
    if (Math.abs(index[0]) > TOLERANCE_VOXELS || Math.abs(index[1]) > TOLERANCE_VOXELS) throw tilted(index, spacing);
    return Math.round(index[2]);
  });
  return { geometry, slices };
}

/** For each frame the slice of the reference: that of its source image, else that at its position. Either way the
 * frame's corners must be the slice's.
 * @throws InputError `geometry-mismatch` */
export function slicesOnReference(
  planes: SegPlanes,
  { geometry, source }: { readonly geometry: VolumeGeometry; readonly source?: SourceSeries | undefined },
): SegGrid {
  const [columns, rows, count] = geometry.dimensions;
  if (planes.columns !== columns || planes.rows !== rows) {
    throw mismatch(
      `its frames are ${planes.columns} × ${planes.rows} voxels, the reference's slices ${columns} × ${rows}`,
    );
  }
  const sliceOfSource = new Map(
    source?.instances.map((instance) => [
      sourceKey(instance.sopInstanceUID, instance.frameNumber),
      instance.sliceIndex,
    ]),
  );
  const toleranceMm = TOLERANCE_VOXELS * Math.min(...geometry.spacing);
  const slices = planes.frames.map((frame) => {
    const { sourceSOPInstanceUID: uid, sourceFrameNumber, position } = frame;
    const ofSource = uid === undefined ? undefined : sliceOfSource.get(sourceKey(uid, sourceFrameNumber));
    const slice = ofSource ?? Math.round(worldToIndex(geometry, position)[2]);
    if (slice < 0 || slice >= count) throw mismatch('a frame lies outside the reference');
    const distanceMm = distanceFromSliceMm(frame, planes, geometry, slice);
    if (!(distanceMm <= toleranceMm)) {
      throw mismatch(`a frame is ${distanceMm.toPrecision(3)} mm away from slice ${slice} of the reference`);
    }
    return slice;
  });
  return { geometry, slices };
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
    { remedy: 'Name the series it was made from with --reference.', details: { positionsMm: [...new Set(sorted)] } },
  );
}

/** Smallest distance of two planes; frames of one plane may differ by the rounding of their positions. */
function smallestStep(sorted: readonly number[]): number {
  const steps = sorted.slice(1).map((height, at) => height - (sorted[at] ?? height));
  return steps.filter((step) => step > 1e-3).reduce((smallest, step) => Math.min(smallest, step), Infinity);
}

/** Largest distance in mm between equal corners of a frame and of a slice. */
function distanceFromSliceMm(frame: SegFrame, planes: SegPlanes, geometry: VolumeGeometry, slice: number): number {
  const { rowDirection, columnDirection, spacing } = planes;
  const [columns, rows] = geometry.dimensions;
  const corners: IndexPoint[] = [
    [0, 0, slice],
    [columns - 1, 0, slice],
    [0, rows - 1, slice],
  ];
  return Math.max(
    ...corners.map((corner) => {
      const [u, v] = [corner[0] * spacing[0], corner[1] * spacing[1]];
      const point = indexToWorld(geometry, corner);
      const offset = (axis: 0 | 1 | 2): number =>
        frame.position[axis] + u * rowDirection[axis] + v * columnDirection[axis] - point[axis];
      return Math.hypot(offset(0), offset(1), offset(2));
    }),
  );
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
      remedy: 'Segment an untilted series.',
    },
  );
}

function mismatch(how: string): InputError {
  return new InputError('geometry-mismatch', `The DICOM-SEG is not on the grid of the reference: ${how}.`, {
    remedy: 'Name the series that the segmentation was made from.',
  });
}
