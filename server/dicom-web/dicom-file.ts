import { Readable } from 'node:stream';
import { constants, createInflateRaw } from 'node:zlib';
import {
  assertWithinLimit,
  CutOffError,
  damagedFile,
  DEFAULT_READ_LIMITS,
  DEFLATED_LITTLE_ENDIAN,
  DICOM_DICTIONARY,
  type DicomDataset,
  EXPLICIT_LITTLE_ENDIAN,
  InputError,
  parseDicom,
  parseFileMeta,
  type ReadLimits,
} from '../../src/dicom/datasets.ts';
import { pickAttributes } from './dataset-json.ts';
import type { JsonDataset } from './dicom-json.ts';
import { FileGoneError, LONG_VALUE_BYTES, type ObjectFile, piecesOf } from './object-file.ts';
import { INDEXED_TAGS } from './tags.ts';
import { createTurns } from './turns.ts';

/** What an archive keeps of a file. */
export interface DicomHeader {
  readonly transferSyntaxUID: string;
  /** The attributes that queries tell of. */
  readonly dataset: JsonDataset;
}

/** In messages, for the names of files may be names of patients. */
export const FILE_NAME = 'The file';
/** Holds the header of nearly every image, and spares reading its pixels. */
const FIRST_BYTES = 64 * 1024;
const GROWTH = 4;
/** Headers up to here are read side by side; longer ones are in memory one at a time. */
const SHORT_HEADER_BYTES = 2 ** 20;
const MAX_HEADER_BYTES = 2 ** 27;
/** Of a file; a header with more is read whole. */
const MAX_LONG_VALUES = 16;
/** Long values, which are not read, are in front of it too. */
const MAX_HEADER_END = 2 ** 31;
/** So much is unpacked of a deflated file in search of its pixel data. */
const INFLATED_HEADER_BYTES = [2 ** 20, 2 ** 25];
/** So much is unpacked of a deflated file for its frames. */
const MAX_INFLATED_BYTES = 2 ** 27;
/** "DICM" is behind a preamble of 128 bytes. */
const PREFIX_START = 128;
const PREFIX_END = 132;

/** Whether a file begins as PS3.10 7.1 says, as what is exchanged must. Files in a folder may lack that. */
export async function isPart10(file: ObjectFile): Promise<boolean> {
  const head = await file.read(0, PREFIX_END);
  return head.length === PREFIX_END && Buffer.from(head).subarray(PREFIX_START).toString('latin1') === 'DICM';
}

/** Reads what an archive keeps of a file.
 * @throws as {@link withDataset} */
export function readHeader(file: ObjectFile): Promise<DicomHeader> {
  return withDataset(file, ({ dataset, transferSyntaxUID }) => ({
    transferSyntaxUID,
    dataset: pickAttributes(dataset, INDEXED_TAGS),
  }));
}

/** The attributes of a file. */
export interface ReadDataset {
  /** Of a deflated file, as it would be in Explicit VR Little Endian. Long values may have zeroes in place of their bytes. */
  readonly dataset: DicomDataset;
  /** Of the file. */
  readonly transferSyntaxUID: string;
  /** Where in the file a value of the data set lies; undefined of a deflated file. */
  readonly placeOf: (value: Uint8Array) => number | undefined;
}

/** Parses a file's attributes up to its pixel data, reading and unpacking no more of it than needed, and gives them to
 * `use`: long headers are in memory as long as that takes, one at a time.
 * @throws InputError `not-dicom`, `damaged-file`, `limit-exceeded` */
export async function withDataset<T>(
  file: ObjectFile,
  use: (read: ReadDataset) => T | Promise<T>,
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): Promise<T> {
  const read = await readDataset(file, SHORT_HEADER_BYTES, limits);
  if (read !== undefined) return use(read);
  return oneAtATime(async () => {
    const long = await readDataset(file, MAX_HEADER_BYTES, limits);
    if (long === undefined) {
      throw new InputError('limit-exceeded', `${FILE_NAME} has more than ${MAX_HEADER_BYTES} bytes of attributes.`, {
        remedy: 'Take the file out of the folder.',
        details: { limit: MAX_HEADER_BYTES },
      });
    }
    return use(long);
  });
}

/** What takes memory for a whole file. */
const oneAtATime = createTurns(1);

/** @param most bytes that are read
 * @returns undefined if that is not enough */
async function readDataset(file: ObjectFile, most: number, limits: ReadLimits): Promise<ReadDataset | undefined> {
  const pieces: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  let skipped = 0;
  let end = 0;
  let left = most;
  const readUpTo = async (newEnd: number): Promise<Uint8Array> => {
    const bytes = await file.read(end, newEnd - end);
    pieces.push({ at: end, bytes });
    left -= bytes.length;
    end = newEnd;
    return assembled(pieces, end);
  };
  let wanted = FIRST_BYTES;
  for (;;) {
    const next = Math.min(wanted, file.byteLength, end + left);
    if (next > MAX_HEADER_END || (next === end && end < file.byteLength)) return undefined;
    const bytes = await readUpTo(next);
    const isWhole = end >= file.byteLength;
    wanted = end * GROWTH;
    try {
      const dataset = parseDicom(bytes, FILE_NAME, limits);
      if (isWhole || dataset.reachedPixelData) {
        const placeOf = (value: Uint8Array): number => value.byteOffset - bytes.byteOffset;
        return { dataset, transferSyntaxUID: dataset.transferSyntaxUID, placeOf };
      }
    } catch (error) {
      if (isDeflated(error)) return await readInflated(file, most, limits);
      // Otherwise the header may only be longer than what was read.
      if (isWhole || !isDamage(error)) throw error;
      const value = longValue(error);
      if (value !== undefined && skipped < MAX_LONG_VALUES && !(await isSequence(file, value.start))) {
        if (value.end > file.byteLength) throw error;
        skipped++;
        end = value.end;
        wanted = end + FIRST_BYTES;
      }
    }
  }
}

