import { InternalError } from '../errors.ts';
import { fromErrorMessage, type ErrorMessage, watchForFirstWord, workerSilent } from './protocol.ts';
import type { LabelmapExport, LabelsToExport } from './labelmap-export.ts';

/** A labelmap export whose work is done in a worker of its own. */
export type LabelmapExportClient = {
  readonly [Method in keyof LabelmapExport]: (
    ...args: Parameters<LabelmapExport[Method]>
  ) => Promise<Awaited<ReturnType<LabelmapExport[Method]>>>;
} & {
  /** Ends the worker at once, and whatever it was doing with an error. */
  dispose(): void;
};

type Methods = LabelmapExport & { open(labels: LabelsToExport): void };
export type ExportRequest = {
  readonly [Method in keyof Methods]: {
    readonly id: number;
    readonly method: Method;
    readonly args: Parameters<Methods[Method]>;
  };
}[keyof Methods];
export type ExportResponse =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: ErrorMessage };

/** Opens a labelmap in a worker: encoding takes seconds of a large one, which a page must not stand still for.
 * @param labels whose voxels are transferred: the caller's array is empty afterwards
 * @param createWorker of `export-worker.ts`; a worker serves one labelmap, so that nothing outlives it
 * @throws EnvironmentError `worker-silent`; the signal's reason */
export async function openLabelmapExport(
  labels: LabelsToExport,
  { createWorker, signal }: { readonly createWorker: () => Worker; readonly signal?: AbortSignal },
): Promise<LabelmapExportClient> {
  signal?.throwIfAborted();
  const worker = createWorker();
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let ended: Error | undefined;
  const stopWatching = watchForFirstWord(() => {
    end(workerSilent(undefined));
  });
  let hasSpoken = false;
  const end = (error: Error): void => {
    ended ??= error;
    stopWatching();
    worker.terminate();
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<ExportResponse>) => {
    hasSpoken = true;
    stopWatching();
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if ('error' in data) call?.reject(fromErrorMessage(data.error));
    else call?.resolve(data.value);
  };
  worker.onerror = ({ message }) => {
    end(hasSpoken ? workerFailed(message) : workerSilent(message || 'it did not load'));
  };
  signal?.addEventListener('abort', () => {
    end(signal.reason instanceof Error ? signal.reason : new DOMException('Cancelled.', 'AbortError'));
  });

  let lastId = 0;
  const call = <Method extends keyof Methods>(
    method: Method,
    args: Parameters<Methods[Method]>,
    transfer: Transferable[] = [],
  ): Promise<Awaited<ReturnType<Methods[Method]>>> =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) {
        reject(ended);
        return;
      }
      const id = ++lastId;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ id, method, args }, transfer);
    });

  await call('open', [labels], [labels.voxels.buffer]);
  return {
    labels: () => call('labels', []),
    compareWithStored: (seg) => call('compareWithStored', [seg], [seg.buffer]),
    encode: (segments, format) => call('encode', [segments, format]),
    verifyStored: (seg) => call('verifyStored', [seg], [seg.buffer]),
    equals: (voxels) => call('equals', [voxels], [voxels.buffer]),
    dispose: () => {
      end(new DOMException('The export was closed.', 'AbortError'));
    },
  };
}

function workerFailed(message: string): InternalError {
  return new InternalError('internal', `The worker that writes segmentations failed: ${message || 'it ended'}.`, {
    remedy: 'Reload the page, and report this if it stays so.',
  });
}
