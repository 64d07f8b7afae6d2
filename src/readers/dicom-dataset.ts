import { InputError } from '../errors.ts';
import { inflateRaw } from './byte-source.ts';
import { damagedFile } from './damaged-file.ts';
import { DICOM_DICTIONARY, type DicomKeyword } from './dicom-dictionary.ts';
import {
  isPixelDataTag,
  parseElements,
  parseItems,
  UNDEFINED_LENGTH,
  type DicomElement,
  type DicomElements,
  type DicomEncoding,
  type ParseBudget,
} from './dicom-elements.ts';
import { decodeText, isEncodedText, latin1, trimPadding } from './dicom-text.ts';
import { DEFAULT_READ_LIMITS, type ReadLimits } from './read-limits.ts';
import type { SourceFile } from './reader.ts';
import {
  DEFLATED_LITTLE_ENDIAN,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
  transferSyntaxName,
} from './transfer-syntaxes.ts';

/** Where a file's pixel data lies: its value bytes, or the first item of encapsulated pixel data. */
export interface PixelDataLocation {
  readonly keyword: 'PixelData' | 'FloatPixelData' | 'DoubleFloatPixelData';
  readonly dataOffset: number;
  /** Bytes of the value; undefined for encapsulated (undefined length) pixel data. */
  readonly byteLength: number | undefined;
  /** As stored; undefined in implicit VR. */
  readonly vr?: string | undefined;
}

/** Bytes read at first: holds the header of nearly every image, and spares reading the pixels twice. */
const HEAD_BYTES = 32 * 1024;
const PIXEL_DATA_KEYWORDS = ['PixelData', 'FloatPixelData', 'DoubleFloatPixelData'] as const;
const EXPLICIT: DicomEncoding = { isImplicit: false, littleEndian: true };

/** Whether the bytes begin as a DICOM Part 10 file (PS3.10 7.1). */
export function isDicom(head: Uint8Array): boolean {
  return head.length >= 132 && latin1(head.subarray(128, 132)) === 'DICM';
}

/** Parses a Part 10 file up to its pixel data (what follows that is padding and signatures).
 * @param name for messages
 * @throws InputError `not-dicom`, `unsupported-transfer-syntax` (a deflated file: see {@link inflateDicom}),
 * `damaged-file`, `limit-exceeded` */
export function parseDicom(bytes: Uint8Array, name: string, limits: ReadLimits = DEFAULT_READ_LIMITS): DicomDataset {
  return orDamaged(name, () => {
    const meta = parseFileMeta(bytes, name, limits);
    if (meta.transferSyntaxUID === DEFLATED_LITTLE_ENDIAN)
      throw unsupportedTransferSyntax(DEFLATED_LITTLE_ENDIAN, name);
    return parseBody(bytes, meta);
  });
}

/** Parses a file's attributes, reading no more of it than needed; of a deflated file, all of it.
 * @throws as {@link parseDicom} */
export async function readDicomHeader(
  file: SourceFile,
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): Promise<DicomDataset> {
  const head = await file.readHead(HEAD_BYTES);
  const meta = orDamaged(file.name, () => parseFileMeta(head, file.name, limits));
  if (meta.transferSyntaxUID === DEFLATED_LITTLE_ENDIAN) {
    const bytes = await inflateDicom(await file.read(), file.name, limits);
    return orDamaged(file.name, () => parseBody(bytes, meta));
  }
  if (head.length < file.byteLength) {
    try {
      const dataset = parseBody(head, meta);
      if (dataset.reachedPixelData) return dataset;
    } catch (error) {
      if (error instanceof InputError && error.code !== 'damaged-file') throw error;
      // Otherwise the header may only be longer than the head.
    }
  }
  return parseDicom(head.length < file.byteLength ? await file.read() : head, file.name, limits);
}

/** A Part 10 file whose data set is deflated as the same file in Explicit VR Little Endian; any other unchanged.
 * @throws InputError `damaged-file`, `limit-exceeded`, `not-dicom` */
export async function inflateDicom(
  bytes: Uint8Array,
  name: string,
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): Promise<Uint8Array> {
  const { transferSyntaxUID, end, elements } = orDamaged(name, () => parseFileMeta(bytes, name, limits));
  const uid = elements[DICOM_DICTIONARY.TransferSyntaxUID[0]];
  if (transferSyntaxUID !== DEFLATED_LITTLE_ENDIAN || uid === undefined) return bytes;
  const body = await inflateRaw(bytes.subarray(end), name, limits);
  const file = new Uint8Array(end + body.length);
  file.set(bytes.subarray(0, end));
  file.set(body, end);
  // The new name is shorter: padded with nulls (PS3.5 6.2).
  file.fill(0, uid.dataOffset, uid.dataOffset + uid.length);
  file.set(new TextEncoder().encode(EXPLICIT_LITTLE_ENDIAN), uid.dataOffset);
  return file;
}

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
    context: DatasetContext = TOP_LEVEL,
  ) {
    this.#bytes = bytes;
    this.#elements = elements;
    this.transferSyntaxUID = transferSyntaxUID;
    this.#context = context;
    const own = this.bytes('SpecificCharacterSet');
    this.#characterSet = own === undefined ? context.characterSet : trimPadding(latin1(own));
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
    if (element === undefined || element.length === 0) return [];
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

  #element(keyword: DicomKeyword): DicomElement | undefined {
    return this.#elements[DICOM_DICTIONARY[keyword][0]];
  }

  #vr(keyword: DicomKeyword): string {
    const [, vr] = DICOM_DICTIONARY[keyword];
    const stored = this.#element(keyword)?.vr;
    return stored === undefined || stored === 'UN' ? vr : stored;
  }
}

