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

/** A segment of one labelmap: what it is, how it was made, and the identity that survives corrections. */
export interface Segment extends SegmentDescription {
  readonly algorithmType: SegmentAlgorithmType;
  /** Required unless MANUAL. */
  readonly algorithmName?: string;
  readonly trackingID: string;
  readonly trackingUID: string;
}
