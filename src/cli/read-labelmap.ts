import { InputError } from '../errors.ts';
import type { Labelmap, Segment } from '../labelmap/labelmap.ts';
import { createUid } from '../labelmap/segmentation-result.ts';
import type { ReadDicomSegOptions } from '../seg/read-dicom-seg.ts';
import type { SourceFile } from '../io/reader.ts';
import type { Notice, Volume } from '../volume/volume.ts';

export interface ReadLabelmapResult {
  readonly format: 'DICOM-SEG' | 'NIfTI';
  readonly labelmap: Labelmap;
  readonly warnings: readonly Notice[];
}

export interface ReadLabelmapOptions extends Pick<ReadDicomSegOptions, 'overlap' | 'limits'> {
  /** Fills a DICOM-SEG's empty slices; NIfTI has them anyway. */
  readonly reference?: Volume | undefined;
}

/** Reads a DICOM-SEG or a NIfTI labelmap, whichever the file is; NIfTI describes no segments.
 * @throws InputError `not-segmentation` if there are several files or none, and what the readers throw */
export async function readLabelmap(
  files: readonly SourceFile[],
  { reference, overlap, limits }: ReadLabelmapOptions = {},
): Promise<ReadLabelmapResult> {
  const file = onlyFile(files);
  if (await isDicomFile(file)) {
    const { readDicomSeg } = await import('../seg/read-dicom-seg.ts');
    const { labelmap, warnings } = await readDicomSeg(await file.read(), {
      name: file.name,
      ...(overlap && { overlap }),
      ...(limits && { limits }),
      ...(reference && { reference }),
    });
    return { format: 'DICOM-SEG', labelmap, warnings };
  }
  const { readNiftiLabelmap } = await import('../nifti/read-nifti.ts');
  const { warnings, ...labels } = await readNiftiLabelmap(file, { ...(limits && { limits }) });
  return { format: 'NIfTI', labelmap: { ...labels, segments: [] }, warnings };
}

async function isDicomFile(file: SourceFile): Promise<boolean> {
  const { isDicom } = await import('../dicom/read-dicom.ts');
  return isDicom(await file.readHead(352));
}

export async function isDicomSeg(file: SourceFile): Promise<boolean> {
  if (!(await isDicomFile(file))) return false;
  const { readDicomHeader } = await import('../dicom/read-dicom.ts');
  return (await readDicomHeader(file)).string('Modality') === 'SEG';
}

/** What no labelmap of bare numbers exceeds, and what any image does. */
const MAX_UNNAMED_SEGMENTS = 255;

/** One "Segment n" for every label up to the largest: a file of bare numbers does not say more. MANUAL, because no
 * algorithm can be named.
 * @throws InputError `not-segmentation` above 255: an image of whole numbers reads like a labelmap */
export function unnamedSegments(voxels: Labelmap['voxels']): Segment[] {
  let largest = 0;
  for (let at = 0; at < voxels.length; at++) largest = Math.max(largest, voxels[at] ?? 0);
  if (largest > MAX_UNNAMED_SEGMENTS) {
    throw new InputError(
      'not-segmentation',
      `The file has labels up to ${largest}: this looks like an image, not a labelmap.`,
      {
        remedy: 'Pass a labelmap; if it is one, renumber its labels from 1 to 255.',
        details: { largest },
      },
    );
  }
  const tissue = { codeValue: '85756007', codingSchemeDesignator: 'SCT', codeMeaning: 'Tissue' };
  return Array.from({ length: largest }, (_, n) => ({
    segmentNumber: n + 1,
    segmentLabel: `Segment ${n + 1}`,
    segmentedPropertyCategory: tissue,
    segmentedPropertyType: tissue,
    recommendedDisplayCIELab: DISTINCT_COLOURS[n % DISTINCT_COLOURS.length] ?? [41984, 41604, 40995],
    algorithmType: 'MANUAL',
    trackingID: `Segment ${n + 1}`,
    trackingUID: createUid(),
  }));
}

/** CIELab of six colours that are told apart on grey: Okabe and Ito's, without black and yellow. */
const DISTINCT_COLOURS: readonly (readonly [number, number, number])[] = [
  [46653, 38053, 52082],
  [45400, 28579, 23766],
  [37753, 21404, 36035],
  [29691, 30619, 22029],
  [35976, 44539, 49401],
  [40112, 42581, 30302],
];

function onlyFile(files: readonly SourceFile[]): SourceFile {
  const [file] = files;
  if (file !== undefined && files.length === 1) return file;
  const found =
    file === undefined ? 'The folder is empty' : `${String(files.length)} files (${file.name}, …) are there`;
  throw new InputError('not-segmentation', `${found}, where one labelmap is needed.`, {
    remedy: 'Name one DICOM-SEG or NIfTI file.',
    details: { files: files.length },
  });
}
