import type { LabelmapOrigin, SegIdentity } from '../../../src/index.ts';
import type { ExportFormat } from '../../../src/browser/labelmap-export.ts';
import type { DownloadFormat } from './save-outcome.ts';

export interface ExportDescription {
  readonly name: string;
  readonly provenance: LabelmapOrigin;
  /** The stored segmentation that this one corrects. */
  readonly predecessor?: SegIdentity | undefined;
  readonly now: Date;
}

/** How to write a format. Save and download write the same DICOM-SEG. */
export function exportFormat(
  format: DownloadFormat,
  { name, provenance, predecessor, now }: ExportDescription,
): ExportFormat {
  if (format === 'nifti') return { kind: 'nifti', gzip: true };
  return {
    kind: 'dicom-seg',
    segType: format === 'seg-labelmap' ? 'labelmap' : 'binary',
    provenance,
    seriesDescription: seriesDescription(name),
    ...(predecessor && {
      predecessor,
      // A number of its own, so that a list by numbers has the correction after what it corrects.
      ...(predecessor.seriesNumber !== undefined && { seriesNumber: predecessor.seriesNumber + 1 }),
      ...(predecessor.contentLabel !== undefined && { contentLabel: predecessor.contentLabel }),
    }),
    now,
  };
}

export function fileName(name: string, format: DownloadFormat): string {
  const plain = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\w]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .toLowerCase();
  return `${plain || 'segmentation'}${format === 'nifti' ? '.nii.gz' : '.seg.dcm'}`;
}

const NOTICE = ' (research use only)';
/** DICOM's limit for LO. */
const LO_LENGTH = 64;

function seriesDescription(name: string): string {
  const plain = name.replace(NOTICE, '').trim() || 'Segmentation';
  return `${Array.from(plain)
    .slice(0, LO_LENGTH - NOTICE.length)
    .join('')
    .trimEnd()}${NOTICE}`;
}
