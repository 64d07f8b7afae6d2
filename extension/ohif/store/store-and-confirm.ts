import { EnvironmentError, isSegmentationError, type SegIdentity } from '../../../src/index.ts';
import type { DicomWeb, InstancePath } from './dicom-web.ts';

export interface Confirmation {
  /** Compares what came back with what is to be stored; throws at the first difference. */
  readonly verify: (file: Uint8Array<ArrayBuffer>) => Promise<SegIdentity>;
  readonly wait: (ms: number) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** Called when the PACS says that it has the instance. */
  readonly onSent: () => void;
}

/** Some archives answer before an instance can be asked for. */
const RETRIES_MS = [250, 500, 1000, 2000, 4000];

/** Sends an instance to a PACS and proves that it has it: the PACS's word alone is not enough.
 * @returns what the stored instance says of itself
 * @throws EnvironmentError `pacs-unreachable`, `pacs-refused`; `not-stored` if the PACS has something else or nothing */
export async function storeAndConfirm(
  pacs: DicomWeb,
  parts: readonly Uint8Array<ArrayBuffer>[],
  path: InstancePath,
  { verify, wait, signal, onSent }: Confirmation,
): Promise<SegIdentity> {
  await pacs.store(parts, signal);
  onSent();
  const file = await retrieveSoon();
  const identity = await verify(file).catch((cause: unknown) => {
    throw notStored(path, `gives back something else (${reasonOf(cause)})`, cause);
  });
  if (identity.sopInstanceUID !== path.sopInstanceUID) {
    throw notStored(path, `gives back another instance, ${identity.sopInstanceUID}`);
  }
  return identity;

  async function retrieveSoon(): Promise<Uint8Array<ArrayBuffer>> {
    for (const delay of [...RETRIES_MS, undefined]) {
      try {
        return await pacs.retrieve(path, signal);
      } catch (error) {
        if (!isMissing(error)) throw error;
        if (delay === undefined) throw notStored(path, 'does not have it', error);
        await wait(delay);
        signal?.throwIfAborted();
      }
    }
    throw new TypeError('unreachable');
  }
}

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/\.$/, '');
}

function isMissing(error: unknown): boolean {
  return isSegmentationError(error) && error.code === 'pacs-refused' && error.details['status'] === 404;
}

function notStored({ sopInstanceUID }: InstancePath, how: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('not-stored', `The PACS took the segmentation but ${how}.`, {
    remedy: 'Download it, and tell the administrator of the PACS: nothing there was confirmed.',
    details: { sopInstanceUID },
    ...(cause !== undefined && { cause }),
  });
}
