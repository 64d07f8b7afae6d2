import { InputError } from '../errors.ts';
import type { Notice } from '../volume/volume.ts';
import { damagedFile, DEFAULT_READ_LIMITS } from '../io/read-limits.ts';
import { DICOM_DICTIONARY, type DicomKeyword } from './dicom-dictionary.ts';
import {
  type DicomElement,
  type DicomElements,
  type DicomEncoding,
  isPixelDataTag,
  type ParseBudget,
  parseItems,
  UNDEFINED_LENGTH,
} from './dicom-elements.ts';
import { BINARY_NUMBERS, decodeText, isEncodedText, latin1, trimPadding } from './dicom-values.ts';

/** Where a file's pixel data lies: its value bytes, or the first item of encapsulated pixel data. */
export interface PixelDataLocation {
  readonly keyword: 'PixelData' | 'FloatPixelData' | 'DoubleFloatPixelData';
  readonly dataOffset: number;
  /** Bytes of the value; undefined for encapsulated (undefined length) pixel data. */
  readonly byteLength: number | undefined;
  /** As stored; undefined in implicit VR. */
  readonly vr?: string | undefined;
}

const PIXEL_DATA_KEYWORDS = ['PixelData', 'FloatPixelData', 'DoubleFloatPixelData'] as const;

/** Read access to one data set or sequence item, by DICOM keyword. Values are decoded when asked for. */
export class DicomDataset {
  readonly transferSyntaxUID: string;
  readonly #bytes: Uint8Array;
  readonly #elements: DicomElements;
  readonly #context: DatasetContext;
  readonly #characterSet: string | undefined;

  /** Use {@link parseDicom}. */
  constructor(
    bytes: Uint8Array,
    elements: DicomElements,
    transferSyntaxUID: string,
    context: DatasetContext = topLevel(),
  ) {
    this.#bytes = bytes;
    this.#elements = elements;
    this.transferSyntaxUID = transferSyntaxUID;
    this.#context = context;
    const own = this.bytes('SpecificCharacterSet');
    this.#characterSet = own === undefined ? context.characterSet : trimPadding(latin1(own));
  }

  /** Specific Character Set that its text is in, its own or that of the data set around it. */
  get characterSet(): string | undefined {
    return this.#characterSet;
  }

