import { InputError } from '../errors.ts';
import {
  type CodedConcept,
  MANUAL_PROCESSING,
  type Segment,
  type SegmentAlgorithm,
  type SegmentAlgorithmType,
} from '../labelmap/labelmap.ts';
import { createUid } from '../labelmap/segmentation-result.ts';
import type { Notice } from '../volume/volume.ts';
import type { DicomDataset } from '../dicom/dicom-dataset.ts';
import type { DicomKeyword } from '../dicom/dicom-dictionary.ts';

const ANATOMICAL_STRUCTURE: CodedConcept = {
  codeValue: '91723000',
  codingSchemeDesignator: 'SCT',
  codeMeaning: 'Anatomical Structure',
};
/** For who leaves a mandatory code out: the widest there is. */
const UNKNOWN_FAMILY: CodedConcept = { codeValue: '261665006', codingSchemeDesignator: 'SCT', codeMeaning: 'Unknown' };
/** Mid grey: L* 50, a* and b* 0 (PS3.3 C.10.7.1.1). */
const GREY: Segment['recommendedDisplayCIELab'] = [32768, 32896, 32896];

/** Reads the Segment Sequence (PS3.3 C.8.20.4), in the file's order; a LABELMAP's background (0) is no segment. What other writers leave out gets a plain
 * substitute: a missing code with a warning; missing colours grey; missing tracking a new identity.
 * @throws InputError `missing-attribute` if there is no segment, or one without a number; `invalid-attribute` if a
 * number occurs twice */
export function readSegments(dataset: DicomDataset): { segments: Segment[]; warnings: Notice[] } {
  const warnings: Notice[] = [];
  const segments = dataset
    .items('SegmentSequence')
    .filter((item) => item.number('SegmentNumber') !== 0)
    .map((item) => readSegment(item, warnings));
  if (segments.length === 0) throw missing('SegmentSequence');
  if (new Set(segments.map((segment) => segment.segmentNumber)).size < segments.length) {
    throw new InputError('invalid-attribute', 'The DICOM-SEG gives one segment number to several segments.', {
      remedy: 'Export the segmentation again.',
    });
  }
  return { segments, warnings };
}

function readSegment(item: DicomDataset, warnings: Notice[]): Segment {
  const segmentNumber = item.number('SegmentNumber');
  if (segmentNumber === undefined) throw missing('SegmentNumber');
  const segmentLabel = item.string('SegmentLabel') ?? `Segment ${segmentNumber}`;
  const [type] = item.items('SegmentedPropertyTypeCodeSequence');
  const segmentedPropertyType = readCode(type);
  if (segmentedPropertyType === undefined) {
    warnings.push({
      code: 'segment-without-code',
      message: `Segment ${segmentNumber} does not say what it is; it is taken for an anatomical structure.`,
    });
  }
  const modifier =
    firstCode(type, 'SegmentedPropertyTypeModifierCodeSequence') ??
    firstCode(item, 'SegmentedPropertyTypeModifierCodeSequence');
  const anatomicRegion = firstCode(item, 'AnatomicRegionSequence');
  const algorithmName = item.string('SegmentAlgorithmName');
  const algorithms = item.items('SegmentationAlgorithmIdentificationSequence').map(readAlgorithm);
  const ofMachines = algorithms.filter(({ family }) => !isManual(family));
  const [l, a, b] = item.numbers('RecommendedDisplayCIELabValue');
  return {
    segmentNumber,
    segmentLabel,
    segmentedPropertyCategory: firstCode(item, 'SegmentedPropertyCategoryCodeSequence') ?? ANATOMICAL_STRUCTURE,
    segmentedPropertyType: segmentedPropertyType ?? ANATOMICAL_STRUCTURE,
    ...(modifier && { segmentedPropertyTypeModifier: modifier }),
    ...(anatomicRegion && { anatomicRegion }),
    algorithmType: readAlgorithmType(item.string('SegmentAlgorithmType')),
    ...(algorithmName !== undefined && { algorithmName }),
    ...(ofMachines.length > 0 && { algorithms: ofMachines }),
    ...(ofMachines.length < algorithms.length && { isEdited: true as const }),
    recommendedDisplayCIELab: l === undefined || a === undefined || b === undefined ? GREY : [l, a, b],
    trackingID: item.string('TrackingID') ?? segmentLabel,
    trackingUID: item.string('TrackingUID') ?? createUid(),
  };
}

