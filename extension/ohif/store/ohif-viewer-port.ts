import { EnvironmentError, InputError } from '../../../src/index.ts';
import { readGrid } from '../../cornerstone/index.ts';
import { cornerstoneOf, type OhifManagers } from '../host.ts';
import type { Labelmaps } from '../labelmaps.ts';
import { namesOf, type ListedSegment } from './describe-segments.ts';
import type { InstancePath } from './dicom-web.ts';
import { hostArchive, readSeriesIntoHost, type ArchiveHost } from './host-archive.ts';
import type { ViewerPort } from './viewer-port.ts';

/** OHIF, as storing sees it.
 * @param labelmaps the segmentations that are watched for edits */
export function createOhifViewerPort(managers: OhifManagers & ArchiveHost, labelmaps: Labelmaps): ViewerPort {
  const { segmentationService, displaySetService } = managers.servicesManager.services;
  const host = cornerstoneOf(managers);

  const name: ViewerPort['name'] = (id) => segmentationService.getSegmentation(id)?.label;

  const segments = (id: string): ListedSegment[] => {
    const [viewportId = ''] = segmentationService.getViewportIdsWithSegmentation(id);
    const [representation] = segmentationService.getSegmentationRepresentations(viewportId, { segmentationId: id });
    const listed = Object.values(segmentationService.getSegmentation(id)?.segments ?? {});
    return listed.map(({ segmentIndex, label }) => {
      const [red, green, blue] = representation?.segments[segmentIndex]?.color ?? [];
      const hasColour = red !== undefined && green !== undefined && blue !== undefined;
      return { segmentNumber: segmentIndex, label, ...(hasColour && { colour: [red, green, blue] }) };
    });
  };

  /** OHIF gives a segmentation that it opened the id of the display set that it opened. */
  const openedFrom = (id: string): InstancePath | undefined => {
    const displaySet = displaySetService.getDisplaySetByUID(id);
    if (displaySet?.Modality !== 'SEG' || displaySet.SOPInstanceUID === undefined) return undefined;
    return {
      studyInstanceUID: displaySet.StudyInstanceUID,
      seriesInstanceUID: displaySet.SeriesInstanceUID,
      sopInstanceUID: displaySet.SOPInstanceUID,
    };
  };

  return {
    pacs: () => hostArchive(managers),
    async labels(id, signal) {
      const labelmap = labelmaps.of(id);
      if (labelmap === undefined) throw notOnASeries(id);
      const { target, series } = labelmap;
      const { geometry, description } = await readGrid(host, series.imageIds, signal ? { signal } : {});
      await target.settled();
      const { labels: voxels, overlappingVoxels } = await target.readLabels();
      if (overlappingVoxels > 0) throw overlapping(overlappingVoxels);
      const { source } = description;
      return { geometry, voxels, edited: target.editedSegments(), ...(source && { source }) };
    },
    segments,
    name,
    isOpened: (id) => openedFrom(id) !== undefined,
    async openedFile(id, signal) {
      const path = openedFrom(id);
      if (path === undefined) throw notOnASeries(id);
      return await hostArchive(managers).retrieve(path, signal);
    },
    onChange(listener) {
      const { EVENTS } = segmentationService;
      const namesBefore = new Map<string, string>();
      const onEvent = (event: unknown): void => {
        const id = segmentationIdOf(event);
        const current = id === undefined ? undefined : name(id);
        if (id === undefined || (current === undefined && !namesBefore.has(id))) return;
        const names = current === undefined ? undefined : namesOf(current, segments(id));
        if (names === namesBefore.get(id)) return;
        if (names === undefined) namesBefore.delete(id);
        else namesBefore.set(id, names);
        listener(id);
      };
      const subscriptions = [EVENTS.SEGMENTATION_ADDED, EVENTS.SEGMENTATION_MODIFIED, EVENTS.SEGMENTATION_REMOVED].map(
        (event) => segmentationService.subscribe(event, onEvent),
      );
      const stopOpening = labelmaps.onOpen((id, { target }) => {
        // The first changes that a new target tells of are no edits, but what it found.
        void target.settled().then(() =>
          target.onChange(() => {
            listener(id);
          }),
        );
      });
      return () => {
        for (const subscription of subscriptions) subscription.unsubscribe();
        stopOpening();
      };
    },
    async showStored(path) {
      await readSeriesIntoHost(managers, path);
      const isListed = displaySetService.activeDisplaySets.some(
        ({ SOPInstanceUID }) => SOPInstanceUID === path.sopInstanceUID,
      );
      if (!isListed) throw new Error('OHIF made no display set of the stored segmentation');
    },
    offerFile,
  };
}

function segmentationIdOf(event: unknown): string | undefined {
  const id: unknown = typeof event === 'object' && event !== null && 'segmentationId' in event && event.segmentationId;
  return typeof id === 'string' ? id : undefined;
}

function offerFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  // The browser takes the content over at its own time.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}

function notOnASeries(segmentationId: string): EnvironmentError {
  return new EnvironmentError('pacs-unavailable', `The segmentation ${segmentationId} is on no series in view.`, {
    remedy: 'Show the series that it belongs to, and save again.',
  });
}

function overlapping(voxels: number): InputError {
  return new InputError(
    'invalid-voxels',
    `${voxels} voxels belong to two segments: one was painted over another that is locked.`,
    {
      remedy: 'Erase them from one of the two; a voxel is stored in one segment.',
    },
  );
}
