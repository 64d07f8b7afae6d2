import {
  createLabelmapTarget,
  createSegmentStatistics,
  type LabelmapTarget,
  type SegmentStatistics,
  type SeriesGrid,
} from '../cornerstone/index.ts';
import type { Series, Viewer } from './viewer.ts';

/** Where the slices of a series are in space. */
type Grid = Pick<SeriesGrid, 'geometry' | 'sliceOfImage'>;

/** One segmentation of the viewer as labels on its series, with its figures. There is one of these for each, from when
 * it is first seen until it is removed: edits are noticed from then on. */
export interface OpenLabelmap extends Grid {
  readonly series: Series;
  readonly target: LabelmapTarget;
  readonly statistics: SegmentStatistics;
}

export interface Labelmaps {
  readonly of: (segmentationId: string) => OpenLabelmap | undefined;
  /** @throws InputError `geometry-mismatch` if the segmentation is not on the series' slices */
  readonly open: (segmentationId: string, series: Series, grid: Grid) => OpenLabelmap;
  /** Calls the listener for each that is opened; returns what ends that. */
  readonly onOpen: (listener: (segmentationId: string, labelmap: OpenLabelmap) => void) => () => void;
  /** Drops those whose segmentation the viewer no longer has. */
  readonly sweep: () => void;
}

/** @param onFigures called when the figures of a segment have changed */
export function createLabelmaps(viewer: Viewer, onFigures: () => void): Labelmaps {
  const labelmaps = new Map<string, OpenLabelmap>();
  const openListeners = new Set<(segmentationId: string, labelmap: OpenLabelmap) => void>();
  return {
    of: (segmentationId) => labelmaps.get(segmentationId),
    open(segmentationId, series, grid) {
      const known = labelmaps.get(segmentationId);
      if (known) return known;
      const { imageIds } = series;
      const { geometry, sliceOfImage } = grid;
      const target = createLabelmapTarget(viewer.cornerstone, { segmentationId, imageIds, sliceOfImage });
      const statistics = createSegmentStatistics(viewer.cornerstone, {
        target,
        geometry,
        imageIds,
        sliceOfImage,
        onChange: onFigures,
      });
      const opened: OpenLabelmap = { series, geometry, sliceOfImage, target, statistics };
      labelmaps.set(segmentationId, opened);
      for (const listener of openListeners) listener(segmentationId, opened);
      return opened;
    },
    onOpen(listener) {
      openListeners.add(listener);
      return () => openListeners.delete(listener);
    },
    sweep() {
      for (const [segmentationId, { target, statistics }] of labelmaps) {
        if (viewer.hasSegmentation(segmentationId)) continue;
        statistics.dispose();
        target.dispose();
        labelmaps.delete(segmentationId);
      }
    },
  };
}
