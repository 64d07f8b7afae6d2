import { DICOM_DICTIONARY } from './dicom-dictionary.ts';
import { assertWithinLimit, type ReadLimits } from './read-limits.ts';

/** One attribute as it lies in a file's bytes. */
export interface DicomElement {
  /** xGGGGEEEE */
  readonly tag: string;
  /** As stored; undefined in implicit VR. */
  readonly vr?: string | undefined;
  readonly dataOffset: number;
  /** Bytes of the value, delimiters included; UNDEFINED_LENGTH for encapsulated pixel data. */
  readonly length: number;
  /** How the items of a sequence are encoded, where that is not as the data set around it: UN is implicit. */
  readonly itemEncoding?: DicomEncoding;
}

export type DicomElements = Readonly<Record<string, DicomElement>>;

export interface DicomEncoding {
  readonly isImplicit: boolean;
  readonly littleEndian: boolean;
}

/** What parsing one file has used up of its limits. */
export interface ParseBudget {
  readonly limits: ReadLimits;
  /** For messages. */
  readonly name: string;
  elements: number;
}

export const UNDEFINED_LENGTH = 0xffffffff;
const PIXEL_DATA_TAGS = new Set<string>([
  DICOM_DICTIONARY.PixelData[0],
  DICOM_DICTIONARY.FloatPixelData[0],
  DICOM_DICTIONARY.DoubleFloatPixelData[0],
]);
const IMPLICIT_LITTLE: DicomEncoding = { isImplicit: true, littleEndian: true };
/** Representations with two reserved bytes and a four-byte length (PS3.5 7.1.2). */
const LONG_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const ITEM = 0xfffee000;
const ITEM_DELIMITATION = 0xfffee00d;
const SEQUENCE_DELIMITATION = 0xfffee0dd;

/** Finds the attributes of a data set, up to its pixel data: what follows is padding and signatures. Sequences are
 * stepped over, not read: {@link parseItems} does that when it is asked for them.
 * @param start of the first attribute
 * @param isFileMeta stops after group 2, not at the end of the bytes
 * @returns where it ended
 * @throws Error with the reason if the bytes end within an attribute; InputError `limit-exceeded` */
export function parseElements(
  bytes: Uint8Array,
  start: number,
  encoding: DicomEncoding,
  budget: ParseBudget,
  isFileMeta = false,
): { readonly elements: DicomElements; readonly end: number } {
  const reader = new ElementReader(bytes, bytes.length, encoding, budget);
  reader.position = start;
  const elements: Record<string, DicomElement> = {};
  while (reader.position < bytes.length) {
    if (isFileMeta && reader.peekGroup() !== 0x0002) break;
    const element = reader.readElement(0);
    if (element === undefined) throw new Error(`an item ends at byte ${reader.position} that never began`);
    elements[element.tag] = element;
    if (PIXEL_DATA_TAGS.has(element.tag)) break;
  }
  return { elements, end: reader.position };
}

/** The items of a sequence, each with its attributes.
 * @param depth of the sequence: 1 at the top
 * @throws as {@link parseElements} */
export function parseItems(
  bytes: Uint8Array,
  { dataOffset, length, itemEncoding }: DicomElement,
  encoding: DicomEncoding,
  budget: ParseBudget,
  depth: number,
): { readonly elements: DicomElements; readonly encoding: DicomEncoding }[] {
  const own = itemEncoding ?? encoding;
  const reader = new ElementReader(bytes, Math.min(bytes.length, dataOffset + length), own, budget);
  reader.position = dataOffset;
  const items: { elements: DicomElements; encoding: DicomEncoding }[] = [];
  reader.readItems(depth, (elements) => items.push({ elements, encoding: own }));
  return items;
}

export function isPixelDataTag(tag: string): boolean {
  return PIXEL_DATA_TAGS.has(tag);
}

class ElementReader {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #end: number;
  readonly #encoding: DicomEncoding;
  readonly #budget: ParseBudget;

