import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path/posix';
import { withoutNiftiExtension } from '../../io/file-names.ts';
import type { OutputFormat } from '../encode-labelmap.ts';
import type { FoundSeries } from './find-series.ts';

const EXTENSIONS: Readonly<Record<OutputFormat, string>> = {
  'dicom-seg': '.dcm',
  nifti: '.nii',
  'nifti-gzip': '.nii.gz',
};

/** Names of a series' outputs below the output folder, with slashes. */
export interface OutputNames {
  readonly format: OutputFormat;
  readonly segmentation: string;
  readonly report: string;
}

/** Names the outputs of some series, the same at each call: by Series Instance UID, or by path where there is none; a
 * NIfTI labelmap of a file has its path with `_labels`. Each name is given once.
 * @param format for all; by default DICOM-SEG where it can refer to the images, else gzipped NIfTI */
export function nameOutputs(series: readonly FoundSeries[], format?: OutputFormat): OutputNames[] {
  const taken = new Set<string>();
  return series.map((one) => {
    const stem = fitting(stemOf(one));
    let unique = stem;
    for (let n = 2; taken.has(unique.toLowerCase()); n++) unique = `${stem}_${String(n)}`;
    taken.add(unique.toLowerCase());
    const own = format ?? (one.hasIdentity ? 'dicom-seg' : 'nifti-gzip');
    return { format: own, segmentation: unique + EXTENSIONS[own], report: `${unique}.json` };
  });
}

function stemOf({ seriesInstanceUID, path, phase, format }: FoundSeries): string {
  const suffix = phase === undefined ? '' : `_phase-${String(phase).padStart(2, '0')}`;
  if (seriesInstanceUID !== undefined) return fileNameOf(seriesInstanceUID) + suffix;
  const bare = format === 'NIfTI' ? withoutNiftiExtension(path) : path;
  return `${bare === '.' ? 'series' : bare}${suffix}_labels`;
}

/** Of the 255 bytes that file systems have for a name, so many are kept for a number and the longest extension. */
const MOST_STEM_BYTES = 255 - '_9999'.length - '.nii.gz'.length;

/** A name that is too long is cut, and told apart from others by a hash of the whole. */
function fitting(stem: string): string {
  const name = basename(stem);
  if (Buffer.byteLength(name) <= MOST_STEM_BYTES) return stem;
  const ending = `~${createHash('sha256').update(name).digest('hex').slice(0, 8)}_labels`;
  let beginning = '';
  for (const sign of name) {
    if (Buffer.byteLength(beginning + sign + ending) > MOST_STEM_BYTES) break;
    beginning += sign;
  }
  return join(dirname(stem), beginning + ending);
}

/** A UID is digits and dots; what else a file may claim must not lead out of the folder. */
function fileNameOf(uid: string): string {
  return uid.replaceAll(/[^0-9A-Za-z.-]/g, '_').replace(/^\.+/, '_');
}
