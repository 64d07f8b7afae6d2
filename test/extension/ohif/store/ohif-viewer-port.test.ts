import { describe, expect, test, vi } from 'vitest';
import type { OhifManagers } from '../../../../extension/ohif/host.ts';
import type { Labelmaps, OpenLabelmap } from '../../../../extension/ohif/labelmaps.ts';
import type { ArchiveHost } from '../../../../extension/ohif/store/host-archive.ts';
import { createOhifViewerPort } from '../../../../extension/ohif/store/ohif-viewer-port.ts';
import type { ViewerPort } from '../../../../extension/ohif/store/viewer-port.ts';

type Segments = Record<number, { segmentIndex: number; label: string }>;

/** OHIF with one segmentation, `seg`. */
function createHost() {
  const listeners = new Map<string, Set<(event: unknown) => void>>();
  const opened = new Set<(id: string, labelmap: OpenLabelmap) => void>();
  const state = {
    label: 'Heart' as string | undefined,
    segments: { 1: { segmentIndex: 1, label: 'RV' }, 2: { segmentIndex: 2, label: 'LV' } } as Segments,
    displaySets: [] as object[],
  };
  const services = {
    segmentationService: {
      EVENTS: { SEGMENTATION_ADDED: 'added', SEGMENTATION_MODIFIED: 'modified', SEGMENTATION_REMOVED: 'removed' },
      subscribe(event: string, listener: (detail: unknown) => void) {
        const set = listeners.get(event) ?? new Set();
        listeners.set(event, set.add(listener));
        return { unsubscribe: () => set.delete(listener) };
      },
      getSegmentation: (id: string) => (id === 'seg' && state.label !== undefined ? state : undefined),
      getViewportIdsWithSegmentation: () => ['viewport'],
      getSegmentationRepresentations: () => [{ segments: { 1: { color: [181, 85, 57, 255], visible: true } } }],
    },
    displaySetService: {
      get activeDisplaySets() {
        return state.displaySets;
      },
      getDisplaySetByUID: (uid: string) =>
        state.displaySets.find((set) => Reflect.get(set, 'displaySetInstanceUID') === uid),
    },
  };
  const managers = {
    servicesManager: { services },
    extensionManager: {
      getModuleEntry: () => ({
        exports: { getCornerstoneLibraries: () => ({ cornerstone: {}, cornerstoneTools: {} }) },
      }),
      getActiveDataSource: () => [
        { getConfig: () => ({ wadoRoot: '/x' }), retrieve: { series: { metadata: () => Promise.resolve([]) } } },
      ],
    },
  } as unknown as OhifManagers & ArchiveHost;
  const labelmaps = {
    of: () => undefined,
    onOpen(listener: (id: string, labelmap: OpenLabelmap) => void) {
      opened.add(listener);
      return () => opened.delete(listener);
    },
  } as unknown as Labelmaps;
  const port: ViewerPort = createOhifViewerPort(managers, labelmaps);
  return {
    state,
    port,
    tell(event: string, segmentationId = 'seg') {
      for (const listener of listeners.get(event) ?? []) listener({ segmentationId });
    },
    open(target: Pick<OpenLabelmap['target'], 'settled' | 'onChange'>) {
      for (const listener of opened) listener('seg', { target } as OpenLabelmap);
    },
    get listenerCount() {
      return [...listeners.values()].reduce((sum, set) => sum + set.size, opened.size);
    },
  };
}

test('segments are listed with their names, and the colours that a viewport shows', () => {
  expect(createHost().port.segments('seg')).toEqual([
    { segmentNumber: 1, label: 'RV', colour: [181, 85, 57] },
    { segmentNumber: 2, label: 'LV' },
  ]);
});

test('a segmentation was opened if its id is that of a display set of a stored segmentation', () => {
  const { port, state } = createHost();
  expect(port.isOpened('seg')).toBe(false);
  const uids = { StudyInstanceUID: '1.2', SeriesInstanceUID: '1.3', SOPInstanceUID: '1.4' };
  state.displaySets.push({ displaySetInstanceUID: 'seg', Modality: 'MR', ...uids });
  expect(port.isOpened('seg')).toBe(false);
  state.displaySets.splice(0, 1, { displaySetInstanceUID: 'seg', Modality: 'SEG', ...uids });
  expect(port.isOpened('seg')).toBe(true);
});

test('a stored series is shown only if OHIF has made a display set of it', async () => {
  const { port, state } = createHost();
  const path = { studyInstanceUID: '1.2', seriesInstanceUID: '1.3', sopInstanceUID: '1.4' };
  await expect(port.showStored(path)).rejects.toThrow(/no display set/);
  state.displaySets.push({ displaySetInstanceUID: 'new', SOPInstanceUID: '1.4' });
  await expect(port.showStored(path)).resolves.toBeUndefined();
});

test('labels that are watched by nobody are not read', async () => {
  await expect(createHost().port.labels('seg')).rejects.toMatchObject({ message: /is on no series in view/ });
});

describe('a change is told of', () => {
  test('when a segmentation comes, a name or the list changes, and it goes; not for anything else', () => {
    const host = createHost();
    const heard = vi.fn();
    const stop = host.port.onChange(heard);
    host.tell('added');
    expect(heard).toHaveBeenCalledTimes(1);
    host.tell('modified');
    expect(heard).toHaveBeenCalledTimes(1);
    host.state.segments = { ...host.state.segments, 2: { segmentIndex: 2, label: 'Left ventricle' } };
    host.tell('modified');
    expect(heard).toHaveBeenCalledTimes(2);
    delete host.state.segments[1];
    host.tell('modified');
    expect(heard).toHaveBeenCalledTimes(3);
    host.state.label = undefined;
    host.tell('removed');
    host.tell('removed');
    expect(heard).toHaveBeenCalledTimes(4);
    host.tell('removed', 'another');
    expect(heard).toHaveBeenCalledTimes(4);
    stop();
    expect(host.listenerCount).toBe(0);
  });

  test('when voxels change, but not for what a new labelmap finds at first', async () => {
    const host = createHost();
    const heard = vi.fn();
    host.port.onChange(heard);
    const changes = new Set<() => void>();
    let settle = (): void => undefined;
    host.open({
      settled: () => new Promise((resolve) => (settle = resolve)),
      onChange(listener) {
        changes.add(() => {
          listener([0]);
        });
        return () => undefined;
      },
    });
    expect(changes.size).toBe(0);
    settle();
    await vi.waitFor(() => {
      expect(changes.size).toBe(1);
    });
    for (const change of changes) change();
    expect(heard.mock.calls).toEqual([['seg']]);
  });
});
