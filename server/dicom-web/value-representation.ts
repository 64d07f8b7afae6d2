import { type DicomDataset, latin1, type StoredAttribute, trimPadding } from '../../src/dicom/datasets.ts';
import { dictionaryEntry, privateRepresentation } from './attribute-dictionary.ts';

/** What the representation of an attribute depends on besides itself. */
export interface RepresentationContext {
  /** Pixel Representation of the data set, else of the one around it. */
  readonly isSigned: boolean;
  /** Private creators of the data set, by group and block: "001910". */
  readonly creators: ReadonlyMap<string, string>;
}

const KNOWN_VRS = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(' '),
);

/** PS3.5 6.2.2: attributes of this length and above may be UN because an explicit VR has no room for their length. */
const MAX_SHORT_VALUE = 0xffff;

export function contextOf(dataset: DicomDataset, around?: RepresentationContext): RepresentationContext {
  const creators = new Map<string, string>();
  for (const { tag, bytes } of dataset.attributes()) {
    if (isPrivateCreator(tag)) creators.set(`${tag.slice(1, 5)}${tag.slice(7)}`, trimPadding(latin1(bytes)));
  }
  const own = dataset.number('PixelRepresentation');
  return { isSigned: own === undefined ? (around?.isSigned ?? false) : own === 1, creators };
}

/** The representation of an attribute: as stored, else as the data dictionary says (PS3.6; PS3.5 annex A for implicit
 * VR, 6.2.2 for UN). */
export function representationOf(attribute: StoredAttribute, context: RepresentationContext): string {
  const { vr: stored, bytes, isOpenEnded } = attribute;
  if (stored !== undefined && stored !== 'UN' && KNOWN_VRS.has(stored)) return stored;
  const tag = attribute.tag.slice(1).toUpperCase();
  if (isOpenEnded && stored === 'UN') return 'SQ';
  if (isPrivate(tag)) {
    if (isPrivateCreator(attribute.tag)) return 'LO';
    const creator = context.creators.get(`${attribute.tag.slice(1, 5)}${attribute.tag.slice(5, 7)}`);
    const known = creator === undefined ? undefined : privateRepresentation(tag, creator);
    return known ?? (isOpenEnded ? 'SQ' : 'UN');
  }
  const { vr } = dictionaryEntry(tag) ?? {};
  if (stored === 'UN' && bytes.length >= MAX_SHORT_VALUE && vr !== 'SQ') return 'UN';
  switch (vr) {
    case undefined:
      return isOpenEnded ? 'SQ' : 'UN';
    case 'ox':
      return 'OW';
    case 'xs':
      return context.isSigned ? 'SS' : 'US';
    case 'lt':
      // A table of one entry has it as a number, longer ones as words (PS3.3 C.11.1.1).
      return bytes.length === 2 ? 'US' : 'OW';
    default:
      return KNOWN_VRS.has(vr) ? vr : 'UN';
  }
}

function isPrivate(tag: string): boolean {
  return parseInt(tag.slice(0, 4), 16) % 2 === 1;
}

/** (gggg,0010) to (gggg,00FF) of an odd group. @param tag xggggeeee */
function isPrivateCreator(tag: string): boolean {
  return isPrivate(tag.slice(1)) && /^00[1-9a-f]/.test(tag.slice(5));
}
