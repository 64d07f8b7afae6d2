import { Readable } from 'node:stream';
import { constants, createInflateRaw } from 'node:zlib';
import {
  assertWithinLimit,
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
import { INDEXED_TAGS } from './tags.ts';

/** A file of a DICOM object, on disk or in memory. */
export interface ObjectFile {
  readonly byteLength: number;
  /** Bytes from `start`; fewer where the file ends. */
  readonly read: (start: number, byteLength: number) => Promise<Uint8Array>;
}

/** What an archive keeps of a file. */
export interface DicomHeader {
  readonly transferSyntaxUID: string;
  /** The attributes that queries tell of. */
  readonly dataset: JsonDataset;
}

/** In messages, for the names of files may be names of patients. */
export const FILE_NAME = 'The file';
/** The first holds the header of nearly every image, and spares reading its pixels; the last is all that is read. */
const HEAD_BYTES = [64 * 1024, 2 ** 20, 2 ** 24, 2 ** 29];
/** So much is unpacked of a deflated file in search of its pixel data. */
const INFLATED_HEAD_BYTES = [2 ** 20, 2 ** 25];
/** So much is unpacked of a deflated file for its frames. */
const MAX_INFLATED_BYTES = 2 ** 29;
/** "DICM" is behind a preamble of 128 bytes. */
const PREFIX_START = 128;
const PREFIX_END = 132;

export function inMemory(bytes: Uint8Array): ObjectFile {
  return {
    byteLength: bytes.length,
    read: (start, byteLength) => Promise.resolve(bytes.subarray(start, start + byteLength)),
  };
}

/** Whether a file begins as PS3.10 7.1 says, as what is exchanged must. Files in a folder may lack that. */
export async function isPart10(file: ObjectFile): Promise<boolean> {
  const head = await file.read(0, PREFIX_END);
  return head.length === PREFIX_END && Buffer.from(head).subarray(PREFIX_START).toString('latin1') === 'DICM';
}

/** Reads what an archive keeps of a file.
 * @throws as {@link readDataset} */
export async function readHeader(file: ObjectFile): Promise<DicomHeader> {
  const { dataset, transferSyntaxUID } = await readDataset(file);
  return { transferSyntaxUID, dataset: pickAttributes(dataset, INDEXED_TAGS) };
}

/** The attributes of a file. */
export interface ReadDataset {
  /** Of a deflated file, as it would be in Explicit VR Little Endian: so are places in it. */
  readonly dataset: DicomDataset;
  /** Of the file. */
  readonly transferSyntaxUID: string;
}

/** Parses a file's attributes up to its pixel data, reading and unpacking no more of it than needed.
 * @throws InputError `not-dicom`, `damaged-file`, `limit-exceeded` */
export async function readDataset(file: ObjectFile, limits: ReadLimits = DEFAULT_READ_LIMITS): Promise<ReadDataset> {
  const limit = HEAD_BYTES.at(-1) ?? 0;
  for (const size of HEAD_BYTES) {
    const head = await file.read(0, size);
    const isWhole = size >= file.byteLength;
    try {
      const dataset = parseDicom(head, FILE_NAME, limits);
      if (isWhole || dataset.reachedPixelData) return { dataset, transferSyntaxUID: dataset.transferSyntaxUID };
    } catch (error) {
      if (isDeflated(error)) return readInflated(await file.read(0, limit), limits);
      // Otherwise the header may only be longer than the head.
      if (isWhole || !isDamage(error)) throw error;
    }
  }
  throw new InputError('limit-exceeded', `${FILE_NAME} has no pixel data within its first ${limit} bytes.`, {
    remedy: 'Take the file out of the folder.',
    details: { limit },
  });
}

/** A deflated file as the same file in Explicit VR Little Endian, as far as to `byteLength`.
 * @throws InputError `damaged-file`, `limit-exceeded` */
export async function inflatedFile(bytes: Uint8Array, byteLength: number): Promise<Uint8Array> {
  assertWithinLimit(
    byteLength,
    'inflatedBytes',
    { ...DEFAULT_READ_LIMITS, inflatedBytes: MAX_INFLATED_BYTES },
    {
      name: FILE_NAME,
      what: 'bytes of deflated content',
    },
  );
  return inflateStart(bytes, byteLength);
}

async function readInflated(bytes: Uint8Array, limits: ReadLimits): Promise<ReadDataset> {
  for (const most of INFLATED_HEAD_BYTES) {
    const file = await inflateStart(bytes, most);
    const isWhole = file.length < most;
    try {
      const dataset = parseDicom(file, FILE_NAME, limits);
      if (isWhole || dataset.reachedPixelData) return { dataset, transferSyntaxUID: DEFLATED_LITTLE_ENDIAN };
    } catch (error) {
      if (isWhole || !isDamage(error)) throw error;
    }
  }
  const most = INFLATED_HEAD_BYTES.at(-1) ?? 0;
  throw new InputError('limit-exceeded', `${FILE_NAME} has no pixel data within ${most} bytes that it unfolds to.`, {
    remedy: 'Export the object again without the deflated transfer syntax.',
    details: { limit: most },
  });
}

/** @param most bytes of the file that comes out; fewer if it ends */
async function inflateStart(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const { elements, end } = parseFileMeta(bytes, FILE_NAME, DEFAULT_READ_LIMITS);
  const head = bytes.slice(0, end);
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
  try {
    for await (const piece of Readable.from([bytes.subarray(end)]).pipe(inflater) as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (length >= most) break;
    }
  } catch (cause) {
    throw damagedFile(FILE_NAME, 'its deflated data set cannot be unpacked', cause);
  } finally {
    inflater.destroy();
  }
  return Buffer.concat(pieces).subarray(0, most);
}

function isDeflated(error: unknown): boolean {
  return error instanceof InputError && error.details['transferSyntaxUID'] === DEFLATED_LITTLE_ENDIAN;
}

function isDamage(error: unknown): boolean {
  return error instanceof InputError && error.code === 'damaged-file';
}
