import { createParallelDecoders } from '../node/parallel-decoders.ts';
import { createDicomReader } from '../series/dicom.ts';
import { niftiReader } from '../nifti/read-nifti.ts';
import { DEFAULT_READ_LIMITS, type ReadLimits } from '../io/read-limits.ts';
import type { ReadVolumeOptions } from '../series/read-volume.ts';
import type { Notice } from '../volume/volume.ts';
import type { OutputFormat, SegEncoding } from './encode-labelmap.ts';
import { type CommandSpec, invalidArguments } from './parse-arguments.ts';
import type { ReadDicomSegOptions } from '../seg/read-dicom-seg.ts';

/** Of every command, so that they share their threads. */
export const readers = [createDicomReader(createParallelDecoders()), niftiReader];

/** What a command line says of how its images are read. */
export type ImageOptions = Pick<
  ReadVolumeOptions,
  'seriesInstanceUID' | 'phase' | 'resample' | 'limits' | 'archiveEntries'
>;

/** The same as text. */
export interface ImageArguments {
  readonly series?: string;
  readonly phase?: string;
  readonly resample?: boolean;
  readonly limit?: string;
}

/** @throws InputError `invalid-arguments` */
export function parseImageOptions(
  spec: Pick<CommandSpec, 'name'>,
  { series, phase, resample, limit }: ImageArguments,
): ImageOptions {
  return {
    ...(series !== undefined && { seriesInstanceUID: series }),
    ...(phase !== undefined && { phase: parsePhase(spec, phase) }),
    ...(resample === true && { resample }),
    ...parseLimits(spec, limit),
  };
}

/** @param text of --limit: names and numbers, "voxels=2e9,elements=1e7"
 * @throws InputError `invalid-arguments` */
export function parseLimits(
  spec: Pick<CommandSpec, 'name'>,
  text: string | undefined,
): Pick<ReadVolumeOptions, 'limits'> {
  if (text === undefined) return {};
  const limits = text.split(',').map((part): [string, number] => {
    const [, name = '', number = ''] = /^(\w+)=(.+)$/.exec(part) ?? [];
    const most = Number(number);
    if (!Object.hasOwn(DEFAULT_READ_LIMITS, name) || !(most > 0 && Number.isFinite(most))) {
      const names = Object.keys(DEFAULT_READ_LIMITS).join(', ');
      throw invalidArguments(spec, `--limit is a name and a number, as voxels=2e9, not ${part}; names are ${names}`);
    }
    return [name, most];
  });
  return { limits: Object.fromEntries(limits) satisfies Partial<ReadLimits> };
}

function parsePhase(spec: Pick<CommandSpec, 'name'>, text: string): number {
  const phase = Number(text);
  if (Number.isInteger(phase) && phase >= 1) return phase;
  throw invalidArguments(spec, `--phase is a whole number from 1, not ${text}`);
}

/** Warnings of what a DICOM-SEG would lack are for those who write one. */
export function warningsFor(format: OutputFormat, warnings: readonly Notice[]): readonly Notice[] {
  return format === 'dicom-seg' ? warnings : warnings.filter(({ code }) => !ABOUT_DICOM_OUTPUT.has(code));
}

const ABOUT_DICOM_OUTPUT = new Set(['invalid-date-emptied', 'source-without-identity']);

/** `--seg-type` and `--compress`.
 * @throws InputError `invalid-arguments` for other values, or if the output is no DICOM-SEG */
export function parseSegEncoding(
  spec: CommandSpec,
  { 'seg-type': segType, compress = false }: { readonly 'seg-type'?: string; readonly compress?: boolean },
  format: OutputFormat,
): SegEncoding {
  if (segType !== undefined && segType !== 'binary' && segType !== 'labelmap') {
    throw invalidArguments(spec, `--seg-type is binary or labelmap, not ${segType}`);
  }
  if (format !== 'dicom-seg' && (segType !== undefined || compress)) {
    const option = segType === undefined ? '--compress' : '--seg-type';
    throw invalidArguments(spec, `${option} is for DICOM-SEG, and the output is NIfTI`, 'Name an output in .dcm.');
  }
  if (compress && segType !== 'labelmap') {
    throw invalidArguments(
      spec,
      '--compress cannot pack single bits (RLE Lossless has whole bytes)',
      'Add --seg-type labelmap.',
    );
  }
  return { segType: segType ?? 'binary', compress };
}

/** `--overlap`.
 * @throws InputError `invalid-arguments` for another value */
export function parseOverlap(spec: CommandSpec, overlap: string | undefined): Pick<ReadDicomSegOptions, 'overlap'> {
  if (overlap === undefined) return {};
  if (overlap === 'first' || overlap === 'last') return { overlap };
  throw invalidArguments(spec, `--overlap is first or last, not ${overlap}`);
}
