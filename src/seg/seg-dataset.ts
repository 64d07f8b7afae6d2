import {
  type CodedConcept,
  type Labelmap,
  MANUAL_PROCESSING,
  type Segment,
  type SegmentAlgorithm,
} from '../labelmap/labelmap.ts';
import type { Provenance } from '../labelmap/segmentation-result.ts';
import { LABELMAP_SEGMENTATION_STORAGE, type SegInstance, SEGMENTATION_STORAGE } from './dicom-seg-segments.ts';
import { dot } from '../volume/geometry.ts';
import type { CopiedAttribute, SourceSeries } from '../volume/volume.ts';
import type { DicomAttributes } from '../dicom/write-dicom.ts';
import { copiedDecimalString, dateString, decimalString, shortened, timeString } from '../dicom/dicom-values.ts';
import type { SegPixels } from './seg-frames.ts';

/** What made a labelmap: the software, and the model if there was one. A result's provenance is one. */
export type LabelmapOrigin = Pick<Provenance, 'softwareVersion'> &
  Partial<Pick<Provenance, 'modelId' | 'modelVersion' | 'modelTitle' | 'modelSha256' | 'manifestSha256' | 'slicesRun'>>;

export interface SegDescription {
  readonly origin: LabelmapOrigin;
  readonly contentLabel: string;
  readonly seriesDescription: string;
  readonly seriesNumber: number;
  readonly instanceNumber: number;
  /** The segmentation that this one corrects or continues. */
  readonly predecessor?: SegInstance | undefined;
  readonly now: Date;
  readonly sopInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly dimensionOrganizationUID: string;
  /** Of segments, by number: what they may lack (Segment Description). */
  readonly segmentDescriptions?: ReadonlyMap<number, string>;
  readonly pixels: Pick<SegPixels, 'segmentationType' | 'bitsAllocated' | 'frames'>;
}

const REFERENCED_SEGMENT_NUMBER = 0x0062000b;
const SEGMENT_IDENTIFICATION_SEQUENCE = 0x0062000a;
const IMAGE_POSITION_PATIENT = 0x00200032;
const PLANE_POSITION_SEQUENCE = 0x00209113;

/** Everything of a segmentation before the per-frame functional groups (PS3.3 A.51, C.8.20). */
export function segDataset(labelmap: Labelmap, source: SourceSeries, description: SegDescription): DicomAttributes {
  const { segmentationType } = description.pixels;
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: segmentationType === 'LABELMAP' ? LABELMAP_SEGMENTATION_STORAGE : SEGMENTATION_STORAGE,
    SOPInstanceUID: description.sopInstanceUID,
    ...patientAndStudy(source),
    ...series(source, description),
    ...equipment(description.origin),
    ...image(labelmap, source, description),
    ...references(source, description.predecessor),
    ...dimensions(description),
    SegmentSequence: [
      ...[...labelmap.segments]
        .sort((a, b) => a.segmentNumber - b.segmentNumber)
        .map((segment) => segmentItem(segment, description)),
      // Last: OHIF 3.13 gives the n-th item's colour to segment n.
      ...(segmentationType === 'LABELMAP' ? [backgroundItem()] : []),
    ],
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
  const { segmentationType, bitsAllocated, frames } = description.pixels;
  return {
    ImageType: ['DERIVED', 'PRIMARY'],
    InstanceNumber: String(description.instanceNumber),
    ContentDate: dateString(description.now),
    ContentTime: timeString(description.now),
    ContentLabel: description.contentLabel,
    ContentDescription: 'Research use only, not for diagnosis or treatment',
    ContentCreatorName: '',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    NumberOfFrames: String(frames.length),
    Rows: rows,
    Columns: columns,
    BitsAllocated: bitsAllocated,
    BitsStored: bitsAllocated,
    HighBit: bitsAllocated - 1,
    PixelRepresentation: 0,
    // Background, where a reader fills slices that have no frame.
    PixelPaddingValue: segmentationType === 'LABELMAP' ? 0 : undefined,
    ...lossyCompression(source),
    SegmentationType: segmentationType,
    SegmentsOverlap: 'NO',
  };
}

/** What was lost in the images is lost in what was derived from them (PS3.3 C.7.6.1.1.5). */
function lossyCompression(source: SourceSeries): DicomAttributes {
  if (!source.lossyImageCompression) return { LossyImageCompression: '00' };
  return {
    LossyImageCompression: '01',
    LossyImageCompressionRatio: source.lossyImageCompressionRatio?.map(copiedDecimalString),
    LossyImageCompressionMethod: source.lossyImageCompressionMethod,
  };
}

/** Every instance of the source, whether a frame was derived from it or not (PS3.3 C.12.2), and the segmentation that
 * this one follows (General Reference, PS3.3 C.12.4). The source comes first: some readers look no further. */
function references(
  { seriesInstanceUID, instances }: SourceSeries,
  predecessor: SegInstance | undefined,
): DicomAttributes {
  const unique = new Map(instances.map((instance) => [instance.sopInstanceUID, instance.sopClassUID]));
  const sourceItem = {
    SeriesInstanceUID: seriesInstanceUID,
    ReferencedInstanceSequence: Array.from(unique, ([sopInstanceUID, sopClassUID]) =>
      sopInstanceReference({ sopClassUID, sopInstanceUID }),
    ),
  };
  if (predecessor === undefined) return { ReferencedSeriesSequence: [sourceItem] };
  return {
    ReferencedInstanceSequence: [
      {
        ...sopInstanceReference(predecessor),
        // Of CID 7062, predecessors of models; the CIDs for images have no code for "edited".
        PurposeOfReferenceCodeSequence: [code(dcm('129010', 'Edited Model'))],
      },
    ],
    ReferencedSeriesSequence: [
      sourceItem,
      {
        SeriesInstanceUID: predecessor.seriesInstanceUID,
        ReferencedInstanceSequence: [sopInstanceReference(predecessor)],
      },
    ],
  };
}

