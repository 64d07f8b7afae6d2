import type { SourceSeries } from '../volume/volume.ts';
import { bordersTouched, type PatientSide, type SlicesRun } from './borders.ts';
import type { Labelmap } from './labelmap.ts';
import { labelmapOnSourceSlices } from './source-slices.ts';

/** What a segment of a labelmap may lack of the structure that it stands for. */
export interface Wholeness {
  readonly segmentNumber: number;
  /** Where it touches the border of the images, or of the slices that were run. */
  readonly touchesBorder: readonly PatientSide[];
  /** Why its volume is a lower bound, to be read after it: "cut at the superior edge"; none for what is whole. */
  readonly reasons: readonly string[];
}

export interface WholenessOptions {
  /** The images; of an interpolated volume theirs are the borders, not those of the grid around them. */
  readonly source?: SourceSeries | undefined;
  /** Absent: all slices. */
  readonly slicesRun?: SlicesRun | undefined;
  /** Files beside the series could not be read and may belong to it. */
  readonly isSeriesIncomplete?: boolean | undefined;
}

/** Says of each segment, in the order of the labelmap's segments, whether its volume is that of a whole structure. */
export function wholenessOf(labelmap: Labelmap, options: WholenessOptions = {}): Wholeness[] {
  const { source, slicesRun, isSeriesIncomplete = false } = options;
  const { dimensions } = labelmap.geometry;
  const onImages = source === undefined ? labelmap : labelmapOnSourceSlices(labelmap, source);
  const touched = [
    // An interpolated grid has slices of its own: those that were run are named on it.
    ...(onImages === labelmap ? [] : bordersTouched(onImages)),
    ...(onImages === labelmap || slicesRun !== undefined ? bordersTouched(labelmap, slicesRun) : []),
  ];
  const ofAll = [
    ...(slicesRun === undefined
      ? []
      : [`in ${String(slicesRun.slices.length)} of ${String(dimensions[slicesRun.axis])} slices`]),
    ...(dimensions.includes(1) ? ['in a single slice'] : []),
    ...(isSeriesIncomplete ? ['of an incomplete series'] : []),
  ];
  return labelmap.segments.map(({ segmentNumber }) => {
    const own = touched.filter((border) => border.segmentNumber === segmentNumber).map(({ side }) => side);
    const touchesBorder = [...new Set(own)];
    return {
      segmentNumber,
      touchesBorder,
      reasons: [...(touchesBorder.length === 0 ? [] : [`cut at ${nameEdges(touchesBorder)}`]), ...ofAll],
    };
  });
}

/** Sides in words: "the superior edge", "the left, anterior and superior edges". */
export function nameEdges(sides: readonly PatientSide[]): string {
  const last = sides.at(-1) ?? '';
  const others = sides.slice(0, -1);
  return others.length === 0 ? `the ${last} edge` : `the ${others.join(', ')} and ${last} edges`;
}