/** Bytes of a file, from `start` to before `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** One array with every piece in its place. Memory that nobody wrote to is zeroes that take no room. */
function assembled(pieces: readonly { readonly at: number; readonly bytes: Uint8Array }[], end: number): Uint8Array {
  const [first] = pieces;
  if (pieces.length === 1 && first?.bytes.length === end) return first.bytes;
  const whole = new Uint8Array(end);
  for (const { at, bytes } of pieces) whole.set(bytes, at);
  return whole;
}

/** The value behind whose beginning the bytes end, if it is long. */
function longValue(error: unknown): Span | undefined {
  const cause = error instanceof InputError ? error.cause : undefined;
  if (!(cause instanceof CutOffError) || cause.value === undefined) return undefined;
  const { dataOffset: start, byteLength } = cause.value;
  return byteLength > LONG_VALUE_BYTES ? { start, end: start + byteLength } : undefined;
}

/** Whether a value begins with an item: sequences are read, whatever their length. */
async function isSequence(file: ObjectFile, start: number): Promise<boolean> {
  const [a, b, c, d] = await file.read(start, 4);
  return (
    (a === 0xfe && b === 0xff && c === 0x00 && d === 0xe0) || (a === 0xff && b === 0xfe && c === 0xe0 && d === 0x00)
  );
}

/** Makes something of a deflated file as it would be in Explicit VR Little Endian, up to `byteLength` of it.
 * @throws InputError `damaged-file`, `limit-exceeded` */
export async function inflatedFile(file: ObjectFile, byteLength: number): Promise<Uint8Array> {
  assertWithinLimit(
    byteLength,
    'inflatedBytes',
    { ...DEFAULT_READ_LIMITS, inflatedBytes: MAX_INFLATED_BYTES },
    { name: FILE_NAME, what: 'bytes of deflated content' },
  );
  return oneAtATime(() => inflateStart(file, byteLength));
}

/** @param most bytes that are unpacked, as in {@link readDataset} */
async function readInflated(file: ObjectFile, most: number, limits: ReadLimits): Promise<ReadDataset | undefined> {
  for (const size of INFLATED_HEADER_BYTES) {
    if (size > most) return undefined;
    const bytes = await inflateStart(file, size);
    const isWhole = bytes.length < size;
    try {
      const dataset = parseDicom(bytes, FILE_NAME, limits);
      if (isWhole || dataset.reachedPixelData) {
        return { dataset, transferSyntaxUID: DEFLATED_LITTLE_ENDIAN, placeOf: () => undefined };
      }
    } catch (error) {
      if (isWhole || !isDamage(error)) throw error;
    }
  }
  const limit = INFLATED_HEADER_BYTES.at(-1) ?? 0;
  throw new InputError('limit-exceeded', `${FILE_NAME} has no pixel data within ${limit} bytes that it unfolds to.`, {
    remedy: 'Export the object again without the deflated transfer syntax.',
    details: { limit },
  });
}

/** @param most bytes of the file that comes out; fewer if it ends */
async function inflateStart(file: ObjectFile, most: number): Promise<Uint8Array> {
  const start = await file.read(0, FIRST_BYTES);
  const { elements, end } = parseFileMeta(start, FILE_NAME, DEFAULT_READ_LIMITS);
  const head = start.slice(0, end);
  const uid = elements[DICOM_DICTIONARY.TransferSyntaxUID[0]];
  if (uid !== undefined) {
    // The new name is shorter: padded with nulls (PS3.5 6.2).
    head.fill(0, uid.dataOffset, uid.dataOffset + uid.length);
    head.set(new TextEncoder().encode(EXPLICIT_LITTLE_ENDIAN), uid.dataOffset);
  }
  const pieces: Uint8Array[] = [head];
  let length = head.length;
  // What is cut off is told by the parser, which knows whether the missing part matters.
  const inflater = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
  const deflated = Readable.from(piecesOf(file, end, file.byteLength - end));
  // What cannot be read of the file ends the inflater, whose end is waited for.
  deflated.on('error', (error) => inflater.destroy(error));
  try {
    for await (const piece of deflated.pipe(inflater) as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (length >= most) break;
    }
  } catch (cause) {
    if (cause instanceof FileGoneError) throw cause;
    throw damagedFile(FILE_NAME, 'its deflated data set cannot be unpacked', cause);
  } finally {
    inflater.destroy();
    deflated.destroy();
  }
  return Buffer.concat(pieces).subarray(0, most);
}

function isDeflated(error: unknown): boolean {
  return error instanceof InputError && error.details['transferSyntaxUID'] === DEFLATED_LITTLE_ENDIAN;
}

function isDamage(error: unknown): boolean {
  return error instanceof InputError && error.code === 'damaged-file';
}
