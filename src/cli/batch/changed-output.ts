import { InputError, isSegmentationError } from '../../errors.ts';
import type { PatientSide } from '../../labelmap/borders.ts';
import type { Labelmap } from '../../labelmap/labelmap.ts';
import { measureSegments } from '../../labelmap/measure.ts';
import { labelmapOnto } from '../../labelmap/onto-grid.ts';
import { wholenessOf, type Wholeness } from '../../labelmap/wholeness.ts';
import { openFiles } from '../../node/files.ts';
import type { VolumeGeometry } from '../../volume/geometry.ts';
import type { Notice } from '../../volume/volume.ts';
import { readLabelmap, unnamedSegments } from '../read-labelmap.ts';

/** A labelmap in the place of an output that is not the one which was written there: somebody corrected it. */
export interface ChangedOutput {
  /** Its own figures. What the run said of its certainty is of another labelmap. */
  readonly segments: readonly ChangedSegment[];
}

interface ChangedSegment {
  readonly segmentNumber: number;
  readonly segmentLabel: string;
  readonly voxelCount: number;
  readonly volumeMl: number;
  /** Absent where the grid of the images is not known. */
  readonly isLowerBound?: boolean;
  readonly touchesBorder?: readonly PatientSide[];
}

/** What the report of the run says, which the file itself may not. */
export interface EarlierReport {
  /** Labels of the segments, by number. */
  readonly labels: ReadonlyMap<number, string>;
  /** The grid of the images: a DICOM-SEG need not have all of their slices. */
  readonly geometry?: Omit<VolumeGeometry, 'frameOfReferenceUID'> | undefined;
  /** Files beside the series could not be read and may belong to it. */
  readonly isSeriesIncomplete: boolean;
}

export const CHANGED_SINCE: Notice = {
  code: 'changed-since',
  message:
    'The output was changed since it was written, so it is kept, and its figures are those of now. ' +
    '--overwrite has it made again.',
};

/** Reads what lies in the place of an output.
 * @returns undefined if that is no labelmap (any more): empty, cut off, damaged */
export async function readChangedOutput(
  path: string,
  { labels, geometry, isSeriesIncomplete }: EarlierReport,
): Promise<ChangedOutput | undefined> {
  try {
    // Where segments overlap, which of them has the voxels is no reason not to keep the work.
    const { labelmap } = await readLabelmap(openFiles([path]), { overlap: 'first' });
    const isUnnamed = labelmap.segments.length === 0;
    const named = isUnnamed ? { ...labelmap, segments: unnamedSegments(labelmap.voxels) } : labelmap;
    const labelOf = new Map(named.segments.map(({ segmentNumber, segmentLabel }) => [segmentNumber, segmentLabel]));
    const wholeness = geometry === undefined ? undefined : wholenessOn(named, geometry, isSeriesIncomplete);
    const segments = measureSegments(named).map(({ segmentNumber, voxelCount, volumeMl }, at) => ({
      segmentNumber,
      segmentLabel: (isUnnamed ? labels.get(segmentNumber) : undefined) ?? labelOf.get(segmentNumber) ?? '',
      voxelCount,
      volumeMl,
      ...boundsOf(wholeness?.[at]),
    }));
    return { segments };
  } catch (error) {
    if (!isSegmentationError(error)) throw error;
    // What this version or this user cannot read may be somebody's work all the same.
    const isDamaged =
      error instanceof InputError && !error.code.startsWith('unsupported') && error.code !== 'limit-exceeded';
    return isDamaged ? undefined : { segments: [] };
  }
}

/** Undefined where the labelmap lies on another grid. */
function wholenessOn(
  labelmap: Labelmap,
  geometry: VolumeGeometry,
  isSeriesIncomplete: boolean,
): Wholeness[] | undefined {
  try {
    return wholenessOf(labelmapOnto(labelmap, geometry), { isSeriesIncomplete });
  } catch (error) {
    if (isSegmentationError(error)) return undefined;
    throw error;
  }
}

function boundsOf(wholeness: Wholeness | undefined): Pick<ChangedSegment, 'isLowerBound' | 'touchesBorder'> {
  if (wholeness === undefined) return {};
  return { isLowerBound: wholeness.reasons.length > 0, touchesBorder: wholeness.touchesBorder };
}