  /** Every attribute as it lies in the file, by ascending tag; pixel data as {@link pixelData} tells of it. */
  attributes(): StoredAttribute[] {
    const { encoding } = this.#context;
    return Object.values(this.#elements)
      .toSorted((a, b) => (a.tag < b.tag ? -1 : 1))
      .map((element) => {
        const { tag, vr, dataOffset, length } = element;
        const isEncapsulated = length === UNDEFINED_LENGTH;
        const isOpenEnded = isEncapsulated || this.#hasUndefinedLength(dataOffset);
        // The delimiter of the sequence belongs to no value.
        const end = isEncapsulated ? dataOffset : dataOffset + length - (isOpenEnded ? DELIMITER_BYTES : 0);
        return {
          tag,
          vr,
          bytes: this.#bytes.subarray(dataOffset, Math.max(dataOffset, end)),
          isOpenEnded,
          // Little endian whatever is around it: a program that did not know the attribute passed it on (PS3.5 6.2.2).
          littleEndian: vr === 'UN' || encoding.littleEndian,
          items: () => this.#itemsOf(element),
        };
      });
  }

  /** Whether the attribute is present with a value. */
  has(keyword: DicomKeyword): boolean {
    return (this.#element(keyword)?.length ?? 0) > 0;
  }

  /** Whether the attribute is present, if only without a value. */
  includes(keyword: DicomKeyword): boolean {
    return this.#element(keyword) !== undefined;
  }

  /** What was read otherwise than the file has it, in the whole file and so far: values are decoded when asked for. */
  get warnings(): readonly Notice[] {
    return this.#context.warnings;
  }

  /** The whole value as text, padding removed, backslashes kept, a decimal comma as a point; undefined if absent or
   * empty. */
  text(keyword: DicomKeyword): string | undefined {
    const bytes = this.bytes(keyword);
    if (bytes === undefined) return undefined;
    const vr = this.#vr(keyword);
    const text = isEncodedText(vr) ? decodeText(bytes, this.#characterSet, vr) : latin1(bytes);
    const trimmed = trimPadding(text);
    if (trimmed === '') return undefined;
    return vr === 'DS' && trimmed.includes(',') ? this.#withPoints(trimmed, keyword) : trimmed;
  }

  /** The values as text, verbatim but for padding; none if absent or empty. */
  strings(keyword: DicomKeyword): string[] {
    return this.text(keyword)?.split('\\').map(trimPadding) ?? [];
  }

  /** The first value as text; undefined if absent or empty. */
  string(keyword: DicomKeyword): string | undefined {
    const [first] = this.strings(keyword);
    return first === '' ? undefined : first;
  }

  /** The values as numbers, NaN where one is malformed; AT as 0xGGGGEEEE. None if absent or empty. */
  numbers(keyword: DicomKeyword): number[] {
    const vr = this.#vr(keyword);
    if (vr === 'DS' || vr === 'IS') {
      return this.strings(keyword).map((value) => (value === '' ? NaN : Number(value)));
    }
    const bytes = this.bytes(keyword);
    if (bytes === undefined) return [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = BINARY_NUMBERS[vr];
    if (read === undefined) return [NaN];
    return Array.from({ length: Math.floor(bytes.length / read.byteLength) }, (_, index) =>
      read.at(view, index * read.byteLength, this.#context.encoding.littleEndian),
    );
  }

  /** The first value as a number; undefined if absent, empty or malformed. */
  number(keyword: DicomKeyword): number | undefined {
    const [value] = this.numbers(keyword);
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** The items of a sequence; none if absent or empty.
   * @throws InputError `damaged-file`, `limit-exceeded`: sequences are parsed when they are asked for */
  items(keyword: DicomKeyword): DicomDataset[] {
    const element = this.#element(keyword);
    return element === undefined ? [] : this.#itemsOf(element);
  }

  #itemsOf(element: DicomElement): DicomDataset[] {
    if (element.length === 0) return [];
    const depth = this.#context.depth + 1;
    const { budget, encoding } = this.#context;
    const items = orDamaged(budget.name, () => parseItems(this.#bytes, element, encoding, budget, depth));
    return items.map(
      (item) =>
        new DicomDataset(this.#bytes, item.elements, this.transferSyntaxUID, {
          encoding: item.encoding,
          budget,
          depth,
          characterSet: this.#characterSet,
          warnings: this.#context.warnings,
        }),
    );
  }

  /** The value's bytes as stored, a view; undefined if absent or empty. Not for pixel data. */
  bytes(keyword: DicomKeyword): Uint8Array | undefined {
    const element = this.#element(keyword);
    if (element === undefined || element.length === 0) return undefined;
    return this.#bytes.subarray(element.dataOffset, element.dataOffset + element.length);
  }

  /** Where the pixel data lie in the file; undefined without any. */
  get pixelData(): PixelDataLocation | undefined {
    for (const keyword of PIXEL_DATA_KEYWORDS) {
      const element = this.#element(keyword);
      if (element === undefined) continue;
      const byteLength = element.length === UNDEFINED_LENGTH ? undefined : element.length;
      return { keyword, dataOffset: element.dataOffset, byteLength, vr: element.vr };
    }
    return undefined;
  }

  /** Whether parsing ended at pixel data of any kind, not at the end of the bytes. */
  get reachedPixelData(): boolean {
    return Object.keys(this.#elements).some(isPixelDataTag);
  }

  /** The length is the last field before the value (PS3.5 7.1.2), as long as this where it may be undefined. */
  #hasUndefinedLength(dataOffset: number): boolean {
    const field = this.#bytes.subarray(Math.max(0, dataOffset - 4), dataOffset);
    return field.length === 4 && field.every((byte) => byte === 0xff);
  }

  #element(keyword: DicomKeyword): DicomElement | undefined {
    return this.#elements[DICOM_DICTIONARY[keyword][0]];
  }

  /** Some writers take the decimal sign of their locale; PS3.5 6.2 knows the point alone. */
  #withPoints(text: string, keyword: DicomKeyword): string {
    const numbers = text.split('\\').map((value) => value.replace(DECIMAL_COMMA, '$1.$2'));
    const { warnings, budget } = this.#context;
    const message = `${budget.name} has a decimal comma in ${keyword}: it was read as a point.`;
    const isNew = numbers.join('\\') !== text && !warnings.some((warning) => warning.message === message);
    if (isNew) warnings.push({ code: 'decimal-comma', message });
    return numbers.join('\\');
  }

  #vr(keyword: DicomKeyword): string {
    const [, vr] = DICOM_DICTIONARY[keyword];
    const stored = this.#element(keyword)?.vr;
    return stored === undefined || stored === 'UN' ? vr : stored;
  }
}

/** A number of one comma and no point; two commas may be anything. */
const DECIMAL_COMMA = /^(\s*[+-]?\d+),(\d*(?:[eE][+-]?\d+)?\s*)$/;

/** An attribute as it lies in a file. */
export interface StoredAttribute {
  /** xggggeeee */
  readonly tag: string;
  /** As stored; undefined in implicit VR. */
  readonly vr: string | undefined;
  /** The value, a view, without the delimiter of one whose length is undefined; none of encapsulated pixel data. */
  readonly bytes: Uint8Array;
  /** Whether its length is undefined: a sequence, or encapsulated pixel data. */
  readonly isOpenEnded: boolean;
  readonly littleEndian: boolean;
  /** Of a sequence, also of one that is stored as UN.
   * @throws InputError `damaged-file`, `limit-exceeded` */
  readonly items: () => DicomDataset[];
}

const DELIMITER_BYTES = 8;

/** What a data set has from the one around it. */
interface DatasetContext {
  readonly encoding: DicomEncoding;
  readonly budget: ParseBudget;
  /** Sequences around it. */
  readonly depth: number;
  readonly characterSet?: string | undefined;
  /** Of the whole file. */
  readonly warnings: Notice[];
}

function topLevel(): DatasetContext {
  const budget = { limits: DEFAULT_READ_LIMITS, name: 'The data set', elements: 0 };
  return { encoding: { isImplicit: false, littleEndian: true }, budget, depth: 0, warnings: [] };
}

/** What parsing throws as a typed error.
 * @throws InputError `damaged-file`, or the one that was thrown */
export function orDamaged<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw damagedFile(name, error instanceof Error ? error.message : 'its attributes cannot be parsed', error);
  }
}
