import type { NewSegmentation, Series, Viewer, ViewerSegment } from '../../../extension/ohif/viewer.ts';
import { addSeries, host } from '../../support/cornerstone-series.ts';
import { phantom } from '../../support/phantom.ts';

/** A viewer without windows over the real Cornerstone: one series in view, its segmentations in Cornerstone's state. */
export function createFakeViewer() {
  const { geometry, voxels } = phantom([9, 7, 6]);
  const order = [4, 0, 3, 1, 5, 2];
  const imageIds = addSeries({ geometry, stored: voxels, order, change: () => ({ BodyPartExamined: 'HEART' }) });
  const series: Series = {
    id: imageIds[0] ?? '',
    description: 'Phantom',
    modality: 'MR',
    bodyPartExamined: 'HEART',
    imageIds,
  };
  const shown = new Map<string, { label: string; isActive: boolean; segments: ViewerSegment[] }>();
  const listeners = new Set<() => void>();
  const calls: unknown[][] = [];
  let inView: Series | undefined = series;
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const activate = (segmentationId: string, segmentNumber?: number): void => {
    for (const [id, segmentation] of shown) {
      segmentation.isActive = id === segmentationId;
      if (id !== segmentationId || segmentNumber === undefined) continue;
      segmentation.segments = segmentation.segments.map((segment) => ({
        ...segment,
        isActive: segment.segmentNumber === segmentNumber,
      }));
    }
    tell();
  };

  const viewer: Viewer = {
    cornerstone: host,
    seriesInView: () => inView,
    sliceInView: () => 2,
    showSlice: (_, slice) => calls.push(['showSlice', slice]),
    showPoint: (_, slice) => calls.push(['showPoint', slice]),
    onViewChange: watch,
    onSegmentationChange: (listener) =>
      watch(() => {
        listener('');
      }),
    onToolChange: () => () => undefined,
    hasSegmentation: (id) => host.tools.segmentation.state.getSegmentation(id) !== undefined,
    createSegmentation(on, segmentation) {
      addToCornerstone(on, segmentation);
      return Promise.resolve();
    },
    showSegmentation(_, { segmentationId, label, segments }) {
      if (!shown.has(segmentationId)) {
        shown.set(segmentationId, {
          label,
          isActive: false,
          segments: segments.map((segment, at) => ({
            ...segment,
            isVisible: true,
            isLocked: false,
            isActive: at === 0,
            opacity: 0.5,
          })),
        });
      }
      activate(segmentationId);
      return Promise.resolve();
    },
    activate,
    removeSegmentation(segmentationId) {
      shown.delete(segmentationId);
      if (viewer.hasSegmentation(segmentationId)) host.tools.segmentation.state.removeSegmentation(segmentationId);
      tell();
    },
    segmentationsOf: () => [...shown].map(([segmentationId, segmentation]) => ({ segmentationId, ...segmentation })),
    changeSegment: (...change) => calls.push(['changeSegment', ...change]),
    editTool: () => undefined,
    chooseEditTool: (tool) => calls.push(['chooseEditTool', tool]),
  };
  function watch(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }
  return {
    viewer,
    series,
    order,
    calls,
    showSeries(next: Series | undefined) {
      inView = next;
      tell();
    },
  };
}

function addToCornerstone({ imageIds }: Series, { segmentationId, segments }: NewSegmentation): void {
  const images = host.core.imageLoader.createAndCacheDerivedLabelmapImages([...imageIds]);
  host.tools.segmentation.addSegmentations([
    {
      segmentationId,
      representation: {
        type: host.tools.Enums.SegmentationRepresentations.Labelmap,
        data: { imageIds: images.map(({ imageId }) => imageId) },
      },
      config: {
        segments: Object.fromEntries(
          segments.map(({ segmentNumber, label }, at) => [
            segmentNumber,
            { segmentIndex: segmentNumber, label, locked: false, active: at === 0, cachedStats: {} },
          ]),
        ),
      },
    },
  ]);
}
