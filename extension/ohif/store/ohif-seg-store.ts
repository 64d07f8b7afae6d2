import { openLabelmapExport } from '../../../src/browser/export-client.ts';
import type { OhifManagers } from '../host.ts';
import type { Labelmaps } from '../labelmaps.ts';
import type { ArchiveHost } from './host-archive.ts';
import { createOhifViewerPort } from './ohif-viewer-port.ts';
import { createSegStore, type SegStore } from './seg-store.ts';

export interface OhifSegStoreOptions {
  readonly labelmaps: Labelmaps;
  readonly softwareVersion: string;
}

/** Stores OHIF's segmentations. What encodes and compares them is loaded, in a worker of its own, when it is needed. */
export function createOhifSegStore(
  managers: OhifManagers & ArchiveHost,
  { labelmaps, softwareVersion }: OhifSegStoreOptions,
): SegStore {
  return createSegStore({
    viewer: createOhifViewerPort(managers, labelmaps),
    openExport: (labels, signal) => openLabelmapExport(labels, { createWorker, ...(signal && { signal }) }),
    softwareVersion,
  });
}

/** Written in one expression: only so does the bundler see that it is a worker. */
function createWorker(): Worker {
  return new Worker(new URL('../../../src/browser/export-worker.ts', import.meta.url), {
    type: 'module',
    name: 'slicewise-export',
  });
}