/** What no one claims to have drawn or computed counts as computed: the cautious reading. */
function readAlgorithmType(value: string | undefined): SegmentAlgorithmType {
  return value === 'MANUAL' || value === 'SEMIAUTOMATIC' ? value : 'AUTOMATIC';
}

function readAlgorithm(item: DicomDataset): SegmentAlgorithm {
  const parameters = item.text('AlgorithmParameters');
  return {
    family: firstCode(item, 'AlgorithmFamilyCodeSequence') ?? UNKNOWN_FAMILY,
    name: item.string('AlgorithmName') ?? '',
    version: item.string('AlgorithmVersion') ?? '',
    ...(parameters !== undefined && { parameters }),
  };
}

function isManual({ codeValue, codingSchemeDesignator }: CodedConcept): boolean {
  return (
    codeValue === MANUAL_PROCESSING.codeValue && codingSchemeDesignator === MANUAL_PROCESSING.codingSchemeDesignator
  );
}

function firstCode(item: DicomDataset | undefined, keyword: DicomKeyword): CodedConcept | undefined {
  return readCode(item?.items(keyword)[0]);
}

function readCode(item: DicomDataset | undefined): CodedConcept | undefined {
  const codeValue = item?.string('CodeValue') ?? item?.string('LongCodeValue');
  if (item === undefined || codeValue === undefined) return undefined;
  return {
    codeValue,
    codingSchemeDesignator: item.string('CodingSchemeDesignator') ?? '',
    codeMeaning: item.string('CodeMeaning') ?? codeValue,
  };
}

function missing(keyword: DicomKeyword): InputError {
  return new InputError('missing-attribute', `The DICOM-SEG lacks ${keyword}.`, {
    remedy: 'Export the segmentation again, with its segments.',
    details: { keyword },
  });
}

export const SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.4';
export const LABELMAP_SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.7';

/** A stored segmentation, as another one refers to it. */
export interface SegInstance {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly seriesInstanceUID: string;
}

/** What a segmentation says of itself: who corrects it goes on from here. */
export interface SegIdentity extends SegInstance {
  readonly instanceNumber?: number;
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  readonly contentLabel?: string;
  /** SOP Instance UID of the segmentation that this one corrects. */
  readonly predecessorSOPInstanceUID?: string;
}

export function readSegIdentity(dataset: DicomDataset): SegIdentity {
  const [instanceNumber, seriesNumber] = [dataset.number('InstanceNumber'), dataset.number('SeriesNumber')];
  const [seriesDescription, contentLabel] = [dataset.string('SeriesDescription'), dataset.string('ContentLabel')];
  const predecessor = dataset
    .items('ReferencedInstanceSequence')
    .find((item) => isSegmentation(item.string('ReferencedSOPClassUID')))
    ?.string('ReferencedSOPInstanceUID');
  return {
    sopClassUID: sopClassOf(dataset),
    sopInstanceUID: dataset.string('SOPInstanceUID') ?? '',
    seriesInstanceUID: dataset.string('SeriesInstanceUID') ?? '',
    ...(instanceNumber !== undefined && { instanceNumber }),
    ...(seriesNumber !== undefined && { seriesNumber }),
    ...(seriesDescription !== undefined && { seriesDescription }),
    ...(contentLabel !== undefined && { contentLabel }),
    ...(predecessor !== undefined && { predecessorSOPInstanceUID: predecessor }),
  };
}

export function sopClassOf(dataset: DicomDataset): string {
  return dataset.string('SOPClassUID') ?? dataset.string('MediaStorageSOPClassUID') ?? '';
}

export function isSegmentation(sopClassUID: string | undefined): boolean {
  return sopClassUID === SEGMENTATION_STORAGE || sopClassUID === LABELMAP_SEGMENTATION_STORAGE;
}
