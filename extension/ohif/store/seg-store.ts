import {
  EnvironmentError,
  hasWholeByteFrames,
  InternalError,
  isSegmentationError,
  type LabelmapOrigin,
  type Notice,
  type Segment,
  type SegmentationError,
  type VolumeGeometry,
} from '../../../src/index.ts';
import type { LabelmapExportClient } from '../../../src/browser/export-client.ts';
import type { LabelsToExport, StoredComparison } from '../../../src/browser/labelmap-export.ts';
import { describeSegments, namesOf } from './describe-segments.ts';
import { exportFormat, fileName, type ExportDescription } from './export-format.ts';
import type { DownloadFormat, Possibility, SaveOutcome, SaveStage, SaveState } from './save-outcome.ts';
import { byNumber, createSegRecords } from './seg-records.ts';
import { storeAndConfirm } from './store-and-confirm.ts';
import type { ViewerPort } from './viewer-port.ts';

/** Stores the viewer's segmentations as DICOM-SEGs, and hands them out as files. */
export interface SegStore {
  /** Whether the active data source can store; where it cannot, a download still can. */
  canSave(): Possibility;
  /** Stores a new instance, reads it back and compares it with what was in the viewer when the save began. A second
   * call during a save joins it. */
  save(segmentationId: string, options?: SaveOptions): Promise<SaveOutcome>;
  /** Encodes what is in the viewer, verifies the bytes and hands them to the user as a file.
   * @throws SegmentationError where the format cannot hold it; the signal's reason */
  download(segmentationId: string, format: DownloadFormat, options?: SaveOptions): Promise<void>;
  /** Says what a model's run writes into a segmentation; without it, its segments count as drawn by hand. */
  describe(segmentationId: string, run: RunDescription): void;
  state(segmentationId: string): SaveState;
  /** Calls the listener when a segmentation's state changes; returns what ends that. */
  onChange(listener: (segmentationId: string, state: SaveState) => void): () => void;
}

interface SaveOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (stage: SaveStage) => void;
}

/** The parts of a result that its voxels do not say. */
interface RunDescription {
  /** segmentNumber is the segment's index in the viewer. */
  readonly segments: readonly Segment[];
  readonly provenance: LabelmapOrigin;
}

export interface SegStoreOptions {
  readonly viewer: ViewerPort;
  /** Takes labels to a worker; see `openLabelmapExport`. */
  readonly openExport: (labels: LabelsToExport, signal?: AbortSignal) => Promise<LabelmapExportClient>;
  readonly softwareVersion: string;
  readonly wait?: (ms: number) => Promise<void>;
}

