import { InputError } from '../errors.ts';
import { damagedFile } from './damaged-file.ts';
import type { CopiedAttribute } from '../volume/volume.ts';
import { readDicomHeader, type DicomDataset } from './dicom-dataset.ts';
import type { DicomKeyword } from './dicom-dictionary.ts';
import type { SourceFile } from './reader.ts';
import { sliceHeader, type SliceHeader } from './slice-header.ts';

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
  readonly rescaleType: string | undefined;
  readonly isLossy: boolean;
  readonly isInverted: boolean;
  readonly copied: Readonly<Partial<Record<CopiedAttribute, string>>>;
  /** Values that can tell apart images at one position, by keyword. */
  readonly distinguishing: ReadonlyMap<DicomKeyword, string>;
  /** The image as a slice, or why it cannot be one. */
  readonly slice: SliceHeader | InputError;
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

/** What distinguishes cardiac phases, echoes, b-values, time points, reconstructions; no dates or times of day. */
const DISTINGUISHING_ATTRIBUTES: readonly DicomKeyword[] = [
  'TemporalPositionIdentifier',
  'TriggerTime',
  'NominalCardiacTriggerDelayTime',
  'EchoTime',
  'EchoNumbers',
  'InversionTime',
  'FlipAngle',
  'DiffusionBValue',
  'ImageType',
  'ConvolutionKernel',
  'AcquisitionNumber',
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
export async function readDicomInstance(file: SourceFile): Promise<DicomInstance> {
  return dicomInstanceOf(await readDicomHeader(file), file);
}

/** What is kept of a header that is read already. */
export function dicomInstanceOf(dataset: DicomDataset, file: SourceFile): DicomInstance {
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
    rescaleType: dataset.string('RescaleType'),
    isLossy: dataset.string('LossyImageCompression') === '01',
    isInverted: dataset.string('PhotometricInterpretation') === 'MONOCHROME1',
    copied: copiedAttributes(dataset),
    distinguishing: new Map(
      DISTINGUISHING_ATTRIBUTES.map((keyword): [DicomKeyword, string] => [
        keyword,
        distinguishingValue(dataset, keyword),
      ]),
    ),
    slice: sliceHeaderOrProblem(dataset, file.name),
  };
}

/** An image cut off between two attributes early in its header must not pass for an object without an image. */
function assertNotCutOff(dataset: DicomDataset, name: string): void {
  if (dataset.includes('SeriesInstanceUID') || dataset.text('MediaStorageSOPClassUID') === MEDIA_STORAGE_DIRECTORY)
    return;
  throw damagedFile(name, 'it ends before it names its series');
}

function copiedAttributes(dataset: DicomDataset): Partial<Record<CopiedAttribute, string>> {
  const copied: Partial<Record<CopiedAttribute, string>> = {};
  for (const keyword of COPIED_ATTRIBUTES) {
    const value = dataset.text(keyword);
    if (value !== undefined) copied[keyword] = value;
  }
  return copied;
}

function distinguishingValue(dataset: DicomDataset, keyword: DicomKeyword): string {
  return keyword === 'DiffusionBValue' || keyword === 'NominalCardiacTriggerDelayTime'
    ? dataset.numbers(keyword).join('\\')
    : (dataset.text(keyword) ?? '');
}

function sliceHeaderOrProblem(dataset: DicomDataset, name: string): SliceHeader | InputError {
  try {
    return sliceHeader(dataset, name);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}