function sopInstanceReference({
  sopClassUID,
  sopInstanceUID,
}: Pick<SegInstance, 'sopClassUID' | 'sopInstanceUID'>): DicomAttributes {
  return { ReferencedSOPClassUID: sopClassUID, ReferencedSOPInstanceUID: sopInstanceUID };
}

/** Frames are indexed by segment, which a LABELMAP has none of, then by position (PS3.3 C.7.6.17). */
function dimensions({ dimensionOrganizationUID, pixels }: SegDescription): DicomAttributes {
  const ofSegment = {
    DimensionOrganizationUID: dimensionOrganizationUID,
    DimensionIndexPointer: REFERENCED_SEGMENT_NUMBER,
    FunctionalGroupPointer: SEGMENT_IDENTIFICATION_SEQUENCE,
    DimensionDescriptionLabel: 'Segment Number',
  };
  const ofPosition = {
    DimensionOrganizationUID: dimensionOrganizationUID,
    DimensionIndexPointer: IMAGE_POSITION_PATIENT,
    FunctionalGroupPointer: PLANE_POSITION_SEQUENCE,
    DimensionDescriptionLabel: 'Image Position (Patient)',
  };
  return {
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: dimensionOrganizationUID }],
    DimensionIndexSequence: pixels.segmentationType === 'LABELMAP' ? [ofPosition] : [ofSegment, ofPosition],
  };
}

/** A LABELMAP describes every value that it encodes (PS3.3 C.8.20.2). */
function backgroundItem(): DicomAttributes {
  const background = dcm('125040', 'Background');
  return {
    SegmentNumber: 0,
    SegmentLabel: 'Background',
    // It is what no algorithm found: there is none to name.
    SegmentAlgorithmType: 'MANUAL',
    SegmentedPropertyCategoryCodeSequence: [code(background)],
    SegmentedPropertyTypeCodeSequence: [code(background)],
    RecommendedDisplayCIELabValue: [0, 32896, 32896],
  };
}

/** PS3.3 C.8.20.4. */
function segmentItem(
  segment: Segment,
  { origin, segmentDescriptions }: Pick<SegDescription, 'origin' | 'segmentDescriptions'>,
): DicomAttributes {
  const manual = segment.algorithmType === 'MANUAL';
  return {
    SegmentNumber: segment.segmentNumber,
    SegmentLabel: shortened(segment.segmentLabel, 64),
    SegmentDescription: segmentDescriptions?.get(segment.segmentNumber),
    SegmentAlgorithmType: segment.algorithmType,
    SegmentAlgorithmName: manual ? undefined : shortened(segment.algorithmName ?? '', 64),
    SegmentationAlgorithmIdentificationSequence: manual ? undefined : algorithmItems(segment, origin),
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

/** What made the segment, then the clinician's edit; undefined where nothing is known (PS3.3 table 10-19). */
function algorithmItems(segment: Segment, origin: LabelmapOrigin): DicomAttributes[] | undefined {
  const items = [
    ...(segment.algorithms ?? modelAlgorithm(origin)),
    ...(segment.isEdited
      ? [{ family: MANUAL_PROCESSING, name: 'Edited by hand', version: origin.softwareVersion }]
      : []),
  ].map(algorithmIdentification);
  return items.length > 0 ? items : undefined;
}

function modelAlgorithm(origin: LabelmapOrigin): SegmentAlgorithm[] {
  const { modelId, modelVersion = '' } = origin;
  if (modelId === undefined) return [];
  const sha256 = parameters(origin);
  return [
    {
      family: dcm('123110', 'Artificial Intelligence'),
      name: modelId,
      version: modelVersion,
      ...(sha256 !== undefined && { parameters: sha256 }),
    },
  ];
}

function algorithmIdentification({ family, name, version, parameters }: SegmentAlgorithm): DicomAttributes {
  return {
    AlgorithmFamilyCodeSequence: [code(family)],
    AlgorithmName: shortened(name, 64),
    AlgorithmVersion: shortened(version, 64),
    AlgorithmParameters: parameters,
  };
}

function parameters({ modelSha256, manifestSha256 }: LabelmapOrigin): string | undefined {
  const manifest = manifestSha256 === undefined ? '' : ` manifest-sha256=${manifestSha256}`;
  return modelSha256 === undefined ? undefined : `sha256=${modelSha256}${manifest}`;
}

function sharedGroups(labelmap: Labelmap, source: SourceSeries): DicomAttributes {
  return {
    PlaneOrientationSequence: [{ ImageOrientationPatient: source.imageOrientationPatient.map(copiedDecimalString) }],
    PixelMeasuresSequence: [
      { PixelSpacing: source.pixelSpacing.map(copiedDecimalString), ...sliceGap(labelmap, source) },
    ],
  };
}

/** Thickness is the gap: a labelled voxel reaches half-way to the next slice, as its volume is counted. Of unequal gaps it
 * is their mean, and no gap is given. */
function sliceGap({ geometry }: Labelmap, source: SourceSeries): DicomAttributes {
  const [, , gap] = geometry.spacing;
  const [, , normal] = geometry.direction;
  const depths = source.instances.map(({ imagePositionPatient: [x, y, z] }) =>
    dot([Number(x), Number(y), Number(z)], normal),
  );
  const isRegular = depths.slice(1).every((depth, k) => Math.abs(depth - (depths[k] ?? 0) - gap) <= 0.1 * gap);
  return { SliceThickness: decimalString(gap), ...(isRegular && { SpacingBetweenSlices: decimalString(gap) }) };
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
