import dicomParser, { type ByteArrayParser, type Element } from 'dicom-parser';
import { assertWithinLimit, type ReadLimits } from '../io/read-limits.ts';

// dicom-parser at work, guarded: every read is checked against the end of what is read, every element is counted, and the
// library never descends into a sequence by itself, for it knows no limit of depth and none of time.

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

export interface DicomEncoding {
  readonly isImplicit: boolean;
  readonly littleEndian: boolean;
}

/** The bytes end within an attribute. */
export class CutOffError extends Error {
  /** Where the value begins and how long it is, if a value of the data set itself is cut off: not a head, not a value
   * within a sequence whose end is looked for. */
  readonly value: { readonly dataOffset: number; readonly byteLength: number } | undefined;

  constructor(value?: { readonly dataOffset: number; readonly byteLength: number }) {
    super('it ends within an attribute');
    this.value = value;
  }
}

/** What parsing one file has used up of its limits. */
export interface ParseBudget {
  readonly limits: ReadLimits;
  /** For messages. */
  readonly name: string;
  elements: number;
}

export const UNDEFINED_LENGTH = 0xffffffff;
const IMPLICIT_LITTLE: DicomEncoding = { isImplicit: true, littleEndian: true };
const ITEM = 0xfffee000;
export const ITEM_DELIMITATION = 0xfffee00d;
const SEQUENCE_DELIMITATION = 0xfffee0dd;

/** Representations with two reserved bytes and a four-byte length (PS3.5 7.1.2). */
export const LONG_VRS: ReadonlySet<string> = new Set([
  ...['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'],
]);
/** Answered to the library for every one of those: it would walk SQ and UN, and takes OV, SV and UV, which it does not
 * know, for representations with a short length. */
const OPAQUE_VR = 'OB';
/** Of the pixel data of any kind, in group 7FE0. */
const PIXEL_DATA = new Map([
  [0x7fe00008, 'x7fe00008'],
  [0x7fe00009, 'x7fe00009'],
  [0x7fe00010, 'x7fe00010'],
]);

/** What the library reads by; its own declaration has functions as properties, which no method can override. */
interface ByteStream {
  byteArray: Uint8Array;
  byteArrayParser: ByteArrayParser;
  position: number;
  warnings: string[];
  seek(offset: number): void;
  readByteStream(numBytes: number): dicomParser.ByteStream;
  readUint16(): number;
  readUint32(): number;
  readFixedString(length: number): string;
}
const LibraryStream: new (parser: ByteArrayParser, bytes: Uint8Array, position: number) => ByteStream =
  dicomParser.ByteStream;

/** @param tag xGGGGEEEE */
export function isPixelDataTag(tag: string): boolean {
  return tag === 'x7fe00010' || tag === 'x7fe00008' || tag === 'x7fe00009';
}

/** A cursor over the elements of one data set, and over items within it. */
export class ElementStream extends LibraryStream {
  /** Of what may be read. */
  end: number;
  readonly encoding: DicomEncoding;
  readonly #budget: ParseBudget;
  readonly #measureUndefined: MeasureUndefined;
  /** Of the element under way. */
  #vr: string | undefined;
  #depth = 0;
  #isPixelData = false;
  /** Whether a length that is read is an element's, not an item's. */
  #isWithinElement = false;

  /** @param bytes one at least
   * @param measureUndefined finds where a value of undefined length ends */
  constructor(
    bytes: Uint8Array,
    { position, end }: { readonly position: number; readonly end: number },
    encoding: DicomEncoding,
    budget: ParseBudget,
    measureUndefined: MeasureUndefined,
  ) {
    const { littleEndianByteArrayParser, bigEndianByteArrayParser } = dicomParser;
    super(encoding.littleEndian ? littleEndianByteArrayParser : bigEndianByteArrayParser, bytes, 0);
    this.position = position;
    this.end = end;
    this.encoding = encoding;
    this.#budget = budget;
    this.#measureUndefined = measureUndefined;
  }

  /** @param depth of the sequences around it
   * @returns undefined at the end of an item, which is consumed
   * @throws Error if the bytes end within it; InputError `limit-exceeded` */
  readElement(depth: number): DicomElement | undefined {
    this.count();
    const tag = this.peekTag();
    if (tag === ITEM_DELIMITATION) {
      this.position += 8;
      return undefined;
    }
    const pixelDataTag = depth === 0 ? PIXEL_DATA.get(tag) : undefined;
    this.#vr = undefined;
    this.#depth = depth;
    this.#isPixelData = pixelDataTag !== undefined;
    this.#isWithinElement = true;
    const element = this.#readByLibrary(pixelDataTag);
    this.#isWithinElement = false;
    const { dataOffset, length } = element;
    const vr = this.#storedVr();
    if (pixelDataTag !== undefined) {
      this.position = length === UNDEFINED_LENGTH ? this.end : Math.min(this.end, dataOffset + length);
    }
    if (vr !== 'UN') return { tag: element.tag, vr, dataOffset, length };
    return { tag: element.tag, vr, dataOffset, length, itemEncoding: IMPLICIT_LITTLE };
  }

