import { EnvironmentError } from '../../../../src/errors.ts';
import type { Labelmap } from '../../../../src/labelmap/labelmap.ts';
import type { SourceSeries } from '../../../../src/volume/volume.ts';
import { createLabelmapExport, type LabelsToExport } from '../../../../src/browser/labelmap-export.ts';
import type { LabelmapExportClient } from '../../../../src/browser/export-client.ts';
import type { DicomWeb, InstancePath } from '../../../../extension/ohif/store/dicom-web.ts';
import type { ListedSegment } from '../../../../extension/ohif/store/describe-segments.ts';
import type { ViewerPort } from '../../../../extension/ohif/store/viewer-port.ts';

/** A viewer with one segmentation, `seg`, that a test changes as a person would. */
export interface FakeViewer extends ViewerPort {
  voxels: Labelmap['voxels'];
  listed: readonly ListedSegment[];
  label: string | undefined;
  edited: Set<number>;
  openedPath: InstancePath | undefined;
  readonly shown: InstancePath[];
  readonly files: { readonly name: string; readonly content: Blob }[];
  /** Sets a voxel and tells of it, as a stroke of the brush does. */
  paint(at: number, label: number): void;
  /** Tells that something has changed. */
  changed(): void;
}

export interface FakeViewerOptions {
  readonly labelmap: Labelmap;
  readonly source?: SourceSeries;
  /** Without one the data source cannot store. */
  readonly pacs?: DicomWeb;
}

export function createFakeViewer({ labelmap, source, pacs }: FakeViewerOptions): FakeViewer {
  const listeners = new Set<(segmentationId: string) => void>();
  const unavailable = new EnvironmentError('pacs-unavailable', 'The study was opened from files.', {
    remedy: 'Download the segmentation.',
  });
  const viewer: FakeViewer = {
    voxels: labelmap.voxels.slice(),
    listed: labelmap.segments.map(({ segmentNumber, segmentLabel }) => ({
      segmentNumber,
      label: segmentLabel,
      colour: [200, 0, 20],
    })),
    label: 'Kidneys',
    edited: new Set(),
    openedPath: undefined,
    shown: [],
    files: [],
    pacs() {
      if (pacs === undefined) throw unavailable;
      return pacs;
    },
    labels: () =>
      Promise.resolve({
        geometry: labelmap.geometry,
        voxels: viewer.voxels.slice(),
        edited: new Set(viewer.edited),
        ...(source && { source }),
      }),
    segments: () => viewer.listed,
    name: () => viewer.label,
    isOpened: () => viewer.openedPath !== undefined,
    openedFile(_id, signal) {
      if (pacs === undefined || viewer.openedPath === undefined) throw unavailable;
      return pacs.retrieve(viewer.openedPath, signal);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    showStored(path) {
      viewer.shown.push(path);
      return Promise.resolve();
    },
    offerFile(content, name) {
      viewer.files.push({ content, name });
    },
    paint(at, label) {
      const before = viewer.voxels[at] ?? 0;
      viewer.voxels[at] = label;
      for (const touched of [before, label]) if (touched > 0) viewer.edited.add(touched);
      viewer.changed();
    },
    changed() {
      for (const listener of listeners) listener('seg');
    },
  };
  return viewer;
}

/** The export worker's code without the worker. */
export function openExportHere(labels: LabelsToExport, signal?: AbortSignal): Promise<LabelmapExportClient> {
  const here = createLabelmapExport(labels);
  const abortable = async <T>(work: T | Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    const value = await work;
    signal?.throwIfAborted();
    return value;
  };
  return Promise.resolve({
    labels: () => abortable(here.labels()),
    compareWithStored: (seg) => abortable(here.compareWithStored(seg)),
    encode: (segments, format) => abortable(here.encode(segments, format)),
    verifyStored: (seg) => abortable(here.verifyStored(seg)),
    equals: (voxels) => abortable(here.equals(voxels)),
    dispose: () => undefined,
  });
}