export function createSegStore({ viewer, openExport, softwareVersion, wait = sleep }: SegStoreOptions): SegStore {
  const records = createSegRecords();
  const saves = new Map<string, Promise<SaveOutcome>>();
  const listeners = new Set<(segmentationId: string, state: SaveState) => void>();

  const state: SegStore['state'] = (id) => records.of(id).state ?? (viewer.isOpened(id) ? 'saved' : 'unsaved');
  const tell = (id: string): void => {
    for (const listener of listeners) listener(id, state(id));
  };
  const setState = (id: string, next: SaveState): void => {
    const before = state(id);
    records.update(id, { state: next });
    if (next !== before) tell(id);
  };

  viewer.onChange((id) => {
    if (viewer.name(id) === undefined) {
      records.forget(id);
      return;
    }
    const isNew = records.of(id).listed.size === 0;
    records.see(id, new Set(viewer.segments(id).map(({ segmentNumber }) => segmentNumber)));
    if (!isNew && state(id) === 'saved') setState(id, 'edited');
  });

  async function saveNow(id: string, { signal, onProgress }: SaveOptions): Promise<SaveOutcome> {
    let stage = 'preparing' as SaveStage;
    const enter = (next: SaveStage): void => {
      stage = next;
      onProgress?.(next);
    };
    try {
      enter('preparing');
      const pacs = viewer.pacs();
      return await withPrepared(id, signal, async ({ exported, geometry, names, segments, description, warnings }) => {
        enter('encoding');
        const format = exportFormat(storedFormat(geometry), { ...description, now: new Date() });
        const { parts, instance } = await exported.encode(segments, format);
        if (instance === undefined) throw new TypeError('a DICOM-SEG has no instance');
        enter('sending');
        const predecessor = await storeAndConfirm(pacs, parts, instance, {
          verify: exported.verifyStored,
          onSent: () => {
            enter('reading-back');
          },
          signal,
          wait,
        });
        records.update(id, { predecessor });
        const editedMeanwhile = !(await isUnchanged(id, names, exported));
        setState(id, editedMeanwhile ? 'edited' : 'saved');
        const unlisted = await viewer.showStored(instance).then(() => [], notListed);
        const { seriesInstanceUID, sopInstanceUID } = instance;
        return {
          status: 'saved',
          seriesInstanceUID,
          sopInstanceUID,
          editedMeanwhile,
          warnings: [...warnings, ...unlisted],
        };
      });
    } catch (error) {
      const mayBeStored = stage === 'reading-back' || (stage === 'sending' && !isRefusal(error));
      if (signal?.aborted === true) return { status: 'cancelled', mayBeStored };
      return { status: 'failed', error: asSegmentationError(error), mayBeStored };
    }
  }

  /** Runs work on a copy of the labels as they are at this moment. */
  async function withPrepared<T>(
    id: string,
    signal: AbortSignal | undefined,
    work: (prepared: Prepared) => Promise<T>,
  ): Promise<T> {
    const name = viewer.name(id);
    if (name === undefined) throw notInViewer(id);
    const { edited, ...labels } = await viewer.labels(id, signal);
    const listed = viewer.segments(id);
    const exported = await openExport(labels, signal);
    try {
      const stored = viewer.isOpened(id)
        ? await exported.compareWithStored(await viewer.openedFile(id, signal))
        : undefined;
      if (stored !== undefined) learnStored(id, stored);
      const segments = describeSegments({
        listed,
        labels: await exported.labels(),
        known: [...records.of(id).known.values()],
        edited: stored === undefined ? edited : new Set(stored.changed ?? stored.segments.map(numberOf)),
      });
      records.learn(id, segments);
      const { provenance = { softwareVersion }, predecessor } = records.of(id);
      const warnings = stored !== undefined && stored.changed === undefined ? [NOT_COMPARABLE] : [];
      return await work({
        exported,
        geometry: labels.geometry,
        names: namesOf(name, listed),
        segments,
        warnings,
        description: { name, provenance, predecessor },
      });
    } finally {
      exported.dispose();
    }
  }

  function learnStored(id: string, { identity, segments }: StoredComparison): void {
    const { removed, predecessor = identity } = records.of(id);
    records.learn(
      id,
      segments.filter((segment) => !removed.has(numberOf(segment))),
    );
    records.update(id, { predecessor });
  }

  /** Compared voxel by voxel: what an event says, or fails to say, is not relied upon. */
  async function isUnchanged(id: string, before: string, exported: LabelmapExportClient): Promise<boolean> {
    const name = viewer.name(id);
    if (name === undefined) return false;
    return namesOf(name, viewer.segments(id)) === before && (await exported.equals((await viewer.labels(id)).voxels));
  }

  return {
    canSave() {
      try {
        viewer.pacs();
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: asSegmentationError(error).message };
      }
    },
    save(id, options = {}) {
      const save = saves.get(id) ?? saveNow(id, options).finally(() => saves.delete(id));
      saves.set(id, save);
      return save;
    },
    download: (id, format, { signal, onProgress } = {}) => {
      onProgress?.('preparing');
      return withPrepared(id, signal, async ({ exported, segments, description }) => {
        onProgress?.('encoding');
        const { parts } = await exported.encode(segments, exportFormat(format, { ...description, now: new Date() }));
        viewer.offerFile(new Blob([...parts]), fileName(description.name, format));
      });
    },
    describe(id, { segments, provenance }) {
      const before = state(id);
      records.forget(id);
      records.update(id, { known: byNumber(segments), provenance });
      if (state(id) !== before) tell(id);
    },
    state,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

interface Prepared {
  readonly exported: LabelmapExportClient;
  readonly geometry: VolumeGeometry;
  /** As they were when the labels were copied. */
  readonly names: string;
  readonly segments: readonly Segment[];
  readonly warnings: readonly Notice[];
  readonly description: Omit<ExportDescription, 'now'>;
}

/** BINARY, which every reader knows; but OHIF shows one whose frames end within a byte with other voxels, in silence. */
function storedFormat(geometry: VolumeGeometry): DownloadFormat {
  return hasWholeByteFrames(geometry) ? 'seg-binary' : 'seg-labelmap';
}

const NOT_COMPARABLE: Notice = {
  code: 'opened-otherwise',
  message:
    'The segmentation that this one was opened from has overlapping segments or probabilities, which the viewer shows ' +
    'as plain labels; they are stored as the viewer shows them.',
};

function notListed(): Notice[] {
  return [
    { code: 'not-listed', message: 'It is stored, but the list of series shows it only after the page is reloaded.' },
  ];
}

function numberOf({ segmentNumber }: Segment): number {
  return segmentNumber;
}

/** The PACS said no: it has nothing. An error of its own may have come after it had stored. */
function isRefusal(error: unknown): boolean {
  if (!isSegmentationError(error) || error.code !== 'pacs-refused') return false;
  const status = error.details['status'];
  return typeof status === 'number' && status < 500;
}

function asSegmentationError(error: unknown): SegmentationError {
  if (isSegmentationError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new InternalError('internal', `Saving failed: ${message}.`, {
    remedy: 'Try again, and report this if it stays so; nothing in the viewer is lost.',
    cause: error,
  });
}

function notInViewer(segmentationId: string): EnvironmentError {
  return new EnvironmentError('pacs-unavailable', `The segmentation ${segmentationId} is no longer in the viewer.`, {
    remedy: 'Choose one that is.',
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
