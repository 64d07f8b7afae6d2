import { InputError } from '../errors.ts';
import type { CopiedAttribute, Notice } from '../volume/volume.ts';
import { type DicomDataset } from '../dicom/dicom-dataset.ts';
import { readDicomHeader } from '../dicom/read-dicom.ts';
import { isMosaic, unfoldMosaic } from './mosaic.ts';
import { DEFAULT_READ_LIMITS, type ReadLimits } from '../io/read-limits.ts';
import type { SourceFile } from '../io/reader.ts';
import { type SliceHeader, sliceHeaders } from './slice-header.ts';
import { DEFLATED_LITTLE_ENDIAN } from '../dicom/transfer-syntaxes.ts';
import { cross, dot, normalised, type Vector3 } from '../volume/geometry.ts';
import type { SlicePlace } from './regular-grid.ts';

/** What is kept of one file's header; the file's bytes are not. */
export interface DicomInstance {
  readonly file: SourceFile;
  /** Whether it is an image of the patient: not a report, presentation state, segmentation, dose … */
  readonly isImage: boolean;
  readonly transferSyntaxUID: string;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly frameOfReferenceUID: string | undefined;
  readonly modality: string | undefined;
  readonly bodyPartExamined: string | undefined;
  readonly seriesDescription: string | undefined;
  readonly seriesNumber: string | undefined;
  readonly instanceNumber: number | undefined;
  readonly isLossy: boolean;
  /** Values of Lossy Image Compression Ratio and Method, one for each time that the image was compressed. */
  readonly lossyRatios: readonly string[];
  readonly lossyMethods: readonly string[];
  readonly isInverted: boolean;
  readonly copied: Readonly<Partial<Record<CopiedAttribute, string>>>;
  /** What was read otherwise than the file has it. */
  readonly warnings: readonly Notice[];
  /** The images as slices, or why they cannot be any. */
  readonly slices: readonly SliceHeader[] | InputError;
}

const COPIED_ATTRIBUTES: readonly CopiedAttribute[] = [
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'PatientBirthDate',
  'PatientSex',
  'PatientAge',
  'PatientSize',
  'PatientWeight',
  'StudyDate',
  'StudyTime',
  'StudyID',
  'StudyDescription',
  'AccessionNumber',
  'ReferringPhysicianName',
  'PositionReferenceIndicator',
];

/** Objects with pixels that are no image of the patient: made from one, and often stored beside it. */
const DERIVED_OBJECT_CLASSES = new Set([
  '1.2.840.10008.5.1.4.1.1.30', // Parametric Map
  '1.2.840.10008.5.1.4.1.1.66.4', // Segmentation
  '1.2.840.10008.5.1.4.1.1.66.7', // Label Map Segmentation
  '1.2.840.10008.5.1.4.1.1.481.2', // RT Dose
]);

/** A DICOMDIR, which belongs to no series. */
const MEDIA_STORAGE_DIRECTORY = '1.2.840.10008.1.3.10';

/** Reads the header of a DICOM file.
 * @throws InputError if the file cannot be parsed */
export async function readDicomInstance(
  file: SourceFile,
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): Promise<DicomInstance> {
  const dataset = await readDicomHeader(file, limits);
  const isDeflated = dataset.transferSyntaxUID === DEFLATED_LITTLE_ENDIAN;
  return dicomInstanceOf(dataset, file, isDeflated ? Infinity : file.byteLength);
}

/** What is kept of a header that is read already.
 * @param fileLength of the bytes that the header was parsed from; undefined where pixels are elsewhere */
export function dicomInstanceOf(dataset: DicomDataset, file: SourceFile, fileLength?: number): DicomInstance {
  const sopClassUID = dataset.text('SOPClassUID') ?? '';
  const isImage = dataset.has('Rows') && !DERIVED_OBJECT_CLASSES.has(sopClassUID);
  if (!isImage) assertNotCutOff(dataset, file.name);
  return {
    file,
    isImage,
    transferSyntaxUID: dataset.transferSyntaxUID,
    sopClassUID,
    sopInstanceUID: dataset.text('SOPInstanceUID') ?? '',
    studyInstanceUID: dataset.text('StudyInstanceUID') ?? '',
    seriesInstanceUID: dataset.text('SeriesInstanceUID') ?? '',
    frameOfReferenceUID: dataset.text('FrameOfReferenceUID'),
    modality: dataset.string('Modality'),
    bodyPartExamined: dataset.string('BodyPartExamined'),
    seriesDescription: dataset.text('SeriesDescription'),
    seriesNumber: dataset.string('SeriesNumber'),
    instanceNumber: dataset.number('InstanceNumber'),
    isLossy: dataset.string('LossyImageCompression') === '01',
    lossyRatios: dataset.strings('LossyImageCompressionRatio'),
    lossyMethods: dataset.strings('LossyImageCompressionMethod'),
    isInverted: dataset.string('PhotometricInterpretation') === 'MONOCHROME1',
    copied: copiedAttributes(dataset),
    slices: sliceHeadersOrProblem(dataset, file.name, fileLength),
    warnings: dataset.warnings,
  };
}

