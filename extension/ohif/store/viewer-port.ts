import type { Labelmap, SourceSeries } from '../../../src/index.ts';
import type { DicomWeb, InstancePath } from './dicom-web.ts';
import type { ListedSegment } from './describe-segments.ts';

/** What storing needs of the viewer; the one for OHIF is in `ohif-viewer-port.ts`. */
export interface ViewerPort {
  /** The active data source's PACS.
   * @throws EnvironmentError `pacs-unavailable` with the reason, if it cannot store */
  pacs(): DicomWeb;
  /** A copy of the labels as they are now.
   * @throws InputError if they are no labels of one series of images, or not one label a voxel; the signal's reason */
  labels(segmentationId: string, signal?: AbortSignal): Promise<ViewerLabels>;
  /** As the viewer lists them. */
  segments(segmentationId: string): readonly ListedSegment[];
  /** The segmentation's name; undefined if there is no such segmentation. */
  name(segmentationId: string): string | undefined;
  /** Whether it was opened from a stored segmentation. */
  isOpened(segmentationId: string): boolean;
  /** The bytes of the stored segmentation that it was opened from.
   * @throws EnvironmentError `pacs-unreachable`, `pacs-refused`; the signal's reason */
  openedFile(segmentationId: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Calls the listener when voxels, names or the list of segments of a segmentation have changed, and when there is a
   * new one, or one less. */
  onChange(listener: (segmentationId: string) => void): () => void;
  /** Lists a series that was just stored, without a reload of the page. */
  showStored(path: InstancePath): Promise<void>;
  /** Hands a file to the user. */
  offerFile(content: Blob, name: string): void;
}

interface ViewerLabels extends Omit<Labelmap, 'segments'> {
  /** Undefined where the images have no identity that a file could refer to. */
  readonly source?: SourceSeries;
  /** Segments that a person has changed since a model made them. */
  readonly edited: ReadonlySet<number>;
}
