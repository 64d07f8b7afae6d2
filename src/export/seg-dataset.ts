import type { CodedConcept, Segment } from '../labelmap/segment.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import type { Provenance } from '../labelmap/segmentation-result.ts';
import { SEGMENTATION_STORAGE } from '../readers/dicom-seg.ts';
import type { CopiedAttribute, SourceSeries } from '../volume/volume.ts';
import type { DicomAttributes } from './dicom-file.ts';
import { copiedDecimalString, dateString, decimalString, shortened, timeString } from './dicom-values.ts';

/** What made a labelmap: the software, and the model if there was one. A result's provenance is one. */
export type LabelmapOrigin = Pick<Provenance, 'softwareVersion'> &
  Partial<Pick<Provenance, 'modelId' | 'modelVersion' | 'modelTitle' | 'modelSha256'>>;

export interface SegDescription {
  readonly origin: LabelmapOrigin;
  readonly contentLabel: string;
  readonly seriesDescription: string;
  readonly seriesNumber: number;
  readonly now: Date;
  readonly sopInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly dimensionOrganizationUID: string;
  readonly frameCount: number;
}

const REFERENCED_SEGMENT_NUMBER = 0x0062000b;
const SEGMENT_IDENTIFICATION_SEQUENCE = 0x0062000a;
const IMAGE_POSITION_PATIENT = 0x00200032;
const PLANE_POSITION_SEQUENCE = 0x00209113;

/** Everything of a BINARY segmentation before the per-frame functional groups (PS3.3 A.51, C.8.20). */
export function segDataset(labelmap: Labelmap, source: SourceSeries, description: SegDescription): DicomAttributes {
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: SEGMENTATION_STORAGE,
    SOPInstanceUID: description.sopInstanceUID,
    ...patientAndStudy(source),
    ...series(source, description),
    ...equipment(description.origin),
    ...image(labelmap, source, description),
    ...references(source),
    ...dimensions(description.dimensionOrganizationUID),
    SegmentSequence: [...labelmap.segments]
      .sort((a, b) => a.segmentNumber - b.segmentNumber)
      .map((segment) => segmentItem(segment, description.origin)),
    SharedFunctionalGroupsSequence: [sharedGroups(labelmap, source)],
  };
}

function patientAndStudy({ attributes, studyInstanceUID }: SourceSeries): DicomAttributes {
  // Type 2: present, if need be empty.
  const required: readonly CopiedAttribute[] = [
    'PatientName',
    'PatientID',
    'PatientBirthDate',
    'PatientSex',
    'StudyDate',
    'StudyTime',
    'StudyID',
    'AccessionNumber',
    'ReferringPhysicianName',
  ];
  return {
    ...Object.fromEntries(required.map((keyword) => [keyword, ''])),
    ...attributes,
    StudyInstanceUID: studyInstanceUID,
  };
}

function series(source: SourceSeries, description: SegDescription): DicomAttributes {
  return {
    Modality: 'SEG',
    SeriesInstanceUID: description.seriesInstanceUID,
    SeriesNumber: String(description.seriesNumber),
    SeriesDescription: shortened(description.seriesDescription, 64),
    SeriesDate: dateString(description.now),
    SeriesTime: timeString(description.now),
    ...frameOfReference(source),
  };
}

/** Copied, never invented: a new UID would say that nothing else is registered with the segmentation. */
function frameOfReference({ frameOfReferenceUID, attributes }: SourceSeries): DicomAttributes {
  const { PositionReferenceIndicator = '' } = attributes;
  return frameOfReferenceUID === undefined
    ? { PositionReferenceIndicator: undefined }
    : { FrameOfReferenceUID: frameOfReferenceUID, PositionReferenceIndicator };
}

function equipment(origin: LabelmapOrigin): DicomAttributes {
  return {
    Manufacturer: 'Slicewise',
    ManufacturerModelName: shortened(origin.modelId ?? 'Slicewise', 64),
    // Type 1, and software has none.
    DeviceSerialNumber: '0',
    SoftwareVersions: shortened(origin.softwareVersion, 64),
    ...(origin.modelId !== undefined && { ContributingEquipmentSequence: [processingEquipment(origin)] }),
  };
}

/** The model once more where archives look for it (PS3.3 C.12.1.1.5). */
function processingEquipment(origin: LabelmapOrigin): DicomAttributes {
  return {
    PurposeOfReferenceCodeSequence: [code(dcm('109102', 'Processing Equipment'))],
    Manufacturer: 'Slicewise',
    ManufacturerModelName: shortened(origin.modelId ?? '', 64),
    SoftwareVersions: shortened(origin.softwareVersion, 64),
    ContributionDescription: shortened(
      `Segmentation by the model ${[origin.modelTitle, origin.modelVersion, parameters(origin)].filter(Boolean).join(', ')}. Research use only.`,
      1024,
    ),
  };
}