/** An image cut off between two attributes early in its header must not pass for an object without an image. */
function assertNotCutOff(dataset: DicomDataset, name: string): void {
  if (dataset.includes('SeriesInstanceUID') || dataset.text('MediaStorageSOPClassUID') === MEDIA_STORAGE_DIRECTORY)
    return;
  throw new InputError(
    'missing-attribute',
    `${name} does not say which series it belongs to: it was cut off, or is no image.`,
    { remedy: 'Copy or export the file again, or take it out of the input.', details: { file: name } },
  );
}

function copiedAttributes(dataset: DicomDataset): Partial<Record<CopiedAttribute, string>> {
  const copied: Partial<Record<CopiedAttribute, string>> = {};
  for (const keyword of COPIED_ATTRIBUTES) {
    const value = dataset.text(keyword);
    if (value !== undefined) copied[keyword] = value;
  }
  return copied;
}

function sliceHeadersOrProblem(
  dataset: DicomDataset,
  name: string,
  fileLength: number | undefined,
): SliceHeader[] | InputError {
  try {
    const slices = sliceHeaders(dataset, name, fileLength);
    const [whole] = slices;
    return whole !== undefined && isMosaic(dataset) ? unfoldMosaic(dataset, whole, name) : slices;
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

export interface StackedSlice {
  readonly instance: DicomInstance;
  readonly header: SliceHeader;
}

/** A slice with its place among those of its series. */
export interface PlacedSlice extends SlicePlace {
  readonly slice: StackedSlice;
  /** Equal for slices of one orientation. */
  readonly plane: number;
  /** Equal for slices of one orientation and depth; rises with the depth. */
  readonly place: number;
}

/** Components of one series' direction cosines agree to this: 0.05 mm at the edge of a 500 mm image. */
export const ORIENTATION_TOLERANCE = 1e-4;
/** Slices of one orientation closer than this are at one place. Scanners write positions to a micrometre or so
 * (Sunnybrook's gaps differ by 0.0007 mm). */
const POSITION_TOLERANCE_MM = 0.01;

/** By orientation, then by rising depth along the normal of the first slice of each. */
export function placeSlices(slices: readonly StackedSlice[]): PlacedSlice[] {
  const placed: PlacedSlice[] = [];
  let place = 0;
  let plane = 0;
  for (let rest = slices; rest.length > 0; plane++) {
    const [first] = rest;
    if (first === undefined) break;
    const { rowDirection, columnDirection } = first.header;
    const normal = normalOf(first.header);
    const parallel = rest
      .filter(({ header }) => isParallel(header, first.header))
      .map((slice) => ({
        slice,
        depth: dot(slice.header.position, normal),
        row: dot(slice.header.position, rowDirection),
        column: dot(slice.header.position, columnDirection),
      }))
      .sort((a, b) => a.depth - b.depth);
    parallel.forEach((each, n) => {
      if (n === 0 || each.depth - (parallel[n - 1]?.depth ?? 0) > POSITION_TOLERANCE_MM) place++;
      placed.push({ ...each, place, plane });
    });
    rest = rest.filter(({ header }) => !isParallel(header, first.header));
  }
  return placed;
}

export function normalOf({ rowDirection, columnDirection }: SliceHeader): Vector3 {
  return normalised(cross(rowDirection, columnDirection));
}

export function isParallel(a: SliceHeader, b: SliceHeader): boolean {
  return areNear(a.rowDirection, b.rowDirection) && areNear(a.columnDirection, b.columnDirection);
}

function areNear(a: Vector3, b: Vector3): boolean {
  return a.every((cosine, axis) => Math.abs(cosine - (b[axis] ?? NaN)) <= ORIENTATION_TOLERANCE);
}
