import {
  cielabToColour,
  editedSegment,
  type ModelManifest,
  type SegmentationResult,
  type Volume,
} from '../src/index.ts';
import type { SegmentationClient, WorkerSession } from '../src/browser/client.ts';
import { openLabelmapExport } from '../src/browser/export-client.ts';
import type { ExportFormat } from '../src/browser/labelmap-export.ts';
import {
  createLabelmapTarget,
  createSegmentStatistics,
  readGrid,
  readImageVolume,
  runModel,
  type CornerstoneHost,
  type LabelmapTarget,
  type SegmentStatistics,
  type SeriesGrid,
} from '../extension/cornerstone/index.ts';
import { onGridOf } from './right-handed.ts';
import { registerVolumeImages } from './volume-images.ts';

const SOFTWARE_VERSION = 'example';

/** One opened image, and what models made of it. */
export interface Study {
  readonly volume: Volume;
  readonly imageIds: readonly string[];
  readonly grid: SeriesGrid;
  /** The last result; its labels are as the model gave them. */
  readonly result: SegmentationResult | undefined;
  readonly segmentationId: string | undefined;
  readonly target: LabelmapTarget | undefined;
  readonly statistics: SegmentStatistics | undefined;
  /** Makes an empty segmentation for a model's segments, unless there is one. */
  prepare(manifest: ModelManifest): string;
  run(options: {
    readonly client: SegmentationClient;
    readonly session: WorkerSession;
    /** By its place in `imageIds`. */
    readonly firstImage: number;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
  }): Promise<SegmentationResult>;
  /** The labels as they are now, encoded and verified. */
  encode(kind: 'dicom-seg' | 'nifti'): Promise<Blob>;
}

/** @param volume right-handed
 * @param file as it was read, if its grid is another
 * @param onFigures called when the figures of a segment have changed */
export async function openStudy(
  host: CornerstoneHost,
  { volume, file, onFigures }: { readonly volume: Volume; readonly file: Volume; readonly onFigures: () => void },
): Promise<Study> {
  const imageIds = registerVolumeImages(host, volume);
  const grid = await readGrid(host, imageIds);
  let made: { segmentationId: string; target: LabelmapTarget; statistics: SegmentStatistics } | undefined;
  let result: SegmentationResult | undefined;

  const labelmap = () => {
    if (made === undefined) throw new Error('There is no segmentation yet.');
    return made;
  };

  return {
    volume,
    imageIds,
    grid,
    get result() {
      return result;
    },
    get segmentationId() {
      return made?.segmentationId;
    },
    get target() {
      return made?.target;
    },
    get statistics() {
      return made?.statistics;
    },

    prepare(manifest) {
      const segmentationId = `${imageIds[0] ?? ''}:${manifest.id}`;
      if (made?.segmentationId === segmentationId) return segmentationId;
      made?.statistics.dispose();
      made?.target.dispose();
      addSegmentation(host, imageIds, segmentationId, manifest);
      const place = { imageIds, sliceOfImage: grid.sliceOfImage };
      const target = createLabelmapTarget(host, { ...place, segmentationId });
      const statistics = createSegmentStatistics(host, {
        ...place,
        target,
        geometry: grid.geometry,
        onChange: onFigures,
      });
      made = { segmentationId, target, statistics };
      return segmentationId;
    },

    async run({ client, session, firstImage, signal, onProgress }) {
      const { volume: pixels, sliceOfImage } = await readImageVolume(host, imageIds, { signal });
      result = await runModel({
        client,
        session,
        volume: pixels,
        target: labelmap().target,
        firstSlice: sliceOfImage[firstImage] ?? firstImage,
        softwareVersion: SOFTWARE_VERSION,
        signal,
        onProgress,
      });
      return result;
    },

    async encode(kind) {
      const { target } = labelmap();
      if (result === undefined) throw new Error('No model has been run.');
      const { provenance, labelmap: given } = result;
      await target.settled();
      const edited = target.editedSegments();
      const segments = given.segments.map((segment) =>
        edited.has(segment.segmentNumber) ? editedSegment(segment) : segment,
      );
      const { labels } = await target.readLabels();
      const { source } = grid.description;
      const isNifti = kind === 'nifti';
      const format: ExportFormat = isNifti
        ? { kind, gzip: true }
        : { kind, provenance: { ...provenance, softwareVersion: SOFTWARE_VERSION }, now: new Date() };
      const exported = await openLabelmapExport(
        {
          geometry: isNifti ? file.geometry : grid.geometry,
          voxels: isNifti ? onGridOf(labels, file) : labels,
          ...(source !== undefined && { source }),
        },
        { createWorker: createExportWorker },
      );
      try {
        const { parts } = await exported.encode(segments, format);
        return new Blob([...parts], { type: isNifti ? 'application/gzip' : 'application/dicom' });
      } finally {
        exported.dispose();
      }
    },
  };
}

function createExportWorker(): Worker {
  return new Worker(new URL('../src/browser/export-worker.ts', import.meta.url), { type: 'module' });
}

function addSegmentation(
  { core, tools }: CornerstoneHost,
  imageIds: readonly string[],
  segmentationId: string,
  { title, segments }: ModelManifest,
): void {
  const images = core.imageLoader.createAndCacheDerivedLabelmapImages([...imageIds]);
  tools.segmentation.addSegmentations([
    {
      segmentationId,
      representation: {
        type: tools.Enums.SegmentationRepresentations.Labelmap,
        data: { imageIds: images.map(({ imageId }) => imageId), referencedImageIds: [...imageIds] },
      },
      config: {
        label: title,
        segments: Object.fromEntries(
          segments.map(({ segmentNumber, segmentLabel }, at) => [
            segmentNumber,
            { segmentIndex: segmentNumber, label: segmentLabel, active: at === 0, locked: false, cachedStats: {} },
          ]),
        ),
      },
    },
  ]);
}

/** A model's segments in the colours that it names, by segment number from 1. */
export function segmentColours({ segments }: ModelManifest): [number, number, number, number][] {
  const colours: [number, number, number, number][] = [];
  for (const { segmentNumber, recommendedDisplayCIELab } of segments) {
    const [red, green, blue] = cielabToColour(recommendedDisplayCIELab);
    colours[segmentNumber - 1] = [red, green, blue, 255];
  }
  return colours;
}
