import type { VolumeGeometry } from '../volume/geometry.ts';

/** Labels on a volume's grid: 0 is background, n the segment with segmentNumber n; i fastest. */
export interface Labelmap {
  readonly geometry: VolumeGeometry;
  readonly voxels: Uint8Array | Uint16Array;
  readonly segments: readonly Segment[];
}

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

/** sRGB, 0…255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** DICOM's 16-bit CIELab (PS3.3 C.10.7.1.1: white point D50) as an sRGB colour (white point D65, Bradford-adapted). */
export function cielabToColour([l16, a16, b16]: readonly [number, number, number]): Colour {
  const fy = ((l16 / 65535) * 100 + 16) / 116;
  const fx = fy + ((a16 / 65535) * 255 - 128) / 500;
  const fz = fy - ((b16 / 65535) * 255 - 128) / 200;
  const x = 0.96422 * labInverse(fx);
  const y = labInverse(fy);
  const z = 0.82521 * labInverse(fz);
  return [
    gamma(3.1338561 * x - 1.6168667 * y - 0.4906146 * z),
    gamma(-0.9787684 * x + 1.9161415 * y + 0.033454 * z),
    gamma(0.0719453 * x - 0.2289914 * y + 1.4052427 * z),
  ];
}

function labInverse(t: number): number {
  return t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29);
}

/** Linear light to an sRGB byte (IEC 61966-2-1). */
function gamma(linear: number): number {
  const clipped = Math.min(1, Math.max(0, linear));
  return Math.round(255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055));
}

/** The inverse: an sRGB colour as DICOM's CIELab. */
export function colourToCielab([red, green, blue]: Colour): [number, number, number] {
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const fx = labForward((0.4360747 * r + 0.3850649 * g + 0.1430804 * b) / 0.96422);
  const fy = labForward(0.2225045 * r + 0.7168786 * g + 0.0606169 * b);
  const fz = labForward((0.0139322 * r + 0.0971045 * g + 0.7141733 * b) / 0.82521);
  const [lightness, a, bStar] = [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
  const scaled = [(lightness / 100) * 65535, ((a + 128) / 255) * 65535, ((bStar + 128) / 255) * 65535] as const;
  return scaled.map((value) => Math.min(65535, Math.max(0, Math.round(value)))) as [number, number, number];
}

function labForward(t: number): number {
  return t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29;
}

/** An sRGB byte to linear light. */
function linear(byte: number): number {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
