import { InputError } from '../errors.ts';
import type { ReadOptions, ReadResult, SourceFile } from '../readers/reader.ts';
import { readVolume } from '../readers/read-volume.ts';
import type { Notice } from '../volume/volume.ts';
import type { OutputFormat } from './encode-labelmap.ts';
import { invalidArguments, type CommandSpec } from './parse-arguments.ts';

/** What a command line says of how its images are read. */
export type ImageOptions = Pick<ReadOptions, 'seriesInstanceUID' | 'phase' | 'resample'>;

/** @throws InputError `invalid-arguments` */
export function parseImageOptions(
  spec: Pick<CommandSpec, 'name'>,
  { series, phase, resample }: { readonly series?: string; readonly phase?: string; readonly resample?: boolean },
): ImageOptions {
  return {
    ...(series !== undefined && { seriesInstanceUID: series }),
    ...(phase !== undefined && { phase: parsePhase(spec, phase) }),
    ...(resample === true && { resample }),
  };
}

function parsePhase(spec: Pick<CommandSpec, 'name'>, text: string): number {
  const phase = Number(text);
  if (Number.isInteger(phase) && phase >= 1) return phase;
  throw invalidArguments(spec, `--phase is a whole number from 1, not ${text}`);
}

/** Reads an image or its reference, of which either may hold several volumes: --phase is for the one that does. */
export async function readVolumeOrPhase(
  files: readonly SourceFile[],
  { phase, ...options }: ReadOptions,
): Promise<ReadResult & { readonly ignoredFiles: number }> {
  try {
    return await readVolume(files, options);
  } catch (error) {
    if (phase === undefined || !(error instanceof InputError) || error.code !== 'several-volumes') throw error;
    return readVolume(files, { ...options, phase });
  }
}

/** Warnings of what a DICOM-SEG would lack are for those who write one. */
export function warningsFor(format: OutputFormat, warnings: readonly Notice[]): readonly Notice[] {
  return format === 'dicom-seg' ? warnings : warnings.filter(({ code }) => !ABOUT_DICOM_OUTPUT.has(code));
}

const ABOUT_DICOM_OUTPUT = new Set(['invalid-date-emptied', 'source-without-identity']);