function image(labelmap: Labelmap, source: SourceSeries, description: SegDescription): DicomAttributes {
  const [columns, rows] = labelmap.geometry.dimensions;
  return {
    ImageType: ['DERIVED', 'PRIMARY'],
    InstanceNumber: '1',
    ContentDate: dateString(description.now),
    ContentTime: timeString(description.now),
    ContentLabel: description.contentLabel,
    ContentDescription: 'Research use only, not for diagnosis or treatment',
    ContentCreatorName: '',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    NumberOfFrames: String(description.frameCount),
    Rows: rows,
    Columns: columns,
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    LossyImageCompression: source.lossyImageCompression ? '01' : '00',
    SegmentationType: 'BINARY',
    SegmentsOverlap: 'NO',
  };
}

/** Every instance of the source, whether a frame was derived from it or not (PS3.3 C.12.2). */
function references({ seriesInstanceUID, instances }: SourceSeries): DicomAttributes {
  const unique = new Map(instances.map((instance) => [instance.sopInstanceUID, instance.sopClassUID]));
  return {
    ReferencedSeriesSequence: [
      {
        SeriesInstanceUID: seriesInstanceUID,
        ReferencedInstanceSequence: Array.from(unique, ([sopInstanceUID, sopClassUID]) => ({
          ReferencedSOPClassUID: sopClassUID,
          ReferencedSOPInstanceUID: sopInstanceUID,
        })),
      },
    ],
  };
}

/** Frames are indexed by segment, then by position (PS3.3 C.7.6.17). */
function dimensions(dimensionOrganizationUID: string): DicomAttributes {
  return {
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: dimensionOrganizationUID }],
    DimensionIndexSequence: [
      {
        DimensionOrganizationUID: dimensionOrganizationUID,
        DimensionIndexPointer: REFERENCED_SEGMENT_NUMBER,
        FunctionalGroupPointer: SEGMENT_IDENTIFICATION_SEQUENCE,
        DimensionDescriptionLabel: 'Segment Number',
      },
      {
        DimensionOrganizationUID: dimensionOrganizationUID,
        DimensionIndexPointer: IMAGE_POSITION_PATIENT,
        FunctionalGroupPointer: PLANE_POSITION_SEQUENCE,
        DimensionDescriptionLabel: 'Image Position (Patient)',
      },
    ],
  };
}

/** PS3.3 C.8.20.4. */
function segmentItem(segment: Segment, origin: LabelmapOrigin): DicomAttributes {
  const manual = segment.algorithmType === 'MANUAL';
  return {
    SegmentNumber: segment.segmentNumber,
    SegmentLabel: shortened(segment.segmentLabel, 64),
    SegmentAlgorithmType: segment.algorithmType,
    SegmentAlgorithmName: manual ? undefined : shortened(segment.algorithmName ?? '', 64),
    SegmentationAlgorithmIdentificationSequence:
      manual || origin.modelId === undefined ? undefined : [algorithmIdentification(origin)],
    SegmentedPropertyCategoryCodeSequence: [code(segment.segmentedPropertyCategory)],
    SegmentedPropertyTypeCodeSequence: [
      {
        ...code(segment.segmentedPropertyType),
        ...(segment.segmentedPropertyTypeModifier && {
          SegmentedPropertyTypeModifierCodeSequence: [code(segment.segmentedPropertyTypeModifier)],
        }),
      },
    ],
    AnatomicRegionSequence: segment.anatomicRegion && [code(segment.anatomicRegion)],
    RecommendedDisplayCIELabValue: segment.recommendedDisplayCIELab,
    TrackingID: segment.trackingID,
    TrackingUID: segment.trackingUID,
  };
}

/** PS3.3 table 10-19. */
function algorithmIdentification(origin: LabelmapOrigin): DicomAttributes {
  return {
    AlgorithmFamilyCodeSequence: [code(dcm('123110', 'Artificial Intelligence'))],
    AlgorithmName: shortened(origin.modelId ?? '', 64),
    AlgorithmVersion: shortened(origin.modelVersion ?? '', 64),
    AlgorithmParameters: parameters(origin),
  };
}

function parameters({ modelSha256 }: LabelmapOrigin): string | undefined {
  return modelSha256 === undefined ? undefined : `sha256=${modelSha256}`;
}

function sharedGroups({ geometry }: Labelmap, source: SourceSeries): DicomAttributes {
  // Thickness is the gap: a labelled voxel reaches half-way to the next slice, as its volume is counted.
  const gap = decimalString(geometry.spacing[2]);
  return {
    PlaneOrientationSequence: [{ ImageOrientationPatient: source.imageOrientationPatient.map(copiedDecimalString) }],
    PixelMeasuresSequence: [
      { PixelSpacing: source.pixelSpacing.map(copiedDecimalString), SliceThickness: gap, SpacingBetweenSlices: gap },
    ],
  };
}

function dcm(codeValue: string, codeMeaning: string): CodedConcept {
  return { codeValue, codingSchemeDesignator: 'DCM', codeMeaning };
}

function code({ codeValue, codingSchemeDesignator, codeMeaning }: CodedConcept): DicomAttributes {
  return {
    CodeValue: codeValue,
    CodingSchemeDesignator: codingSchemeDesignator,
    CodeMeaning: shortened(codeMeaning, 64),
  };
}