  constructor(bytes: Uint8Array, end: number, encoding: DicomEncoding, budget: ParseBudget) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = end;
    this.#encoding = encoding;
    this.#budget = budget;
  }

  peekGroup(): number {
    this.#require(2);
    return this.#view.getUint16(this.position, this.#encoding.littleEndian);
  }

  /** @returns undefined at the end of an item, which is consumed */
  readElement(depth: number): DicomElement | undefined {
    this.#count();
    const tag = this.#readTag();
    if (tag === ITEM_DELIMITATION) {
      this.#readUint32();
      return undefined;
    }
    const { vr, length } = this.#readLength();
    const name = tagName(tag);
    const dataOffset = this.position;
    const isPixelData = depth === 0 && PIXEL_DATA_TAGS.has(name);
    if (isPixelData) {
      this.position = length === UNDEFINED_LENGTH ? this.#end : Math.min(this.#end, dataOffset + length);
      return { tag: name, vr, dataOffset, length };
    }
    const itemEncoding = vr === 'UN' ? { itemEncoding: IMPLICIT_LITTLE } : {};
    if (length === UNDEFINED_LENGTH) {
      const encoding = vr === 'UN' ? IMPLICIT_LITTLE : this.#encoding;
      this.#skipUndefined(vr, encoding, depth + 1);
      return { tag: name, vr, dataOffset, length: this.position - dataOffset, ...itemEncoding };
    }
    this.#require(length);
    this.position += length;
    return { tag: name, vr, dataOffset, length, ...itemEncoding };
  }

  /** Reads items up to the end or the delimiter of the sequence.
   * @returns whether there was a delimiter */
  readItems(depth: number, onItem?: (elements: DicomElements) => void): boolean {
    assertWithinLimit(depth, 'sequenceDepth', this.#budget.limits, {
      name: this.#budget.name,
      what: 'sequences within each other',
    });
    while (this.position < this.#end) {
      this.#count();
      const tag = this.#readTag();
      const length = this.#readUint32();
      if (tag === SEQUENCE_DELIMITATION) return true;
      if (tag !== ITEM) throw new Error(`a sequence has no item at byte ${this.position - 8}`);
      this.#readItem(length, depth, onItem);
    }
    return false;
  }

  #readItem(length: number, depth: number, onItem: ((elements: DicomElements) => void) | undefined): void {
    const isOpenEnded = length === UNDEFINED_LENGTH;
    if (!isOpenEnded) this.#require(length);
    if (!isOpenEnded && onItem === undefined) {
      this.position += length;
      return;
    }
    const endOfSequence = this.#end;
    if (!isOpenEnded) this.#end = this.position + length;
    const elements: Record<string, DicomElement> = {};
    let isOpen = true;
    while (isOpen && this.position < this.#end) {
      const element = this.readElement(depth);
      if (element === undefined) isOpen = false;
      else elements[element.tag] = element;
    }
    if (isOpen && isOpenEnded) throw new Error('it ends within a sequence');
    if (!isOpenEnded) this.position = this.#end;
    this.#end = endOfSequence;
    onItem?.(elements);
  }

  /** Steps over a value of undefined length: a sequence, or the fragments of an icon's pixel data. */
  #skipUndefined(vr: string | undefined, encoding: DicomEncoding, depth: number): void {
    if (vr === 'OB' || vr === 'OW') {
      while (this.position < this.#end) {
        const tag = this.#readTag();
        const length = this.#readUint32();
        if (tag === SEQUENCE_DELIMITATION) return;
        this.#require(length);
        this.position += length;
      }
      throw new Error('it ends within compressed pixel data');
    }
    const isOwn = encoding === this.#encoding;
    const reader = isOwn ? this : new ElementReader(this.#bytes, this.#end, encoding, this.#budget);
    reader.position = this.position;
    if (!reader.readItems(depth)) throw new Error('it ends within a sequence');
    this.position = reader.position;
  }

  #readTag(): number {
    this.#require(8);
    const { littleEndian } = this.#encoding;
    const group = this.#view.getUint16(this.position, littleEndian);
    const element = this.#view.getUint16(this.position + 2, littleEndian);
    this.position += 4;
    return group * 0x10000 + element;
  }

  #readLength(): { readonly vr: string | undefined; readonly length: number } {
    const [a = 0, b = 0] = this.#bytes.subarray(this.position, this.position + 2);
    // Some writers fall back to implicit VR within explicit files.
    if (this.#encoding.isImplicit || !isCapital(a) || !isCapital(b)) {
      return { vr: undefined, length: this.#readUint32() };
    }
    const vr = String.fromCharCode(a, b);
    this.position += 4;
    if (LONG_VRS.has(vr)) return { vr, length: this.#readUint32() };
    return { vr, length: this.#view.getUint16(this.position - 2, this.#encoding.littleEndian) };
  }

  #readUint32(): number {
    this.#require(4);
    this.position += 4;
    return this.#view.getUint32(this.position - 4, this.#encoding.littleEndian);
  }

  #require(byteLength: number): void {
    if (this.position + byteLength > this.#end) throw new Error('it ends within an attribute');
  }

  #count(): void {
    const { limits, name } = this.#budget;
    this.#budget.elements++;
    if (this.#budget.elements > limits.elements) {
      assertWithinLimit(this.#budget.elements, 'elements', limits, { name, what: 'attributes and items' });
    }
  }
}

function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

function tagName(tag: number): string {
  return `x${tag.toString(16).padStart(8, '0')}`;
}
