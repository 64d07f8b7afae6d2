import type { LabelmapOrigin, Segment, SegIdentity } from '../../../src/index.ts';
import type { SaveState } from './save-outcome.ts';

/** What is known of one segmentation of the viewer beside what the viewer itself knows. */
interface SegRecord {
  /** Descriptions by the viewer's numbers: of a run, of a stored segmentation, of what was drawn and saved before. */
  readonly known: ReadonlyMap<number, Segment>;
  /** The model that ran into it. */
  readonly provenance?: LabelmapOrigin;
  /** What was stored last, and is corrected from here on. */
  readonly predecessor?: SegIdentity;
  /** Undefined until a save or an edit. */
  readonly state?: SaveState;
  /** Numbers that the viewer listed when it was last looked at. */
  readonly listed: ReadonlySet<number>;
  /** Numbers whose segments were removed; the viewer may give them again, to something else. */
  readonly removed: ReadonlySet<number>;
}

/** Records of segmentations, each for as long as the viewer has it. */
export interface SegRecords {
  of(segmentationId: string): SegRecord;
  update(segmentationId: string, change: Partial<SegRecord>): void;
  /** Adds descriptions of segments that have none. */
  learn(segmentationId: string, segments: readonly Segment[]): void;
  /** Notes which segments the viewer lists now; those that are gone are forgotten. */
  see(segmentationId: string, listed: ReadonlySet<number>): void;
  forget(segmentationId: string): void;
}

export function createSegRecords(): SegRecords {
  const records = new Map<string, SegRecord>();
  const of = (segmentationId: string): SegRecord => records.get(segmentationId) ?? NOTHING;
  const update: SegRecords['update'] = (segmentationId, change) => {
    records.set(segmentationId, { ...of(segmentationId), ...change });
  };
  return {
    of,
    update,
    learn(segmentationId, segments) {
      update(segmentationId, { known: new Map([...byNumber(segments), ...of(segmentationId).known]) });
    },
    see(segmentationId, listed) {
      const { known, listed: before, removed } = of(segmentationId);
      const gone = new Set([...before].filter((segmentNumber) => !listed.has(segmentNumber)));
      update(segmentationId, {
        listed,
        known: new Map([...known].filter(([segmentNumber]) => !gone.has(segmentNumber))),
        removed: new Set([...removed, ...gone]),
      });
    },
    forget: (segmentationId) => records.delete(segmentationId),
  };
}

export function byNumber(segments: readonly Segment[]): Map<number, Segment> {
  return new Map(segments.map((segment) => [segment.segmentNumber, segment]));
}

const NOTHING: SegRecord = { known: new Map(), listed: new Set(), removed: new Set() };
