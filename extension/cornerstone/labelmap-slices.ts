import type { Types as ToolsTypes } from '@cornerstonejs/tools';
import { InputError } from '../../src/index.ts';
import type { CornerstoneHost } from './host.ts';

/** A segmentation of the page as slices of the volume that it was made for. */
export interface LabelmapSlices {
  readonly count: number;
  /** Whether the page still has the segmentation; else the rest throws. */
  readonly exists: boolean;
  /** The segment of each voxel of slice k as it is now: not to be changed, nor kept. */
  labels(k: number): Uint8Array;
  /** Changes slice k: all its labels are to be written. */
  write(k: number, write: (labels: Uint8Array) => void): void;
  /** Voxels of slice k that belong to several segments: the page's tools make such where a locked segment is painted
   * over. `labels` has the first layer's segment there. */
  overlap(k: number): number;
  /** Tells the page that slices have changed; their order does not matter. */
  announce(slices: readonly number[]): void;
  /** Whether it is we who are just telling of a change. */
  readonly isAnnouncing: boolean;
  /** The slices that an event of the page may mean: its numbers count along a volume or along an image list, and events
   * of a stack viewport often mean the image that is shown. */
  hinted(pageIndices: readonly number[]): number[];
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
  const sliceOfSource = new Map(place.imageIds.map((imageId, n) => [imageId, place.sliceOfImage[n] ?? n]));
  let isAnnouncing = false;

  const layers = (): readonly Layer[] => {
    const found = layersOf(labelmapData(host, segmentationId));
    for (const layer of found) sliceIdsOf(layer);
    return found;
  };
  // The page adds and removes layers while it is edited; what it knows of one does not change.
  const sliceIds = new Map<string, readonly string[]>();
  const sliceIdsOf = (layer: Layer): readonly string[] => {
    const known = sliceIds.get(layer.labelmapId) ?? imageIdsBySlice(host, layer, sliceOfSource, segmentationId);
    sliceIds.set(layer.labelmapId, known);
    return known;
  };
  const layerLabels = (layer: Layer, k: number): Uint8Array => {
    const image = core.cache.getImage(sliceIdsOf(layer)[k] ?? '');
    const labels = image?.voxelManager?.getScalarData();
    if (labels instanceof Uint8Array) return labels;
    throw noLabelmap(segmentationId, `slice ${k} has no 8-bit labels`);
  };
  layers();

  return {
    count: sliceOfSource.size,
    get exists() {
      return tools.segmentation.state.getSegmentation(segmentationId)?.representationData.Labelmap !== undefined;
    },
    labels(k) {
      const [first, ...others] = layers();
      const labels = layerLabels(first ?? NO_LAYER, k);
      return others.length === 0 ? labels : merged(labels, others, (layer) => layerLabels(layer, k));
    },
    write(k, write) {
      const [first = NO_LAYER, ...others] = layers();
      const own = layerLabels(first, k);
      if (others.length === 0) {
        write(own);
        return;
      }
      const labels = new Uint8Array(own.length);
      write(labels);
      for (const layer of [first, ...others]) {
        const values = layerLabels(layer, k);
        labels.forEach((label, at) => (values[at] = layer.valueOf(label)));
      }
    },
    overlap(k) {
      const [first, ...others] = layers();
      if (others.length === 0) return 0;
      const taken = Uint8Array.from(layerLabels(first ?? NO_LAYER, k));
      let count = 0;
      for (const layer of others) {
        layerLabels(layer, k).forEach((value, at) => {
          if (value !== 0 && taken[at] !== 0) count++;
          else taken[at] ||= value;
        });
      }
      return count;
    },
    announce(slices) {
      isAnnouncing = true;
      try {
        const order = pageOrder(host, segmentationId, layers()[0], sliceIdsOf);
        const indices = slices.map((k) => order.indexOf(k)).filter((index) => index >= 0);
        tools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId, indices);
      } finally {
        isAnnouncing = false;
      }
    },
    get isAnnouncing() {
      return isAnnouncing;
    },
    hinted(pageIndices) {
      const order = pageOrder(host, segmentationId, layers()[0], sliceIdsOf);
      const shown = core
        .getEnabledElements()
        .map(({ viewport }) => ('getCurrentImageId' in viewport ? viewport.getCurrentImageId() : undefined));
      const candidates = [
        ...pageIndices.map((index) => order[index]),
        ...shown.map((id) => sliceOfSource.get(id ?? '')),
      ];
      return [...new Set(candidates)].filter((k) => k !== undefined);
    },
  };
}

