import { deflateRawSync } from 'node:zlib';
import { concatenate as joined } from '../../src/io/bytes.ts';
import { DICOM_DICTIONARY, type DicomKeyword } from '../../src/dicom/dicom-dictionary.ts';

type DicomValue = string | number | readonly (string | number)[] | Uint8Array | readonly DicomAttributes[];
export type DicomAttributes = Readonly<Partial<Record<DicomKeyword, DicomValue | undefined>>>;

export const EXPLICIT = '1.2.840.10008.1.2.1';
export const IMPLICIT = '1.2.840.10008.1.2';
export const BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';

/** Encodes a Part 10 file. Text is Latin-1; give bytes for other character sets, several for encapsulated fragments.
 * @param attributes an undefined value leaves the attribute out */
export function encodePart10(
  attributes: DicomAttributes,
  {
    transferSyntaxUID = EXPLICIT,
    fragments,
    undefinedLengths = false,
  }: {
    transferSyntaxUID?: string;
    /** Encapsulated pixel data, without the offset table. */
    fragments?: readonly Uint8Array[];
    /** Sequences and items of undefined length. */
    undefinedLengths?: boolean;
  } = {},
): Uint8Array {
  const encoding = {
    isImplicit: transferSyntaxUID === IMPLICIT,
    littleEndian: transferSyntaxUID !== BIG_ENDIAN,
    undefinedLengths,
  };
  const body = joined([
    ...encodeAttributes(attributes, encoding),
    ...(fragments === undefined ? [] : encapsulated(fragments)),
  ]);
  return joined([
    new Uint8Array(128),
    latin1('DICM'),
    ...encodeAttributes(
      { TransferSyntaxUID: transferSyntaxUID },
      { isImplicit: false, littleEndian: true, undefinedLengths },
    ),
    transferSyntaxUID === DEFLATED ? padded(new Uint8Array(deflateRawSync(body)), 0) : body,
  ]);
}

interface Encoding {
  readonly isImplicit: boolean;
  readonly littleEndian: boolean;
  readonly undefinedLengths: boolean;
}

const LONG_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

function encodeAttributes(attributes: DicomAttributes, encoding: Encoding): Uint8Array[] {
  return (Object.entries(attributes) as [DicomKeyword, DicomValue | undefined][])
    .filter((entry): entry is [DicomKeyword, DicomValue] => entry[1] !== undefined)
    .toSorted(([a], [b]) => (DICOM_DICTIONARY[a][0] < DICOM_DICTIONARY[b][0] ? -1 : 1))
    .flatMap(([keyword, value]) => {
      const [tag, vr] = DICOM_DICTIONARY[keyword];
      const isUndefined = vr === 'SQ' && encoding.undefinedLengths;
      const bytes = encodeValue(value, vr, encoding);
      const length = isUndefined ? 0xffffffff : bytes.length;
      const end = isUndefined ? [item(0xe0dd, 0, encoding.littleEndian)] : [];
      return [elementHeader(tag, vr, length, encoding.isImplicit, encoding.littleEndian), bytes, ...end];
    });
}

/** Tag, VR (if explicit) and length of an element. */
export function elementHeader(
  tag: string,
  vr: string,
  length: number,
  isImplicit = false,
  littleEndian = true,
): Uint8Array {
  const hasLongLength = isImplicit || LONG_VRS.has(vr) || vr === 'OV';
  const bytes = new Uint8Array(hasLongLength && !isImplicit ? 12 : 8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, parseInt(tag.slice(1, 5), 16), littleEndian);
  view.setUint16(2, parseInt(tag.slice(5), 16), littleEndian);
  if (!isImplicit) bytes.set(latin1(vr), 4);
  if (hasLongLength) view.setUint32(bytes.length - 4, length, littleEndian);
  else view.setUint16(6, length, littleEndian);
  return bytes;
}

function encodeValue(value: DicomValue, vr: string, encoding: Encoding): Uint8Array {
  if (value instanceof Uint8Array) {
    const bytes = padded(value, vr === 'OB' ? 0 : 0x20);
    return vr === 'OW' && !encoding.littleEndian ? swappedWords(bytes) : bytes;
  }
  if (vr === 'SQ') return joined((value as readonly DicomAttributes[]).flatMap((each) => encodeItem(each, encoding)));
  const values = (Array.isArray(value) ? value : [value]) as readonly (string | number)[];
  const number = NUMBERS[vr];
  if (number === undefined) return padded(latin1(values.join('\\')), vr === 'UI' ? 0 : 0x20);
  const bytes = new Uint8Array(values.length * number.byteLength);
  const view = new DataView(bytes.buffer);
  values.forEach((each, n) => {
    number.set(view, n * number.byteLength, Number(each), encoding.littleEndian);
  });
  return bytes;
}

const NUMBERS: Readonly<
  Record<
    string,
    { byteLength: number; set: (view: DataView, at: number, value: number, littleEndian: boolean) => void } | undefined
  >
> = {
  US: {
    byteLength: 2,
    set: (view, at, value, littleEndian) => {
      view.setUint16(at, value, littleEndian);
    },
  },
  UL: {
    byteLength: 4,
    set: (view, at, value, littleEndian) => {
      view.setUint32(at, value, littleEndian);
    },
  },
  FL: {
    byteLength: 4,
    set: (view, at, value, littleEndian) => {
      view.setFloat32(at, value, littleEndian);
    },
  },
  FD: {
    byteLength: 8,
    set: (view, at, value, littleEndian) => {
      view.setFloat64(at, value, littleEndian);
    },
  },
  AT: {
    byteLength: 4,
    set: (view, at, value, littleEndian) => {
      view.setUint16(at, value >>> 16, littleEndian);
      view.setUint16(at + 2, value & 0xffff, littleEndian);
    },
  },
};

function encodeItem(attributes: DicomAttributes, encoding: Encoding): Uint8Array[] {
  const content = joined(encodeAttributes(attributes, encoding));
  const { littleEndian } = encoding;
  return encoding.undefinedLengths
    ? [item(0xe000, 0xffffffff, littleEndian), content, item(0xe00d, 0, littleEndian)]
    : [item(0xe000, content.length, littleEndian), content];
}

/** Pixel data of one fragment a frame, without an offset table. */
export function encapsulated(fragments: readonly Uint8Array[]): Uint8Array[] {
  const items = fragments.flatMap((bytes) => [item(0xe000, bytes.length + (bytes.length % 2)), padded(bytes, 0)]);
  return [elementHeader('x7fe00010', 'OB', 0xffffffff), item(0xe000, 0), ...items, item(0xe0dd, 0)];
}

function swappedWords(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, at) => bytes[at ^ 1] ?? 0);
}

function item(element: number, length: number, littleEndian = true): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xfffe, littleEndian);
  view.setUint16(2, element, littleEndian);
  view.setUint32(4, length, littleEndian);
  return bytes;
}

function padded(bytes: Uint8Array, padding: number): Uint8Array {
  return bytes.length % 2 === 0 ? bytes : joined([bytes, Uint8Array.of(padding)]);
}

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export { joined };
