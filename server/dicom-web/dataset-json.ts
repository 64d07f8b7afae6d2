import {
  decodeText,
  type DicomDataset,
  isEncodedText,
  isPixelDataTag,
  latin1,
  type StoredAttribute,
  trimEnd,
} from '../../src/dicom/datasets.ts';
import type { JsonAttribute, JsonDataset } from './dicom-json.ts';
import { inLittleEndian } from './little-endian.ts';
import { LONG_VALUE_BYTES } from './object-file.ts';
import { contextOf, representationOf, type RepresentationContext } from './value-representation.ts';

/** What comes behind so many bytes of one object is not inlined: as text and objects they take several times their size. */
const MAX_INLINE_BYTES = 2 << 20;
/** What queries tell of is short; a longer value is none of it. */
const MAX_INDEXED_BYTES = 16 << 10;

/** Makes the DICOM JSON model of a data set: text in UTF-8, numbers as numbers, long values and pixel data by their
 * address. Left out are the file's meta information and group lengths, which describe the file and not the data set.
 * @param urlOf the address of a value by its path, "7FE00010" or "00880200/1/7FE00010"
 * @throws InputError `damaged-file`, `limit-exceeded` from sequences, which are parsed here
 * @see DICOM PS3.18 annex F */
export function datasetToJson(dataset: DicomDataset, urlOf: (path: string) => string): JsonDataset {
  return toJson(dataset, { urlOf, path: '', around: undefined, room: { bytes: MAX_INLINE_BYTES } });
}

/** Some attributes of a data set, without its sequences.
 * @param tags eight hexadecimal digits in capitals */
export function pickAttributes(dataset: DicomDataset, tags: ReadonlySet<string>): JsonDataset {
  const context = contextOf(dataset);
  const entries = dataset.attributes().flatMap((attribute) => {
    const tag = attribute.tag.slice(1).toUpperCase();
    if (!tags.has(tag) || attribute.isOpenEnded || attribute.bytes.length > MAX_INDEXED_BYTES) return [];
    const vr = representationOf(attribute, context);
    if (vr === 'SQ' || isBinary(vr)) return [];
    return [[tag, valuesToJson(attribute, vr, dataset.characterSet)] as const];
  });
  return Object.fromEntries(entries);
}

/** A value that is neither a sequence nor the pixel data of its object. */
export interface SingleValue {
  /** As stored. */
  readonly bytes: Uint8Array;
  readonly vr: string;
  readonly littleEndian: boolean;
  /** Of text that is not ASCII. */
  readonly characterSet: string | undefined;
}

/** Finds one value.
 * @param path as given to `urlOf`
 * @returns undefined if there is none */
export function valueAt(dataset: DicomDataset, path: readonly string[]): SingleValue | undefined {
  const [tag, item, ...rest] = path;
  const context = contextOf(dataset);
  const attribute = dataset.attributes().find((each) => each.tag.slice(1).toUpperCase() === tag);
  if (attribute === undefined || isPixelDataAtTop(attribute, '')) return undefined;
  const vr = representationOf(attribute, context);
  if (item !== undefined) {
    const inner = vr === 'SQ' ? itemsOf(attribute)?.[Number(item) - 1] : undefined;
    return inner === undefined ? undefined : valueAt(inner, rest);
  }
  if (vr === 'SQ' || attribute.isOpenEnded) return undefined;
  const { bytes, littleEndian } = attribute;
  return { bytes, vr, littleEndian, characterSet: isEncodedText(vr) ? dataset.characterSet : undefined };
}

interface Place {
  readonly urlOf: (path: string) => string;
  /** Of the sequence item, with a slash behind it. */
  readonly path: string;
  readonly around: RepresentationContext | undefined;
  /** Of what may still be inlined, shared by all places of an object. */
  readonly room: { bytes: number };
}

function toJson(dataset: DicomDataset, place: Place): JsonDataset {
  const context = contextOf(dataset, place.around);
  const json: Record<string, JsonAttribute> = {};
  for (const attribute of dataset.attributes()) {
    const tag = attribute.tag.slice(1).toUpperCase();
    if (tag.startsWith('0002') || tag.endsWith('0000')) continue;
    json[tag] = attributeToJson(attribute, tag, dataset, { ...place, around: context });
  }
  return json;
}

function attributeToJson(attribute: StoredAttribute, tag: string, dataset: DicomDataset, place: Place): JsonAttribute {
  const { bytes, littleEndian } = attribute;
  const url = (): string => place.urlOf(`${place.path}${tag}`);
  const vr = representationOf(attribute, place.around ?? contextOf(dataset));
  if (isPixelDataAtTop(attribute, place.path)) {
    return attribute.isOpenEnded || bytes.length > 0 ? { vr, BulkDataURI: url() } : { vr };
  }
  if (vr === 'SQ') {
    const items = itemsOf(attribute);
    // A value that says it is a sequence and is none stays what it is: bytes.
    if (items === undefined) return fits(bytes, place) ? inlineBinary(bytes, 'UN') : { vr: 'UN', BulkDataURI: url() };
    const Value = items.map((item, at) => toJson(item, { ...place, path: `${place.path}${tag}/${at + 1}/` }));
    return Value.length === 0 ? { vr } : { vr, Value };
  }
  if (!fits(bytes, place)) return { vr, BulkDataURI: url() };
  if (isBinary(vr)) return inlineBinary(inLittleEndian(bytes, vr, littleEndian), vr);
  // What is answered is in UTF-8, whatever the file is in (PS3.18 F.2).
  if (tag === '00080005' && bytes.length > 0) return { vr: 'CS', Value: ['ISO_IR 192'] };
  return valuesToJson(attribute, vr, dataset.characterSet);
}

