import dicomParser, { type Element } from 'dicom-parser';
import { InputError } from '../errors.ts';
import { damagedFile } from './damaged-file.ts';
import { DICOM_DICTIONARY, type DicomKeyword } from './dicom-dictionary.ts';
import { decodeText, isEncodedText, latin1, trimPadding } from './dicom-text.ts';
import type { SourceFile } from './reader.ts';
import { EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, transferSyntaxName } from './transfer-syntaxes.ts';

/** Where a file's pixel data lies: its value bytes, or the first item of encapsulated pixel data. */
export interface PixelDataLocation {
  readonly dataOffset: number;
  /** Bytes of the value; undefined for encapsulated (undefined length) pixel data. */
  readonly byteLength: number | undefined;
}

/** Bytes read at first: holds the header of nearly every image, and spares reading the pixels twice. */
const HEAD_BYTES = 32 * 1024;
/** Elements and items with a 32-bit length, counted in one file; a SEG of 30,000 frames has a third of it. Without
 * a limit a million empty items in 8 MB cost 8 s and 670 MB. */
const MAX_LONG_LENGTHS = 1_000_000;
const UNDEFINED_LENGTH = 0xffffffff;
const ITEM_DELIMITER = 'xfffee00d';
/** Representations whose length takes four bytes, but that dicom-parser 1.8 reads as two. */
const LONG_VRS_UNKNOWN_TO_PARSER = new Set(['OV', 'SV', 'UV']);
const PIXEL_DATA_TAGS = new Set<string>([
  DICOM_DICTIONARY.PixelData[0],
  DICOM_DICTIONARY.FloatPixelData[0],
  DICOM_DICTIONARY.DoubleFloatPixelData[0],
]);

type Elements = Readonly<Record<string, Element>>;

/** Whether the bytes begin as a DICOM Part 10 file (PS3.10 7.1). */
export function isDicom(head: Uint8Array): boolean {
  return head.length >= 132 && latin1(head.subarray(128, 132)) === 'DICM';
}

/** Parses a Part 10 file up to its pixel data (what follows that is padding and signatures).
 * @param name for messages
 * @throws InputError `not-dicom`, `unsupported-transfer-syntax` (deflated, big endian), `damaged-file` */
export function parseDicom(bytes: Uint8Array, name: string): DicomDataset {
  try {
    return parse(bytes, name);
  } catch (error) {
    throw error instanceof InputError ? error : damagedFile(name, reasonOf(error), error);
  }
}

/** Parses a file's attributes, reading no more of it than needed.
 * @throws as {@link parseDicom} */
export async function readDicomHeader(file: SourceFile): Promise<DicomDataset> {
  const head = await file.readHead(HEAD_BYTES);
  if (head.length < file.byteLength) {
    try {
      const dataset = parse(head, file.name);
      if (dataset.reachedPixelData) return dataset;
    } catch (error) {
      if (error instanceof InputError && error.code !== 'damaged-file') throw error;
      // Otherwise the header may only be longer than the head.
    }
  }
  return parseDicom(head.length < file.byteLength ? await file.read() : head, file.name);
}

/** Read access to one data set or sequence item, by DICOM keyword. Values are decoded when asked for. */
export class DicomDataset {
  readonly transferSyntaxUID: string;
  readonly #bytes: Uint8Array;
  readonly #elements: Elements;
  readonly #characterSet: string | undefined;

  /** Use {@link parseDicom}. */
  constructor(bytes: Uint8Array, elements: Elements, transferSyntaxUID: string, inheritedCharacterSet?: string) {
    this.#bytes = bytes;
    this.#elements = elements;
    this.transferSyntaxUID = transferSyntaxUID;
    const own = this.bytes('SpecificCharacterSet');
    this.#characterSet = own === undefined ? inheritedCharacterSet : trimPadding(latin1(own));
  }