/** The page's own storage of some segments: one is all there is until segments overlap. */
interface Layer {
  readonly labelmapId: string;
  readonly imageIds?: readonly string[];
  readonly volumeId?: string;
  readonly referencedImageIds?: readonly string[];
  /** The page's volume over the images, where a volume viewport made one. */
  readonly geometryVolumeId?: string;
  segmentOf(value: number): number;
  /** The value that stands for a segment in this layer; 0 for a segment of another layer. */
  valueOf(segment: number): number;
}

const NO_LAYER: Layer = { labelmapId: '', segmentOf: (value) => value, valueOf: (segment) => segment };

type LabelmapData = ToolsTypes.LabelmapSegmentationData;

function layersOf(data: LabelmapData): Layer[] {
  const stored = Object.values(data.labelmaps ?? {});
  if (stored.length <= 1) return [{ ...NO_LAYER, ...data, ...stored[0] }];
  const bindings = Object.entries(data.segmentBindings ?? {});
  const primaryFirst = stored.toSorted(
    (a, b) => Number(b.labelmapId === data.primaryLabelmapId) - Number(a.labelmapId === data.primaryLabelmapId),
  );
  return primaryFirst.map((layer) => {
    const own = bindings.filter(([, { labelmapId }]) => labelmapId === layer.labelmapId);
    const valueBySegment = new Map(own.map(([segment, { labelValue }]) => [Number(segment), labelValue]));
    const segmentByValue = new Map(own.map(([segment, { labelValue }]) => [labelValue, Number(segment)]));
    return {
      ...layer,
      segmentOf: (value) => segmentByValue.get(value) ?? value,
      valueOf: (segment) => valueBySegment.get(segment) ?? 0,
    };
  });
}

function merged(first: Uint8Array, others: readonly Layer[], labelsOf: (layer: Layer) => Uint8Array): Uint8Array {
  const whole = Uint8Array.from(first);
  for (const layer of others) {
    labelsOf(layer).forEach((value, at) => {
      if (value !== 0 && whole[at] === 0) whole[at] = layer.segmentOf(value);
    });
  }
  return whole;
}

function imageIdsBySlice(
  host: CornerstoneHost,
  layer: Layer,
  sliceOfSource: ReadonlyMap<string, number>,
  segmentationId: string,
): string[] {
  const ordered: string[] = [];
  for (const [n, imageId] of imageIdsOf(host, layer).entries()) {
    const source = host.core.cache.getImage(imageId)?.referencedImageId ?? layer.referencedImageIds?.[n];
    const k = sliceOfSource.get(source ?? '');
    if (k !== undefined) ordered[k] = imageId;
  }
  const missing = Array.from({ length: sliceOfSource.size }, (_, k) => k).filter((k) => ordered[k] === undefined);
  if (missing.length === 0) return ordered;
  throw noLabelmap(segmentationId, `${missing.length} of its ${sliceOfSource.size} slices have no labels`);
}

/** The slices k in the order in which the page counts them: along the labelmap's volume where a viewport shows one,
 * else along its image list. */
function pageOrder(
  host: CornerstoneHost,
  segmentationId: string,
  layer: Layer | undefined,
  sliceIdsOf: (layer: Layer) => readonly string[],
): number[] {
  if (layer === undefined) throw noLabelmap(segmentationId, 'it is no labelmap');
  const volumeId = layer.volumeId ?? layer.geometryVolumeId;
  const volume = volumeId === undefined ? undefined : host.core.cache.getVolume(volumeId);
  const sliceOf = new Map(sliceIdsOf(layer).map((imageId, k) => [imageId, k]));
  return (volume?.imageIds ?? imageIdsOf(host, layer)).map((imageId) => sliceOf.get(imageId) ?? -1);
}

function imageIdsOf({ core }: CornerstoneHost, { imageIds, volumeId }: Layer): readonly string[] {
  return imageIds ?? (volumeId === undefined ? undefined : core.cache.getVolume(volumeId)?.imageIds) ?? [];
}

function labelmapData({ tools }: CornerstoneHost, segmentationId: string): LabelmapData {
  const data = tools.segmentation.state.getSegmentation(segmentationId)?.representationData.Labelmap;
  if (data === undefined) throw noLabelmap(segmentationId, 'it is no labelmap');
  return data;
}

function noLabelmap(segmentationId: string, why: string): InputError {
  return new InputError(
    'geometry-mismatch',
    `The segmentation ${segmentationId} is not on the slices of this series: ${why}.`,
    { remedy: 'Make a new segmentation of the series, and run the model into it.' },
  );
}
