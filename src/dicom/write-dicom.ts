import { InternalError } from '../errors.ts';
import { trimEnd } from '../io/bytes.ts';
import { DicomDataset } from './dicom-dataset.ts';
import { DICOM_DICTIONARY, type DicomKeyword } from './dicom-dictionary.ts';
import { EXPLICIT_LITTLE_ENDIAN } from './transfer-syntaxes.ts';

/** One attribute's value, as dcmjs writes it. AT is a number (0x0062000b), DS a string of at most 16 characters,
 * binary an exact ArrayBuffer, a sequence its items; an empty string is an attribute without a value. */
type DicomValue =
  string | number | ArrayBuffer | DicomAttributes | readonly string[] | readonly number[] | readonly DicomAttributes[];

/** A data set by keyword; attributes that are undefined are left out. */
export interface DicomAttributes {
  readonly [keyword: string]: DicomValue | undefined;
}

/** Ours: PS3.7 D.3.3.2. */
const IMPLEMENTATION_CLASS_UID = '2.25.124617046329414573190472218904136514403';

export interface WrittenFileMeta {
  /** One whose data set is in Explicit VR Little Endian; what is compressed are pixel data that follow. */
  readonly transferSyntaxUID: string;
  readonly implementationVersionName: string;
}

/** Loads what {@link encodePart10} needs, at a time when nobody waits for it. */
export async function preloadDicomWriter(): Promise<void> {
  await import('dcmjs');
}

/** Of the attributes whose representation depends on the pixels'; ours have no sign. */
const US_OR_SS = { PixelPaddingValue: 'US' };

/** Bytes of a Part 10 file: preamble, file meta information and the data set, which may be followed by elements of
 * higher tags. dcmjs is loaded at the first call: a page needs it only when something is saved.
 * @throws InternalError `internal` if a keyword is not in the dictionary: dcmjs would drop it with a warning */
export async function encodePart10(dataset: DicomAttributes, meta: WrittenFileMeta): Promise<Uint8Array> {
  const { default: dcmjs } = await import('dcmjs');
  const { DicomDict, DicomMetaDictionary } = dcmjs.data;
  assertKeywords(dataset, DicomMetaDictionary.nameMap);
  const file = new DicomDict(
    DicomMetaDictionary.denaturalizeDataset({
      FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
      MediaStorageSOPClassUID: dataset['SOPClassUID'],
      MediaStorageSOPInstanceUID: dataset['SOPInstanceUID'],
      TransferSyntaxUID: meta.transferSyntaxUID,
      ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
      ImplementationVersionName: meta.implementationVersionName.slice(0, 16),
    }),
  );
  file.dict = DicomMetaDictionary.denaturalizeDataset({ ...dataset, _vrMap: US_OR_SS });
  return new Uint8Array(file.write({ fragmentMultiframe: false }));
}

function assertKeywords(dataset: DicomAttributes, known: Readonly<Record<string, unknown>>): void {
  for (const [keyword, value] of Object.entries(dataset)) {
    if (known[keyword] === undefined) {
      throw new InternalError('internal', `${keyword} is no DICOM keyword.`, { remedy: 'Please report this.' });
    }
    for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (isItem(item)) assertKeywords(item, known);
    }
  }
}

function isItem(value: unknown): value is DicomAttributes {
  return typeof value === 'object' && value !== null && !(value instanceof ArrayBuffer);
}

/** Value representations with a two-byte length (PS3.5 7.1.2). */
type ShortVr = 'CS' | 'DS' | 'IS' | 'LO' | 'SH' | 'UI' | 'UL' | 'US';
/** Those with two reserved bytes and a four-byte length. */
type LongVr = 'OB' | 'OW' | 'SQ';

/** Longest value of a four-byte length: even, and not the undefined length. */
export const MAX_VALUE_LENGTH = 0xffff_fffe;

/** A data element in Explicit VR Little Endian with a text value, padded to even length (PS3.5 6.2). */
export function textElement(tag: number, vr: ShortVr, text: string): Uint8Array {
  const value = new TextEncoder().encode(text);
  const padded = new Uint8Array(value.length + (value.length % 2)).fill(vr === 'UI' ? 0x00 : 0x20);
  padded.set(value);
  return concatBytes([elementHeader(tag, vr, padded.length), padded]);
}