/** What a data set has from the one around it. */
interface DatasetContext {
  readonly encoding: DicomEncoding;
  readonly budget: ParseBudget;
  /** Sequences around it. */
  readonly depth: number;
  readonly characterSet?: string | undefined;
}

const TOP_LEVEL: DatasetContext = {
  encoding: EXPLICIT,
  budget: { limits: DEFAULT_READ_LIMITS, name: 'The data set', elements: 0 },
  depth: 0,
};

export function unsupportedTransferSyntax(transferSyntaxUID: string, name: string): InputError {
  return new InputError(
    'unsupported-transfer-syntax',
    `${name} is stored as ${transferSyntaxName(transferSyntaxUID)}, which cannot be read.`,
    {
      remedy:
        'Export the series as Explicit VR Little Endian, or convert its files: `gdcmconv --raw in.dcm out.dcm`, or dcmconv / dcmdjpeg / dcmdjpls of dcmtk.',
      details: { transferSyntaxUID, file: name, readable: EXPLICIT_LITTLE_ENDIAN },
    },
  );
}

interface FileMeta {
  readonly transferSyntaxUID: string;
  readonly elements: DicomElements;
  /** Where the data set begins. */
  readonly end: number;
  readonly budget: ParseBudget;
}

function parseFileMeta(bytes: Uint8Array, name: string, limits: ReadLimits): FileMeta {
  if (!isDicom(bytes)) {
    throw new InputError('not-dicom', `${name} is no DICOM Part 10 file.`, {
      remedy: 'Pass files that begin with a DICOM preamble, as scanners and archives export them.',
      details: { file: name },
    });
  }
  const budget: ParseBudget = { limits, name, elements: 0 };
  const { elements, end } = parseElements(bytes, 132, EXPLICIT, budget, true);
  const named = new DicomDataset(bytes, elements, '').string('TransferSyntaxUID');
  return { transferSyntaxUID: named ?? guessedSyntax(bytes, end), elements, end, budget };
}

/** Without a name: explicit if the first attribute has a representation, else the default of PS3.5 10.1. */
function guessedSyntax(bytes: Uint8Array, start: number): string {
  return /^[A-Z]{2}$/.test(latin1(bytes.subarray(start + 4, start + 6)))
    ? EXPLICIT_LITTLE_ENDIAN
    : IMPLICIT_LITTLE_ENDIAN;
}

/** @param bytes inflated, if the file was deflated */
function parseBody(bytes: Uint8Array, { transferSyntaxUID, elements: meta, end, budget }: FileMeta): DicomDataset {
  const encoding: DicomEncoding = {
    isImplicit: transferSyntaxUID === IMPLICIT_LITTLE_ENDIAN,
    littleEndian: transferSyntaxUID !== EXPLICIT_BIG_ENDIAN,
  };
  const { elements } = parseElements(bytes, end, encoding, budget);
  return new DicomDataset(bytes, { ...meta, ...elements }, transferSyntaxUID, { encoding, budget, depth: 0 });
}

function orDamaged<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw damagedFile(name, error instanceof Error ? error.message : 'its attributes cannot be parsed', error);
  }
}

interface NumberReader {
  readonly byteLength: number;
  readonly at: (view: DataView, offset: number, littleEndian: boolean) => number;
}

const UINT16: NumberReader = { byteLength: 2, at: (view, offset, little) => view.getUint16(offset, little) };
const UINT32: NumberReader = { byteLength: 4, at: (view, offset, little) => view.getUint32(offset, little) };
const UINT64: NumberReader = { byteLength: 8, at: (view, offset, little) => Number(view.getBigUint64(offset, little)) };
const FLOAT32: NumberReader = { byteLength: 4, at: (view, offset, little) => view.getFloat32(offset, little) };
const FLOAT64: NumberReader = { byteLength: 8, at: (view, offset, little) => view.getFloat64(offset, little) };

const BINARY_NUMBERS: Readonly<Record<string, NumberReader | undefined>> = {
  OB: { byteLength: 1, at: (view, offset) => view.getUint8(offset) },
  US: UINT16,
  OW: UINT16,
  SS: { byteLength: 2, at: (view, offset, little) => view.getInt16(offset, little) },
  UL: UINT32,
  OL: UINT32,
  SL: { byteLength: 4, at: (view, offset, little) => view.getInt32(offset, little) },
  UV: UINT64,
  OV: UINT64,
  SV: { byteLength: 8, at: (view, offset, little) => Number(view.getBigInt64(offset, little)) },
  FL: FLOAT32,
  OF: FLOAT32,
  FD: FLOAT64,
  OD: FLOAT64,
  AT: {
    byteLength: 4,
    at: (view, offset, little) => view.getUint16(offset, little) * 0x10000 + view.getUint16(offset + 2, little),
  },
};
