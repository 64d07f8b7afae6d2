import { trimEnd } from '../io/trim-end.ts';
import { DicomDataset } from './dicom-dataset.ts';
import { DICOM_DICTIONARY, type DicomKeyword } from './dicom-dictionary.ts';
import { EXPLICIT_LITTLE_ENDIAN } from './transfer-syntaxes.ts';

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
