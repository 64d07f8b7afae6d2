import { createHash } from 'node:crypto';
import dcmjs from 'dcmjs';
import { dot, type Vector3 } from '../src/volume/geometry.ts';
import { HEART_PERIOD_MS, type ShortAxisHeart } from './short-axis-heart.ts';

export interface DicomSeriesOptions {
  /** Default explicit VR little endian. */
  readonly transferSyntax?: 'explicit' | 'implicit';
  /** Bits of a pixel that count, of 16 allocated; default 12, as most scanners have it. */
  readonly bitsStored?: 12 | 16;
}

export interface DicomFile {
  /** Says nothing of the order, as names of an export often do. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';
const TRANSFER_SYNTAX_UID = { explicit: '1.2.840.10008.1.2.1', implicit: '1.2.840.10008.1.2' } as const;

/** One phase of a heart as single-frame MR images, one a slice, in no order. All phases of one heart are one series,
 * as a scanner stores a cine: Trigger Time and Temporal Position Identifier tell them apart.
 * @see DICOM PS3.3 A.4 MR Image IOD, C.8.3.1 */
export function encodeDicomPhase(heart: ShortAxisHeart, phase: number, options: DicomSeriesOptions = {}): DicomFile[] {
  const { transferSyntax = 'explicit' } = options;
  const slices = heart.geometry.dimensions[2];
  return Array.from({ length: slices }, (_, k) => {
    const dataset = imageDataset(heart, phase, k, options);
    const name = `MR${createHash('sha256').update(dataset.SOPInstanceUID).digest('hex').slice(0, 8)}.dcm`;
    return { name, bytes: encodePart10(dataset, TRANSFER_SYNTAX_UID[transferSyntax]) };
  }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A UID that depends on the text alone: 2.25 and 128 bits of its SHA-256 as an integer (PS3.5 B.2). */
export function uidOf(text: string): string {
  return `2.25.${BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 32)}`).toString()}`;
}

type Dataset = Readonly<Record<string, string | number | ArrayBuffer | readonly string[] | readonly number[]>> & {
  readonly SOPInstanceUID: string;
};

function imageDataset(
  heart: ShortAxisHeart,
  phase: number,
  k: number,
  { bitsStored = 12 }: DicomSeriesOptions,
): Dataset {
  const { geometry, phases, seed } = heart;
  const { dimensions, spacing, origin, direction } = geometry;
  const [columns, rows, slices] = dimensions;
  const identity = `slicewise sample ${[seed, ...dimensions, phases.length].join(' ')}`;
  const instance = (slices - 1 - k) * phases.length + phase + 1;
  const position: Vector3 = [0, 1, 2].map(
    (axis) => (origin[axis] ?? 0) + k * spacing[2] * (direction[2][axis] ?? 0),
  ) as unknown as Vector3;
  const pixels = heart.phases[phase]?.voxels.slice(k * columns * rows, (k + 1) * columns * rows);
  const trigger = heart.phases[phase]?.triggerTimeMs;
  if (pixels === undefined || trigger === undefined) throw new RangeError(`there is no phase ${phase}`);
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    ImageType: ['ORIGINAL', 'PRIMARY', 'OTHER'],
    SOPClassUID: MR_IMAGE_STORAGE,
    SOPInstanceUID: uidOf(`${identity} instance ${instance}`),
    StudyDate: '20240229',
    SeriesDate: '20240229',
    AcquisitionDate: '20240229',
    ContentDate: '20240229',
    StudyTime: '101500',
    SeriesTime: '102100',
    AcquisitionTime: '102130',
    ContentTime: '102145',
    AccessionNumber: '',
    Modality: 'MR',
    Manufacturer: 'Slicewise',
    ManufacturerModelName: 'sample generator',
    ReferringPhysicianName: '',
    StudyDescription: 'Synthetic heart',
    SeriesDescription: 'Short axis cine bSSFP, synthetic',
    PatientName: 'Synthetic^Heart',
    PatientID: `SYNTHETIC-${seed}`,
    PatientBirthDate: '19700101',
    PatientSex: 'O',
    BodyPartExamined: 'HEART',
    ScanningSequence: 'GR',
    SequenceVariant: 'SS',
    ScanOptions: 'CG',
    MRAcquisitionType: '2D',
    SliceThickness: decimal(spacing[2]),
    RepetitionTime: '3.2',
    EchoTime: '1.6',
    NumberOfAverages: '1',
    MagneticFieldStrength: '1.5',
    SpacingBetweenSlices: decimal(spacing[2]),
    EchoTrainLength: '1',
    DeviceSerialNumber: '0',
    SoftwareVersions: '1',
    TriggerTime: decimal(trigger),
    NominalInterval: String(HEART_PERIOD_MS),
    HeartRate: String(Math.round(60_000 / HEART_PERIOD_MS)),
    CardiacNumberOfImages: String(phases.length),
    FlipAngle: '50',
    PatientPosition: 'HFS',
    StudyInstanceUID: uidOf(`${identity} study`),
    SeriesInstanceUID: uidOf(`${identity} series`),
    StudyID: '1',
    SeriesNumber: '5',
    AcquisitionNumber: '1',
    InstanceNumber: String(instance),
    ImagePositionPatient: position.map(decimal),
    ImageOrientationPatient: [...direction[0], ...direction[1]].map(decimal),
    FrameOfReferenceUID: uidOf(`${identity} frame of reference`),
    TemporalPositionIdentifier: String(phase + 1),
    NumberOfTemporalPositions: String(phases.length),
    PositionReferenceIndicator: '',
    SliceLocation: decimal(dot(position, direction[2])),
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    PixelSpacing: [decimal(spacing[1]), decimal(spacing[0])],
    BitsAllocated: 16,
    BitsStored: bitsStored,
    HighBit: bitsStored - 1,
    PixelRepresentation: 0,
    WindowCenter: '350',
    WindowWidth: '700',
    PixelData: pixels.buffer,
  };
}

function encodePart10(dataset: Dataset, transferSyntaxUID: string): Uint8Array {
  const { DicomDict, DicomMetaDictionary } = dcmjs.data;
  const file = new DicomDict(
    DicomMetaDictionary.denaturalizeDataset({
      FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
      MediaStorageSOPClassUID: MR_IMAGE_STORAGE,
      MediaStorageSOPInstanceUID: dataset.SOPInstanceUID,
      TransferSyntaxUID: transferSyntaxUID,
      ImplementationClassUID: uidOf('slicewise sample generator'),
      ImplementationVersionName: 'SLICEWISE_SAMPLE',
    }),
  );
  file.dict = DicomMetaDictionary.denaturalizeDataset({ ...dataset, _vrMap: { PixelData: 'OW' } });
  return new Uint8Array(file.write({ fragmentMultiframe: false }));
}

/** DS: at most 16 characters; a ten-thousandth of a millimetre is enough for a position, six digits for a cosine. */
function decimal(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}
