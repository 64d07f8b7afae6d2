import type { CodedConcept, SegmentDescription } from '../../../src/index.ts';

/** What a segment is. */
export type SegmentCodes = Pick<
  SegmentDescription,
  'segmentedPropertyCategory' | 'segmentedPropertyType' | 'segmentedPropertyTypeModifier'
>;

/** Codes for a segment that was drawn by hand, by its whole name; whatever else a name says is tissue, as dcmqi's and
 * 3D Slicer's default is: a wrong code would be worse than a general one. */
export function codesOfName(name: string): SegmentCodes {
  const words = name
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '' && word !== 'the');
  const side = words.find((word) => word === 'left' || word === 'right');
  const whole = structureOf(words);
  if (whole !== undefined) return whole;
  const part = structureOf(words.filter((word) => word !== side));
  if (side === undefined || part === undefined || !PAIRED.has(part.segmentedPropertyType.codeValue)) return TISSUE;
  return { ...part, segmentedPropertyTypeModifier: SIDES[side] };
}

/** Also in OHIF's code for everything, of SNOMED RT, which DICOM has retired. */
export function isTissue({ codeValue, codingSchemeDesignator }: CodedConcept): boolean {
  return (
    codeValue === TISSUE.segmentedPropertyType.codeValue ||
    (codingSchemeDesignator === 'SRT' && codeValue === 'T-D0050')
  );
}

function structureOf(words: readonly string[]): SegmentCodes | undefined {
  const code = STRUCTURES[[...words].sort().join(' ')];
  if (code === undefined) return undefined;
  const [codeValue, codeMeaning] = code;
  return {
    segmentedPropertyCategory: codeValue === LESION ? MORPHOLOGICALLY_ALTERED : ANATOMICAL_STRUCTURE,
    segmentedPropertyType: sct(codeValue, codeMeaning),
  };
}

function sct(codeValue: string, codeMeaning: string): CodedConcept {
  return { codeValue, codingSchemeDesignator: 'SCT', codeMeaning };
}

const ANATOMICAL_STRUCTURE = sct('91723000', 'Anatomical Structure');
const MORPHOLOGICALLY_ALTERED = sct('49755003', 'Morphologically Altered Structure');
const TISSUE: SegmentCodes = {
  segmentedPropertyCategory: sct('85756007', 'Tissue'),
  segmentedPropertyType: sct('85756007', 'Tissue'),
};
const SIDES = { left: sct('7771000', 'Left'), right: sct('24028007', 'Right') };
const LESION = '52988006';
/** Kidney and adrenal gland. */
const PAIRED: ReadonlySet<string> = new Set(['64033007', '23451007']);

/** The names' words in alphabetical order, to the code. */
const STRUCTURES: Readonly<Record<string, readonly [codeValue: string, codeMeaning: string] | undefined>> = {
  liver: ['10200004', 'Liver'],
  spleen: ['78961009', 'Spleen'],
  kidney: ['64033007', 'Kidney'],
  gallbladder: ['28231008', 'Gallbladder'],
  esophagus: ['32849002', 'Esophagus'],
  oesophagus: ['32849002', 'Esophagus'],
  stomach: ['69695003', 'Stomach'],
  aorta: ['15825003', 'Aorta'],
  'cava inferior vena': ['64131007', 'Inferior vena cava'],
  pancreas: ['15776009', 'Pancreas'],
  'adrenal gland': ['23451007', 'Adrenal gland'],
  'right ventricle': ['53085002', 'Right ventricle'],
  'left ventricle': ['87878005', 'Left ventricle'],
  'left myocardium ventricular': ['74281007', 'Myocardium'],
  myocardium: ['74281007', 'Myocardium'],
  lesion: [LESION, 'Lesion'],
};
