import {
  indexToWorld,
  patientSideOf,
  voxelVolumeMl,
  type PatientSide,
  type VolumeGeometry,
  type WorldPoint,
} from '../../src/index.ts';
import type { CornerstoneHost } from './host.ts';
import { loadImageValues, type ImageValues } from './image-values.ts';
import type { LabelmapPlace } from './labelmap-slices.ts';
import type { LabelmapTarget } from './labelmap-target.ts';
import { createPacer, timed } from './main-thread.ts';

/** The figures of one segment. */
export interface SegmentFigures {
  readonly segmentNumber: number;
  readonly voxelCount: number;
  readonly volumeMl: number;
  /** Of the modality values (HU in CT), over all its voxels; NaN if an image cannot be loaded. */
  readonly mean: number;
  readonly standardDeviation: number;
  /** Mean of the voxel centres, LPS mm. */
  readonly centre: WorldPoint;
  /** The slice nearest to the centre that has voxels of the segment. */
  readonly centreSlice: number;
  /** Where it touches the border of the images, or a slice that was not run: there it may go on, and its volume is a
   * lower bound. */
  readonly touchesBorder: readonly PatientSide[];
}

/** The figures of every segment, kept right while the labelmap changes: only slices that changed are counted again. */
export interface SegmentStatistics {
  /** Segments without voxels have no figures.
   * @param wasRun whether slice k was run; all were by default */
  figures(segmentNumber: number, wasRun?: (k: number) => boolean): SegmentFigures | undefined;
  /** Waits until the figures are those of the labels as they are. */
  settled(): Promise<void>;
  dispose(): void;
}

export interface SegmentStatisticsOptions extends Omit<LabelmapPlace, 'segmentationId'> {
  readonly target: LabelmapTarget;
  readonly geometry: VolumeGeometry;
  /** Called when figures have changed. */
  readonly onChange?: () => void;
}

/** Counts the labels that are there, and from then on what changes.
 * @param imageIds of the series, whose values are read from the page's cache when a slice is counted */
export function createSegmentStatistics(host: CornerstoneHost, options: SegmentStatisticsOptions): SegmentStatistics {
  const { target, geometry, imageIds, sliceOfImage, onChange } = options;
  const imageOfSlice: string[] = [];
  imageIds.forEach((imageId, n) => (imageOfSlice[sliceOfImage[n] ?? n] = imageId));
  const sumsOfSlice = new Array<ReadonlyMap<number, Sums>>(target.sliceCount).fill(new Map());
  const due = new Set<number>();
  let counting: Promise<void> | undefined;

  const countDue = async (): Promise<void> => {
    const pacer = createPacer({ beforeTurn: onChange });
    for (const k of due) {
      due.delete(k);
      if (target.readSlice(k).every((label) => label === 0)) {
        sumsOfSlice[k] = new Map();
        await pacer.pause();
        continue;
      }
      const values = await loadImageValues(host, imageOfSlice[k] ?? '').catch(() => UNKNOWN_VALUES);
      sumsOfSlice[k] = timed('count-slice', () => sumSlice(target.readSlice(k), values, geometry.dimensions[0]));
      await pacer.pause();
    }
    counting = undefined;
    onChange?.();
  };
  const count = (slices: Iterable<number>): void => {
    for (const k of slices) due.add(k);
    counting ??= countDue();
  };
  const stop = target.onChange(count);
  // What is there already; slices without a label cost no image.
  count(sumsOfSlice.keys());

  return {
    figures(segmentNumber, wasRun = () => true) {
      const bySlice = sumsOfSlice.map((sums) => sums.get(segmentNumber));
      return figuresOf(segmentNumber, bySlice, geometry, wasRun);
    },
    async settled() {
      await target.settled();
      await counting;
    },
    dispose: stop,
  };
}

/** Of an image that the page cannot load any more: its segments keep their volume, and have no mean. */
const UNKNOWN_VALUES: ImageValues = { pixels: [], scale: 'stored', slope: 1, intercept: 0 };

/** Sums over one segment's voxels of one slice. */
interface Sums {
  readonly count: number;
  readonly i: number;
  readonly j: number;
  readonly value: number;
  readonly square: number;
  /** Of {@link Edge}: those of the slice that it touches. */
  readonly edges: number;
}

const Edge = { firstColumn: 1, lastColumn: 2, firstRow: 4, lastRow: 8 } as const;