/** Undefined if the bytes of what is stored as UN are no sequence.
 * @throws InputError for a damaged one that is stored as a sequence */
function itemsOf(attribute: StoredAttribute): DicomDataset[] | undefined {
  if (attribute.vr !== 'UN' || attribute.isOpenEnded) return attribute.items();
  try {
    return attribute.items();
  } catch {
    return undefined;
  }
}

function isPixelDataAtTop({ tag }: StoredAttribute, path: string): boolean {
  return path === '' && isPixelDataTag(tag);
}

const BINARY_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN']);

function isBinary(vr: string): boolean {
  return BINARY_VRS.has(vr);
}

/** Takes the room for a value, if there is room. */
function fits({ length }: Uint8Array, { room }: Place): boolean {
  if (length > LONG_VALUE_BYTES || length > room.bytes) return false;
  room.bytes -= length;
  return true;
}

function inlineBinary(bytes: Uint8Array, vr: string): JsonAttribute {
  if (bytes.length === 0) return { vr };
  return { vr, InlineBinary: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') };
}

type JsonValue = string | number | { readonly Alphabetic?: string; Ideographic?: string; Phonetic?: string } | null;

function valuesToJson(attribute: StoredAttribute, vr: string, characterSet: string | undefined): JsonAttribute {
  const values = NUMBERS[vr] === undefined ? textValues(attribute, vr, characterSet) : numberValues(attribute, vr);
  // An empty value among others is null (PS3.18 F.2.5).
  return values.every((value) => value === null) ? { vr } : { vr, Value: values };
}

/** Text that backslashes do not part (PS3.5 6.2). */
const SINGLE_VALUE_VRS = new Set(['ST', 'LT', 'UT', 'UR']);

function textValues({ bytes }: StoredAttribute, vr: string, characterSet: string | undefined): JsonValue[] {
  const text = isEncodedText(vr) ? decodeText(bytes, characterSet, vr) : latin1(bytes);
  const values = SINGLE_VALUE_VRS.has(vr) ? [text] : text.split('\\');
  return values.map((value) => {
    const trimmed = vr === 'AE' ? withoutPadding(value).trimStart() : withoutPadding(value);
    if (trimmed === '') return null;
    if (vr === 'PN') return nameToJson(trimmed);
    return vr === 'DS' || vr === 'IS' ? decimalToJson(trimmed) : trimmed;
  });
}

/** A number; what is none stays text, as the file says it (PS3.18 table F.2.3-1 allows both). */
function decimalToJson(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) && text.trim() !== '' ? number : text;
}

/** Groups of a name (PS3.5 6.2.1). */
function nameToJson(text: string): JsonValue {
  const [alphabetic = '', ideographic = '', phonetic = ''] = text.split('=').map(withoutPadding);
  if (alphabetic === '' && ideographic === '' && phonetic === '') return null;
  return {
    ...(alphabetic === '' ? {} : { Alphabetic: alphabetic }),
    ...(ideographic === '' ? {} : { Ideographic: ideographic }),
    ...(phonetic === '' ? {} : { Phonetic: phonetic }),
  };
}

/** Without the spaces and nulls that pad a value. */
function withoutPadding(text: string): string {
  return trimEnd(text, ' \0');
}

interface NumberReader {
  readonly byteLength: number;
  readonly at: (view: DataView, offset: number, littleEndian: boolean) => string | number | bigint;
}

const NUMBERS: Readonly<Record<string, NumberReader | undefined>> = {
  US: { byteLength: 2, at: (view, offset, little) => view.getUint16(offset, little) },
  SS: { byteLength: 2, at: (view, offset, little) => view.getInt16(offset, little) },
  UL: { byteLength: 4, at: (view, offset, little) => view.getUint32(offset, little) },
  SL: { byteLength: 4, at: (view, offset, little) => view.getInt32(offset, little) },
  UV: { byteLength: 8, at: (view, offset, little) => view.getBigUint64(offset, little) },
  SV: { byteLength: 8, at: (view, offset, little) => view.getBigInt64(offset, little) },
  FL: { byteLength: 4, at: (view, offset, little) => view.getFloat32(offset, little) },
  FD: { byteLength: 8, at: (view, offset, little) => view.getFloat64(offset, little) },
  AT: {
    byteLength: 4,
    at: (view, offset, little) => hex(view.getUint16(offset, little)) + hex(view.getUint16(offset + 2, little)),
  },
};

function numberValues({ bytes, littleEndian }: StoredAttribute, vr: string): JsonValue[] {
  const reader = NUMBERS[vr];
  if (reader === undefined) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / reader.byteLength) }, (_, index): JsonValue => {
    const value = reader.at(view, index * reader.byteLength, littleEndian);
    if (typeof value === 'string') return value;
    // JSON has no infinities; a number of 64 bits that a double cannot hold is text (table F.2.3-1).
    if (typeof value === 'number') return Number.isFinite(value) ? value : null;
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  });
}

function hex(word: number): string {
  return word.toString(16).toUpperCase().padStart(4, '0');
}