  /** Whether the attribute is present with a value. */
  has(keyword: DicomKeyword): boolean {
    return (this.#element(keyword)?.length ?? 0) > 0;
  }

  /** Whether the attribute is present, if only without a value. */
  includes(keyword: DicomKeyword): boolean {
    return this.#element(keyword) !== undefined;
  }

  /** The whole value as text, padding removed, backslashes kept; undefined if absent or empty. */
  text(keyword: DicomKeyword): string | undefined {
    const bytes = this.bytes(keyword);
    if (bytes === undefined) return undefined;
    const vr = this.#vr(keyword);
    const text = isEncodedText(vr) ? decodeText(bytes, this.#characterSet, vr) : latin1(bytes);
    const trimmed = trimPadding(text);
    return trimmed === '' ? undefined : trimmed;
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
      read.at(view, index * read.byteLength),
    );
  }

  /** The first value as a number; undefined if absent, empty or malformed. */
  number(keyword: DicomKeyword): number | undefined {
    const [value] = this.numbers(keyword);
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** The items of a sequence; none if absent or empty. */
  items(keyword: DicomKeyword): DicomDataset[] {
    return (this.#element(keyword)?.items ?? []).map(
      (item) => new DicomDataset(this.#bytes, item.dataSet?.elements ?? {}, this.transferSyntaxUID, this.#characterSet),
    );
  }

  /** The value's bytes as stored, a view; undefined if absent or empty. Not for pixel data. */
  bytes(keyword: DicomKeyword): Uint8Array | undefined {
    const element = this.#element(keyword);
    if (element === undefined || element.length === 0) return undefined;
    return this.#bytes.subarray(element.dataOffset, element.dataOffset + element.length);
  }

  /** Where Pixel Data (7FE0,0010) lies in the file; undefined without it. */
  get pixelData(): PixelDataLocation | undefined {
    const element = this.#element('PixelData');
    if (element === undefined) return undefined;
    return {
      dataOffset: element.dataOffset,
      byteLength: element.length === UNDEFINED_LENGTH ? undefined : element.length,
    };
  }

  /** Whether parsing ended at pixel data of any kind, not at the end of the bytes. */
  get reachedPixelData(): boolean {
    return [...PIXEL_DATA_TAGS].some((tag) => tag in this.#elements);
  }

  #element(keyword: DicomKeyword): Element | undefined {
    return this.#elements[DICOM_DICTIONARY[keyword][0]];
  }

  #vr(keyword: DicomKeyword): string {
    const [, vr] = DICOM_DICTIONARY[keyword];
    const stored = this.#element(keyword)?.vr;
    return stored === undefined || stored === 'UN' ? vr : stored;
  }
}

/** Counts 32-bit lengths, so that a small file cannot unfold into millions of items. */
class BoundedByteStream extends dicomParser.ByteStream {
  #longLengths = 0;

  constructor(bytes: Uint8Array, position: number) {
    super(dicomParser.littleEndianByteArrayParser, bytes, position);
    const readUint32 = this.readUint32;
    this.readUint32 = () => {
      if (++this.#longLengths > MAX_LONG_LENGTHS) {
        throw new Error(`it has more than ${MAX_LONG_LENGTHS.toLocaleString('en')} items`);
      }
      return readUint32.call(this);
    };
  }
}

function parse(bytes: Uint8Array, name: string): DicomDataset {
  if (!isDicom(bytes)) {
    throw new InputError('not-dicom', `${name} is no DICOM Part 10 file.`, {
      remedy: 'Pass files that begin with a DICOM preamble, as scanners and archives export them.',
      details: { file: name },
    });
  }
  const elements: Record<string, Element> = {};
  const stream = new BoundedByteStream(bytes, 132);
  while (stream.position + 4 <= bytes.length && groupAt(bytes, stream.position) === 0x0002) {
    const element = dicomParser.readDicomElementExplicit(stream);
    elements[element.tag] = element;
  }
  const transferSyntaxUID = new DicomDataset(bytes, elements, '').string('TransferSyntaxUID') ?? IMPLICIT_LITTLE_ENDIAN;
  assertReadableEncoding(transferSyntaxUID, name);
  readBody(stream, transferSyntaxUID === IMPLICIT_LITTLE_ENDIAN, elements);
  return new DicomDataset(bytes, elements, transferSyntaxUID);
}

/** Deflated and big endian files differ before the first attribute; every other syntax has explicit little endian ones. */
function assertReadableEncoding(transferSyntaxUID: string, name: string): void {
  if (transferSyntaxUID === '1.2.840.10008.1.2.1.99' || transferSyntaxUID === '1.2.840.10008.1.2.2') {
    throw unsupportedTransferSyntax(transferSyntaxUID, name);
  }
}

export function unsupportedTransferSyntax(transferSyntaxUID: string, name: string): InputError {
  return new InputError(
    'unsupported-transfer-syntax',
    `${name} is stored as ${transferSyntaxName(transferSyntaxUID)}, which cannot be read yet.`,
    {
      remedy:
        'Export the series as Explicit VR Little Endian, or convert its files: `gdcmconv --raw in.dcm out.dcm`, or dcmconv / dcmdjpeg / dcmdjpls of dcmtk.',
      details: { transferSyntaxUID, file: name, readable: EXPLICIT_LITTLE_ENDIAN },
    },
  );
}

function readBody(stream: BoundedByteStream, isImplicit: boolean, elements: Record<string, Element>): void {
  const bytes = stream.byteArray;
  const warnings: string[] = [];
  while (stream.position < bytes.length) {
    const element = readElement(stream, isImplicit, warnings);
    elements[element.tag] = element;
    if (PIXEL_DATA_TAGS.has(element.tag)) break;
    if (stream.position > bytes.length) throw new Error('it ends within an attribute');
  }
  const [truncation] = [...warnings, ...stream.warnings].filter((warning) => warning.startsWith('eof'));
  if (truncation !== undefined) throw new Error('it ends within a sequence');
}

/** As dicom-parser's, but for pixel data (found, not walked) and the representations it does not know. */
function readElement(stream: BoundedByteStream, isImplicit: boolean, warnings: string[]): Element {
  const { byteArray: bytes, position } = stream;
  const tag = dicomParser.readTag(stream);
  const vr = isImplicit ? undefined : stream.readFixedString(2);
  const isPixelData = PIXEL_DATA_TAGS.has(tag);
  if (!isPixelData && (vr === undefined || !LONG_VRS_UNKNOWN_TO_PARSER.has(vr))) {
    stream.position = position;
    if (isImplicit) return dicomParser.readDicomElementImplicit(stream);
    if (tag === ITEM_DELIMITER) throw new Error(`an item ends at byte ${position} that never began`);
    return dicomParser.readDicomElementExplicit(stream, warnings);
  }
  if (vr !== undefined) stream.seek(2);
  const length = stream.readUint32();
  const element: Element = { tag, length, dataOffset: stream.position, ...(vr === undefined ? {} : { vr }) };
  stream.position = isPixelData ? bytes.length : stream.position + length;
  return element;
}

const BINARY_NUMBERS: Readonly<
  Record<string, { byteLength: number; at: (view: DataView, offset: number) => number } | undefined>
> = {
  US: { byteLength: 2, at: (view, offset) => view.getUint16(offset, true) },
  SS: { byteLength: 2, at: (view, offset) => view.getInt16(offset, true) },
  UL: { byteLength: 4, at: (view, offset) => view.getUint32(offset, true) },
  SL: { byteLength: 4, at: (view, offset) => view.getInt32(offset, true) },
  FL: { byteLength: 4, at: (view, offset) => view.getFloat32(offset, true) },
  FD: { byteLength: 8, at: (view, offset) => view.getFloat64(offset, true) },
  AT: {
    byteLength: 4,
    at: (view, offset) => view.getUint16(offset, true) * 0x10000 + view.getUint16(offset + 2, true),
  },
};

function groupAt(bytes: Uint8Array, position: number): number {
  return (bytes[position] ?? 0) + 256 * (bytes[position + 1] ?? 0);
}

/** dicom-parser throws strings, Errors, and objects around either. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof RangeError) return 'its sequences are nested too deeply';
  if (thrown instanceof Error) return thrown.message;
  if (typeof thrown === 'string') return thrown.replace(/^dicomParser\S*\s*/, '');
  return 'its attributes cannot be parsed';
}
