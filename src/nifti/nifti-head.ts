import { openBytes } from '../io/byte-source.ts';
import { concatenate } from '../io/concatenate.ts';
import { damagedFile } from '../io/damaged-file.ts';
import { isNifti, NIFTI_HEADER_BYTES, parseNiftiHeader } from './nifti-header.ts';
import { DEFAULT_READ_LIMITS } from '../io/read-limits.ts';
import type { SourceFile } from '../io/reader.ts';

/** What the header of a NIfTI file says of the file as a whole. */
export interface NiftiSummary {
  /** Volumes along the axes beyond the third. */
  readonly volumes: number;
  /** Whether the values are labels, by the file's own word. */
  readonly isLabelmap: boolean;
}

/** Enough of a gzipped file to unpack a header from. */
const HEAD_BYTES = 4096;
/** NIFTI_INTENT_LABEL */
const INTENT_LABEL = 1002;

/** Reads a NIfTI header and nothing else.
 * @throws InputError `not-nifti`, `damaged-file` */
export async function summariseNifti(file: SourceFile): Promise<NiftiSummary> {
  const source = openBytes(await file.readHead(HEAD_BYTES), { name: file.name }, DEFAULT_READ_LIMITS);
  const take = (byteLength: number): Promise<Uint8Array> =>
    source.take(byteLength).catch((cause: unknown) => {
      throw damagedFile(file.name, cause instanceof Error ? cause.message : 'it cannot be unpacked', cause);
    });
  const head = await take(348);
  const isLong = isNifti(head) && head[4] === 0x6e;
  const whole = isLong ? concatenate([head, await take(NIFTI_HEADER_BYTES - 348)]) : head;
  const { sizes, intent } = parseNiftiHeader(whole, file.name);
  return { volumes: sizes.slice(3).reduce((product, n) => product * n, 1), isLabelmap: intent === INTENT_LABEL };
}