export function numberElement(tag: number, vr: 'UL' | 'US', values: readonly number[]): Uint8Array {
  const value = vr === 'UL' ? new Uint32Array(values) : new Uint16Array(values);
  return concatBytes([elementHeader(tag, vr, value.byteLength), new Uint8Array(value.buffer)]);
}

/** A sequence of explicit length whose items are given as their encoded elements, in ascending order of tags. */
export function sequenceElement(tag: number, items: readonly (readonly Uint8Array[])[]): Uint8Array {
  const encoded = items.flatMap((elements) => [itemHeader(byteLengthOf(elements)), ...elements]);
  return concatBytes([elementHeader(tag, 'SQ', byteLengthOf(encoded)), ...encoded]);
}

/** Tag, VR and length; the value, of even length, follows. */
export function elementHeader(tag: number, vr: ShortVr | LongVr, valueLength: number): Uint8Array {
  const long = vr === 'OB' || vr === 'OW' || vr === 'SQ';
  const header = new Uint8Array(long ? 12 : 8);
  const view = new DataView(header.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  header.set([vr.charCodeAt(0), vr.charCodeAt(1)], 4);
  if (long) view.setUint32(8, valueLength, true);
  else view.setUint16(6, valueLength, true);
  return header;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(byteLengthOf(parts));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function itemHeader(length: number): Uint8Array {
  const header = new Uint8Array([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  new DataView(header.buffer).setUint32(4, length, true);
  return header;
}

function byteLengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Attributes by DICOM keyword, as viewers hold them (dcmjs calls them naturalised): text, numbers or lists of either,
 * names as `{Alphabetic}`, sequences as lists of items. Attributes that are not read may hold anything. */
export type NaturalisedAttributes = Readonly<Record<string, unknown>>;

/** A data set of attributes that come from no file, without sequences. Its pixel data is present and empty: the pixels
 * are elsewhere. */
export function datasetOfAttributes(attributes: NaturalisedAttributes): DicomDataset {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const elements: Record<string, Element> = { [PIXEL_DATA]: { tag: PIXEL_DATA, length: 0, dataOffset: 0 } };
  let dataOffset = 0;
  const add = (keyword: DicomKeyword, value: unknown): void => {
    const [tag, vr] = DICOM_DICTIONARY[keyword];
    const text = textOf(value);
    if (text === undefined || vr === 'SQ' || tag === PIXEL_DATA) return;
    const bytes = encoder.encode(text);
    // Numbers are kept as the text that they are given in, which is how DS stores them.
    elements[tag] = { tag, vr: BINARY_VRS.has(vr) ? 'DS' : vr, length: bytes.length, dataOffset };
    parts.push(bytes);
    dataOffset += bytes.length;
  };
  for (const keyword of Object.keys(DICOM_DICTIONARY) as DicomKeyword[]) add(keyword, attributes[keyword]);
  add('SpecificCharacterSet', 'ISO_IR 192');
  return new DicomDataset(joined(parts, dataOffset), elements, EXPLICIT_LITTLE_ENDIAN);
}

interface Element {
  readonly tag: string;
  readonly length: number;
  readonly dataOffset: number;
  readonly vr?: string;
}

const PIXEL_DATA = DICOM_DICTIONARY.PixelData[0];
const BINARY_VRS = new Set(['US', 'SS', 'UL', 'SL', 'FL', 'FD']);

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const values = Array.from(value as ArrayLike<unknown>, (each) => textOf(each) ?? '');
    return values.length === 0 ? undefined : values.join('\\');
  }
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  // dcmjs gives text with its file's own form as a String object; names are groups of components.
  if (value instanceof String) return value.valueOf();
  const groups = ['Alphabetic', 'Ideographic', 'Phonetic'].map((group) => Reflect.get(value, group) as unknown);
  if (typeof groups[0] !== 'string') return undefined;
  return trimEnd(groups.map((group) => (typeof group === 'string' ? group : '')).join('='), '=');
}

function joined(parts: readonly Uint8Array[], byteLength: number): Uint8Array {
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
