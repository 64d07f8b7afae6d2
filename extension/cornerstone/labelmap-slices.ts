import type { Types as ToolsTypes } from '@cornerstonejs/tools';
import { InputError } from '../../src/index.ts';
import type { CornerstoneHost } from './host.ts';

/** A segmentation of the page as slices of the volume that it was made for. */
export interface LabelmapSlices {
  readonly count: number;
  /** The labels of slice k, the page's own memory: what is written there is what the page shows. */
  labels(k: number): Uint8Array;
  /** Tells the page that slices have changed; their order does not matter. */
  announce(slices: readonly number[]): void;
}

export interface LabelmapPlace {
  readonly segmentationId: string;
  /** The source images of the series, in any order. */
  readonly imageIds: readonly string[];
  /** The slice k of each of them; see readVolume. */
  readonly sliceOfImage: readonly number[];
}

/** Finds the labelmap image of every slice. Slices and labelmap images are matched by the source image that both name,
 * never by an order: the page's images, its labelmap's and its volumes' are each in an order of their own.
 * @throws InputError `geometry-mismatch` if a slice has no labelmap image */
export function openLabelmapSlices(host: CornerstoneHost, place: LabelmapPlace): LabelmapSlices {
  const { core, tools } = host;
  const { segmentationId } = place;
  const labelmapImageIds = slicesInOrder(host, place);

  return {
    count: labelmapImageIds.length,
    labels(k) {
      const labels = core.cache.getImage(labelmapImageIds[k] ?? '')?.voxelManager?.getScalarData();
      if (labels instanceof Uint8Array) return labels;
      throw noLabelmap(segmentationId, `slice ${k} has no 8-bit labels`);
    },
    announce(slices) {
      const changed = slices.map((k) => labelmapImageIds[k] ?? '');
      tools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(
        segmentationId,
        indicesInPageOrder(host, segmentationId, changed),
      );
    },
  };
}

function slicesInOrder(host: CornerstoneHost, { segmentationId, imageIds, sliceOfImage }: LabelmapPlace): string[] {
  const data = labelmapData(host, segmentationId);
  const labelmapImageOf = new Map<string, string>();
  for (const [n, labelmapImageId] of labelmapImageIdsOf(host, data).entries()) {
    const source = host.core.cache.getImage(labelmapImageId)?.referencedImageId ?? data.referencedImageIds?.[n];
    if (source !== undefined) labelmapImageOf.set(source, labelmapImageId);
  }
  const ordered: string[] = [];
  for (const [n, imageId] of imageIds.entries()) {
    const labelmapImageId = labelmapImageOf.get(imageId);
    if (labelmapImageId === undefined) throw noLabelmap(segmentationId, `image ${n + 1} of the series has no labels`);
    ordered[sliceOfImage[n] ?? n] = labelmapImageId;
  }
  return ordered;
}

/** Slices as the page counts them: along the labelmap's volume where one is shown, else along its image list. */
function indicesInPageOrder(host: CornerstoneHost, segmentationId: string, changed: readonly string[]): number[] {
  const data = labelmapData(host, segmentationId);
  const volumeId =
    data.volumeId ?? Object.values(data.labelmaps ?? {}).find((layer) => layer.geometryVolumeId)?.geometryVolumeId;
  const volume = volumeId === undefined ? undefined : host.core.cache.getVolume(volumeId);
  const order = new Map((volume?.imageIds ?? labelmapImageIdsOf(host, data)).map((imageId, n) => [imageId, n]));
  return changed.map((imageId) => order.get(imageId)).filter((n) => n !== undefined);
}

function labelmapData({ tools }: CornerstoneHost, segmentationId: string): ToolsTypes.LabelmapSegmentationData {
  const data = tools.segmentation.state.getSegmentation(segmentationId)?.representationData.Labelmap;
  if (data === undefined) throw noLabelmap(segmentationId, 'it is no labelmap');
  return data;
}

function labelmapImageIdsOf({ core }: CornerstoneHost, data: ToolsTypes.LabelmapSegmentationData): readonly string[] {
  const volume = data.volumeId === undefined ? undefined : core.cache.getVolume(data.volumeId);
  return data.imageIds ?? volume?.imageIds ?? [];
}

function noLabelmap(segmentationId: string, why: string): InputError {
  return new InputError(
    'geometry-mismatch',
    `The segmentation ${segmentationId} cannot take the model's labels: ${why}.`,
    {
      remedy: 'Make a new segmentation of the series, and run the model into it.',
    },
  );
}
