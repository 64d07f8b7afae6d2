import type { ReadDicomSegOptions } from '../seg/read-dicom-seg.ts';
import type { OutputFormat, SegEncoding } from './encode-labelmap.ts';
import { invalidArguments, type CommandSpec } from './parse-arguments.ts';

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
