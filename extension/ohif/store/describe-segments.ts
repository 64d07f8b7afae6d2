import { colourToCielab, createUid, editedSegment, type Colour, type Segment } from '../../../src/index.ts';
import { codesOfName, isTissue } from './structure-codes.ts';

/** A segment as the viewer lists it. */
export interface ListedSegment {
  readonly segmentNumber: number;
  readonly label: string;
  /** Undefined while no viewport shows it. */
  readonly colour?: Colour;
}

/** What a viewer calls a segmentation and its segments, to be compared with another moment's. */
export function namesOf(name: string, listed: readonly ListedSegment[]): string {
  return JSON.stringify([name, ...listed.map(({ segmentNumber, label }) => [segmentNumber, label])]);
}

export interface SegmentsToDescribe {
  readonly listed: readonly ListedSegment[];
  /** Labels that occur among the voxels; one that the viewer does not list is described all the same, never lost. */
  readonly labels: readonly number[];
  /** What a run, a stored segmentation or an earlier save says of segments, by the same numbers. */
  readonly known: readonly Segment[];
  /** Numbers of segments whose voxels a person changed. */
  readonly edited: ReadonlySet<number>;
}

/** Describes the segments of a viewer for a file: codes, algorithm and identity of known ones as they were, names as the
 * viewer has them now; others count as drawn by hand. In the order of their numbers. */
export function describeSegments({ listed, labels, known, edited }: SegmentsToDescribe): Segment[] {
  const listedOf = new Map(listed.map((segment) => [segment.segmentNumber, segment]));
  const knownOf = new Map(known.map((segment) => [segment.segmentNumber, segment]));
  return [...new Set([...listedOf.keys(), ...labels])]
    .sort((a, b) => a - b)
    .map((segmentNumber) => {
      const inViewer = listedOf.get(segmentNumber);
      const before = knownOf.get(segmentNumber);
      if (before === undefined) return drawnByHand(segmentNumber, inViewer);
      const named = complete({ ...before, segmentLabel: nameOf(inViewer) ?? before.segmentLabel });
      return edited.has(segmentNumber) ? editedSegment(named) : named;
    });
}

function drawnByHand(segmentNumber: number, listed: ListedSegment | undefined): Segment {
  const segmentLabel = nameOf(listed) ?? `Segment ${segmentNumber}`;
  return {
    segmentNumber,
    segmentLabel,
    ...codesOfName(segmentLabel),
    recommendedDisplayCIELab: listed?.colour ? colourToCielab(listed.colour) : MID_GREY,
    algorithmType: 'MANUAL',
    trackingID: segmentLabel,
    trackingUID: createUid(),
  };
}

function nameOf(listed: ListedSegment | undefined): string | undefined {
  const name = listed?.label.trim();
  return name === '' ? undefined : name;
}

const MID_GREY = [32768, 32896, 32896] as const;

/** What other programs leave out, and a better code than "tissue" where the name says one. */
function complete(segment: Segment): Segment {
  const { segmentLabel, segmentedPropertyType, algorithmType, algorithmName } = segment;
  return {
    ...segment,
    ...(isTissue(segmentedPropertyType) && codesOfName(segmentLabel)),
    ...(algorithmType !== 'MANUAL' && !algorithmName && { algorithmName: 'Unknown' }),
  };
}