  #readByLibrary(untilTag: string | undefined): Element {
    const stream = asLibraryStream(this);
    return this.encoding.isImplicit
      ? dicomParser.readDicomElementImplicit(stream, untilTag, () => OPAQUE_VR)
      : dicomParser.readDicomElementExplicit(stream, this.warnings, untilTag);
  }

  /** As {@link readFixedString} found it. */
  #storedVr(): string | undefined {
    return this.#vr;
  }

  /** The head of an item, or of the delimiter that ends a sequence.
   * @throws Error if there is neither */
  readItemHead(): { readonly isDelimiter: boolean; readonly length: number } {
    this.count();
    const tag = this.peekTag();
    if (tag === SEQUENCE_DELIMITATION) {
      this.position += 8;
      return { isDelimiter: true, length: 0 };
    }
    if (tag !== ITEM) throw new Error(`a sequence has no item at byte ${this.position}`);
    // Not by the library's readSequenceItem, which makes a text of the tag: a file may have millions of items.
    this.position += 4;
    return { isDelimiter: false, length: super.readUint32() };
  }

  peekGroup(): number {
    this.#require(2);
    return this.byteArrayParser.readUint16(this.byteArray, this.position);
  }

  /** The tag that comes next, as a number; there must be its length too. */
  peekTag(): number {
    this.#require(8);
    const { byteArray, byteArrayParser, position } = this;
    return (
      byteArrayParser.readUint16(byteArray, position) * 0x10000 + byteArrayParser.readUint16(byteArray, position + 2)
    );
  }

  /** Counts an element or an item against the limit. */
  count(): void {
    const { limits, name } = this.#budget;
    this.#budget.elements++;
    if (this.#budget.elements > limits.elements) {
      assertWithinLimit(this.#budget.elements, 'elements', limits, { name, what: 'attributes and items' });
    }
  }

  override seek(offset: number): void {
    if (this.position + offset > this.end) {
      const isOwnValue = this.#isWithinElement && this.#depth === 0;
      throw new CutOffError(isOwnValue ? { dataOffset: this.position, byteLength: offset } : undefined);
    }
    super.seek(offset);
  }

  override readUint16(): number {
    this.#require(2);
    return super.readUint16();
  }

  override readUint32(): number {
    this.#require(4);
    const length = super.readUint32();
    const isMeasured = length === UNDEFINED_LENGTH && this.#isWithinElement && !this.#isPixelData;
    return isMeasured ? this.#measure() : length;
  }

  /** Read by the library for representations alone. */
  override readFixedString(length: number): string {
    this.#require(length);
    const { byteArray, position } = this;
    const [a = 0, b = 0] = [byteArray[position], byteArray[position + 1]];
    this.position += length;
    if (!isCapital(a) || !isCapital(b)) {
      // Some writers fall back to implicit VR within explicit files: the length is where the representation would be. The
      // library passes over two bytes before it reads a long one.
      this.position = position - 2;
      return OPAQUE_VR;
    }
    const vr = String.fromCharCode(a, b);
    this.#vr = vr;
    return LONG_VRS.has(vr) ? OPAQUE_VR : vr;
  }

  /** The length of a value that does not say it, its delimiter included. */
  #measure(): number {
    const start = this.position;
    const [vr, depth] = [this.#vr, this.#depth];
    this.#isWithinElement = false;
    const end = this.#measureUndefined(this, vr, depth + 1);
    this.position = start;
    [this.#vr, this.#depth, this.#isPixelData, this.#isWithinElement] = [vr, depth, false, true];
    return end - start;
  }

  #require(byteLength: number): void {
    if (this.position + byteLength > this.end) throw new CutOffError();
  }
}

/** @param stream at the beginning of the value; may be moved
 * @param depth of the sequence, if it is one
 * @returns where the value ends, after its delimiter */
export type MeasureUndefined = (stream: ElementStream, vr: string | undefined, depth: number) => number;

function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

function asLibraryStream(stream: ElementStream): dicomParser.ByteStream {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- it is one, by LibraryStream
  return stream;
}