function sumSlice(labels: Uint8Array, { pixels, slope, intercept }: ImageValues, columns: number): Map<number, Sums> {
  // 256 labels of five sums each: most slices have two or three labels, and a Map a voxel is slow.
  const sums = new Float64Array(5 * 256);
  const edges = new Uint8Array(256);
  const lastRow = labels.length / columns - 1;
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at] ?? 0;
    if (label === 0) continue;
    const pixel = pixels[at] ?? NaN;
    const [i, j] = [at % columns, Math.floor(at / columns)];
    const to = 5 * label;
    sums[to] = (sums[to] ?? 0) + 1;
    sums[to + 1] = (sums[to + 1] ?? 0) + i;
    sums[to + 2] = (sums[to + 2] ?? 0) + j;
    sums[to + 3] = (sums[to + 3] ?? 0) + pixel;
    sums[to + 4] = (sums[to + 4] ?? 0) + pixel * pixel;
    if (i === 0 || i === columns - 1 || j === 0 || j === lastRow) edges[label] = (edges[label] ?? 0) | edgesAt(i, j);
  }
  const bySegment = new Map<number, Sums>();
  for (let label = 1; label < 256; label++) {
    const [count = 0, i = 0, j = 0, sum = 0, square = 0] = sums.subarray(5 * label, 5 * label + 5);
    if (count === 0) continue;
    bySegment.set(label, {
      count,
      i,
      j,
      value: slope * sum + intercept * count,
      square: slope * slope * square + 2 * slope * intercept * sum + intercept * intercept * count,
      edges: edges[label] ?? 0,
    });
  }
  return bySegment;

  function edgesAt(i: number, j: number): number {
    return (
      (i === 0 ? Edge.firstColumn : 0) |
      (i === columns - 1 ? Edge.lastColumn : 0) |
      (j === 0 ? Edge.firstRow : 0) |
      (j === lastRow ? Edge.lastRow : 0)
    );
  }
}

function figuresOf(
  segmentNumber: number,
  bySlice: readonly (Sums | undefined)[],
  geometry: VolumeGeometry,
  wasRun: (k: number) => boolean,
): SegmentFigures | undefined {
  let [count, i, j, k, value, square] = [0, 0, 0, 0, 0, 0];
  bySlice.forEach((sums, slice) => {
    if (sums === undefined) return;
    count += sums.count;
    i += sums.i;
    j += sums.j;
    k += slice * sums.count;
    value += sums.value;
    square += sums.square;
  });
  if (count === 0) return undefined;
  const mean = value / count;
  const present = [...bySlice.keys()].filter((slice) => bySlice[slice] !== undefined);
  const centreSlice = present.reduce((best, slice) =>
    Math.abs(slice - k / count) < Math.abs(best - k / count) ? slice : best,
  );
  return {
    segmentNumber,
    voxelCount: count,
    volumeMl: count * voxelVolumeMl(geometry),
    mean,
    standardDeviation: Math.sqrt(Math.max(square / count - mean * mean, 0)),
    centre: indexToWorld(geometry, [i / count, j / count, k / count]),
    centreSlice,
    touchesBorder: bordersOf(bySlice, geometry, wasRun),
  };
}

/** An axis of one voxel has no borders. */
function bordersOf(
  bySlice: readonly (Sums | undefined)[],
  { dimensions: [columns, rows, slices], direction: [alongRow, alongColumn, alongSlices] }: VolumeGeometry,
  wasRun: (k: number) => boolean,
): PatientSide[] {
  const edges = bySlice.reduce((all, sums) => all | (sums?.edges ?? 0), 0);
  const isOpen = (k: number): boolean => k < 0 || k >= slices || !wasRun(k);
  const isCutAfter = (step: 1 | -1): boolean =>
    bySlice.some((sums, k) => sums !== undefined && wasRun(k) && isOpen(k + step));
  const touched = [
    ...(columns > 1 && edges & Edge.firstColumn ? [patientSideOf(alongRow, 'first')] : []),
    ...(columns > 1 && edges & Edge.lastColumn ? [patientSideOf(alongRow, 'last')] : []),
    ...(rows > 1 && edges & Edge.firstRow ? [patientSideOf(alongColumn, 'first')] : []),
    ...(rows > 1 && edges & Edge.lastRow ? [patientSideOf(alongColumn, 'last')] : []),
    ...(slices > 1 && isCutAfter(-1) ? [patientSideOf(alongSlices, 'first')] : []),
    ...(slices > 1 && isCutAfter(1) ? [patientSideOf(alongSlices, 'last')] : []),
  ];
  return [...new Set(touched)];
}
