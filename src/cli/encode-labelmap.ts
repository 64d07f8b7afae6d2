import type { DicomSegOptions } from '../seg/encode-dicom-seg.ts';
import type { LabelmapOrigin } from '../seg/seg-dataset.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import type { NiftiSpace, Notice, SourceSeries } from '../volume/volume.ts';
import { invalidArguments } from './parse-arguments.ts';
import { readFileSync } from 'node:fs';

export type OutputFormat = 'dicom-seg' | 'nifti' | 'nifti-gzip';

/** The format that a file name asks for.
 * @throws InputError `invalid-arguments` for any other extension */
export function outputFormatOf(path: string, command: string): OutputFormat {
  const name = path.toLowerCase();
  if (name.endsWith('.dcm')) return 'dicom-seg';
  if (name.endsWith('.nii')) return 'nifti';
  if (name.endsWith('.nii.gz')) return 'nifti-gzip';
  throw invalidArguments(
    { name: command },
    `${path} has none of the extensions that name a format`,
    'End it in .dcm (DICOM-SEG), .nii or .nii.gz (NIfTI).',
  );
}

export interface VerifiedLabelmap {
  readonly parts: readonly Uint8Array[];
  /** For the summary: "DICOM-SEG BINARY, 34 frames". */
  readonly description: string;
  readonly warnings: readonly Notice[];
}

/** Loads what {@link encodeVerified} needs for a format, at a time when nobody waits for it. */
export async function preloadEncoders(format: OutputFormat): Promise<void> {
  await Promise.all([import('../verify.ts'), format === 'dicom-seg' && preloadDicomSeg()]);
}

async function preloadDicomSeg(): Promise<void> {
  await import('../seg/encode-dicom-seg.ts');
  await (await import('../dicom/write-dicom.ts')).preloadDicomWriter();
}

/** How a DICOM-SEG is written. */
export type SegEncoding = Required<Pick<DicomSegOptions, 'segType' | 'compress'>>;

export interface LabelmapContext {
  readonly source: SourceSeries | undefined;
  readonly origin: LabelmapOrigin;
  /** For NIfTI: the image's, where the labelmap is on its grid. */
  readonly space?: NiftiSpace | undefined;
  /** Files beside the series could not be read and may belong to it. */
  readonly isSeriesIncomplete?: boolean;
  /** For DICOM-SEG. Default: BINARY. */
  readonly segEncoding?: SegEncoding;
}

/** Encodes a labelmap, reads the bytes back and compares; what is returned may be written.
 * @throws InputError if the labelmap cannot be written so; InternalError `verification-failed` */
export async function encodeVerified(
  labelmap: Labelmap,
  format: OutputFormat,
  { source, origin, space, isSeriesIncomplete = false, segEncoding }: LabelmapContext,
): Promise<VerifiedLabelmap> {
  const { verifyDicomSeg, verifyNifti } = await import('../verify.ts');
  if (format === 'dicom-seg') {
    if (source === undefined) throw new TypeError('a DICOM-SEG needs its source series');
    const { encodeDicomSeg } = await import('../seg/encode-dicom-seg.ts');
    const { parts, frameCount, warnings } = await encodeDicomSeg(labelmap, source, {
      provenance: origin,
      now: new Date(),
      isSeriesIncomplete,
      ...segEncoding,
    });
    await verifyDicomSeg(parts, labelmap, source);
    const type = segEncoding?.segType === 'labelmap' ? 'LABELMAP' : 'BINARY';
    const description = `DICOM-SEG ${type}, ${String(frameCount)} frame${frameCount === 1 ? '' : 's'}`;
    return { parts, description, warnings };
  }
  const { encodeNiftiLabelmap } = await import('../nifti/encode-nifti.ts');
  const bytes = await encodeNiftiLabelmap(labelmap, { gzip: format === 'nifti-gzip', space });
  await verifyNifti(bytes, labelmap);
  return { parts: [bytes], description: 'NIfTI labelmap', warnings: [] };
}

/** The version in package.json, two folders up from both src/cli and dist/cli. */
export function softwareVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const document: unknown = JSON.parse(text);
  const isVersioned = typeof document === 'object' && document !== null && 'version' in document;
  return isVersioned && typeof document.version === 'string' ? document.version : '0.0.0';
}
