import { InputError, isSegmentationError } from '../../errors.ts';
import { measureSegments } from '../../labelmap/measure.ts';
import { openFiles } from '../../node/files.ts';
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
}

export const CHANGED_SINCE: Notice = {
  code: 'changed-since',
  message:
    'The output was changed since it was written, so it is kept, and its figures are those of now. ' +
    '--overwrite has it made again.',
};

/** Reads what lies in the place of an output.
 * @param labels of the segments, by number, where the file itself names none
 * @returns undefined if that is no labelmap (any more): empty, cut off, damaged */
export async function readChangedOutput(
  path: string,
  labels: ReadonlyMap<number, string>,
): Promise<ChangedOutput | undefined> {
  try {
    // Where segments overlap, which of them has the voxels is no reason not to keep the work.
    const { labelmap } = await readLabelmap(openFiles([path]), { overlap: 'first' });
    const isUnnamed = labelmap.segments.length === 0;
    const named = isUnnamed ? { ...labelmap, segments: unnamedSegments(labelmap.voxels) } : labelmap;
    const labelOf = new Map(named.segments.map(({ segmentNumber, segmentLabel }) => [segmentNumber, segmentLabel]));
    const segments = measureSegments(named).map(({ segmentNumber, voxelCount, volumeMl }) => ({
      segmentNumber,
      segmentLabel: (isUnnamed ? labels.get(segmentNumber) : undefined) ?? labelOf.get(segmentNumber) ?? '',
      voxelCount,
      volumeMl,
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
