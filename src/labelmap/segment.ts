/** A coded concept (PS3.3 table 8.8-1): SCT = SNOMED CT, DCM = PS3.16. */
export interface CodedConcept {
  readonly codeValue: string;
  readonly codingSchemeDesignator: string;
  readonly codeMeaning: string;
}

/** What a segment is, apart from any one run (PS3.3 C.8.20.4). */
export interface SegmentDescription {
  /** The label value in the labelmap = the class index of the model; 1 or more. */
  readonly segmentNumber: number;
  readonly segmentLabel: string;
  readonly segmentedPropertyCategory: CodedConcept;
  readonly segmentedPropertyType: CodedConcept;
  /** Laterality, or another modifier of the type. */
  readonly segmentedPropertyTypeModifier?: CodedConcept;
  readonly anatomicRegion?: CodedConcept;
  /** CIELab in DICOM's 16-bit encoding (PS3.3 C.10.7.1.1). */
  readonly recommendedDisplayCIELab: readonly [number, number, number];
}

export type SegmentAlgorithmType = 'AUTOMATIC' | 'SEMIAUTOMATIC' | 'MANUAL';

/** An algorithm that had a part in a segment (PS3.3 table 10-19). */
export interface SegmentAlgorithm {
  /** Of CID 7162: 123110 DCM "Artificial Intelligence". */
  readonly family: CodedConcept;
  readonly name: string;
  readonly version: string;
  readonly parameters?: string;
}

/** The family of algorithms (CID 7162) that says that a person edited a segment. */
export const MANUAL_PROCESSING: CodedConcept = {
  codeValue: '123109',
  codingSchemeDesignator: 'DCM',
  codeMeaning: 'Manual Processing',
};

/** A segment of one labelmap: what it is, how it was made, and the identity that survives corrections. */
export interface Segment extends SegmentDescription {
  readonly algorithmType: SegmentAlgorithmType;
  /** Required unless MANUAL. */
  readonly algorithmName?: string;
  /** As a stored segmentation says, the clinician's edit left out; absent where a model of ours has just made it. */
  readonly algorithms?: readonly SegmentAlgorithm[];
  /** A person changed by hand what an algorithm had made. */
  readonly isEdited?: true;
  readonly trackingID: string;
  readonly trackingUID: string;
}

/** The segment after a person changed its voxels: no longer automatic, its identity as before. */
export function editedSegment(segment: Segment): Segment {
  return segment.algorithmType === 'MANUAL' ? segment : { ...segment, algorithmType: 'SEMIAUTOMATIC', isEdited: true };
}
