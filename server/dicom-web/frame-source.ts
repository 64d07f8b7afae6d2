import { InputError } from '../../src/index.ts';
import {
  damagedFile,
  DEFLATED_LITTLE_ENDIAN,
  type DicomDataset,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
  nativeFrameBytes,
} from '../../src/dicom/datasets.ts';
import { indexFrames, type Fragment } from './fragment-index.ts';
import { FILE_NAME, inflatedFile, withDataset } from './dicom-file.ts';
import { swapped } from './little-endian.ts';
import { FileGoneError, inMemory, type ObjectFile, PIECE_BYTES, piecesOf } from './object-file.ts';

/** The frames of an instance, each read when it is asked for. */
export interface FrameSource {
  /** Of what is given: native pixels are in Explicit VR Little Endian, whatever the file is in (PS3.18 8.7.3). */
  readonly transferSyntaxUID: string;
  /** Frames that are there: those that the file claims and does not have are not counted. */
  readonly count: number;
  /** What it keeps in memory. */
  readonly heldBytes?: number;
  /** @param frameIndex from 0, below the count */
  readonly frame: (frameIndex: number) => Frame;
}

export interface Frame {
  readonly byteLength: number;
  /** @param file of the instance, open
   * @throws FileGoneError if it has become shorter */
  readonly pieces: (file: ObjectFile) => AsyncGenerator<Uint8Array, void>;
}

const NATIVE_SYNTAXES = new Set([
  IMPLICIT_LITTLE_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  DEFLATED_LITTLE_ENDIAN,
  EXPLICIT_BIG_ENDIAN,
]);

/** Finds the frames of an instance as its transfer syntax left them (PS3.5 A.4, 8.1.1).
 * @throws InputError `no-pixel-data`, `damaged-file` if they cannot be told apart, `limit-exceeded` */
export function openFrameSource(file: ObjectFile): Promise<FrameSource> {
  return withDataset(file, async ({ dataset, transferSyntaxUID }) => {
    const { pixelData } = dataset;
    if (pixelData === undefined) {
      throw new InputError('no-pixel-data', 'The instance has no pixel data.', { remedy: 'Retrieve the instance.' });
    }
    const claimed = Math.max(1, dataset.number('NumberOfFrames') ?? 1);
    const { dataOffset, byteLength } = pixelData;
    if (byteLength === undefined) {
      return ofFragments(transferSyntaxUID, await indexFrames(file, dataOffset, claimed));
    }
    if (!NATIVE_SYNTAXES.has(transferSyntaxUID)) {
      if (claimed > 1) throw damagedFile(FILE_NAME, `its ${claimed} compressed frames are not encapsulated`);
      const there = Math.max(0, Math.min(byteLength, file.byteLength - dataOffset));
      const whole = { byteLength: there, pieces: (opened: ObjectFile) => piecesOf(opened, dataOffset, there) };
      return { transferSyntaxUID, count: 1, frame: () => whole };
    }
    if (transferSyntaxUID !== DEFLATED_LITTLE_ENDIAN) return nativeFrames(dataset, file.byteLength, claimed);
    const inflated = inMemory(await inflatedFile(file, dataOffset + byteLength));
    const source = nativeFrames(dataset, inflated.byteLength, claimed);
    const frame = (frameIndex: number): Frame => {
      const own = source.frame(frameIndex);
      return { ...own, pieces: () => own.pieces(inflated) };
    };
    return { ...source, heldBytes: inflated.byteLength, frame };
  });
}

function ofFragments(transferSyntaxUID: string, frames: readonly (readonly Fragment[])[]): FrameSource {
  return {
    transferSyntaxUID,
    count: frames.length,
    heldBytes: FRAGMENT_BYTES * frames.reduce((sum, { length }) => sum + length, 0),
    frame: (frameIndex) => {
      const fragments = frames[frameIndex];
      if (fragments === undefined) throw noFrame(frameIndex);
      return {
        byteLength: fragments.reduce((sum, { byteLength }) => sum + byteLength, 0),
        async *pieces(file) {
          for (const { dataOffset, byteLength } of fragments) yield* piecesOf(file, dataOffset, byteLength);
        },
      };
    },
  };
}

/** What an entry of the index takes. */
const FRAGMENT_BYTES = 80;

function nativeFrames(dataset: DicomDataset, fileLength: number, claimed: number): FrameSource {
  const { pixelData, transferSyntaxUID } = dataset;
  const start = pixelData?.dataOffset ?? 0;
  const available = Math.max(0, Math.min(pixelData?.byteLength ?? 0, fileLength - start));
  const bits = frameBits(dataset);
  const count = bits === 0 ? 0 : Math.min(claimed, Math.floor((available * 8) / bits));
  const swapWidth = transferSyntaxUID === EXPLICIT_BIG_ENDIAN ? wordBytes(dataset) : 1;
  return {
    transferSyntaxUID: EXPLICIT_LITTLE_ENDIAN,
    count,
    frame: (frameIndex) => {
      if (frameIndex >= count) throw noFrame(frameIndex);
      return {
        byteLength: Math.ceil(bits / 8),
        async *pieces(file) {
          for (let done = 0; done < bits; done += PIECE_BYTES * 8) {
            const firstBit = frameIndex * bits + done;
            const bitCount = Math.min(PIECE_BYTES * 8, bits - done);
            // Whole words, where they are to be swapped.
            const first = Math.floor(firstBit / 8 / swapWidth) * swapWidth;
            const end = Math.ceil((firstBit + bitCount) / 8 / swapWidth) * swapWidth;
            const stored = await file.read(start + first, end - first);
            if (stored.length < Math.ceil((firstBit + bitCount) / 8) - first)
              throw new FileGoneError('The file has become shorter.');
            const bytes = swapWidth === 1 ? stored : swapped(withPadding(stored, end - first), swapWidth);
            yield bitsOf(bytes, firstBit - first * 8, bitCount);
          }
        },
      };
    },
  };
}

/** A file may end without the byte that pads its pixels to whole words. */
function withPadding(bytes: Uint8Array, byteLength: number): Uint8Array {
  if (bytes.length === byteLength) return bytes;
  const padded = new Uint8Array(byteLength);
  padded.set(bytes);
  return padded;
}

/** A frame of one bit a pixel begins where the one before it ends, within a byte (PS3.5 8.1.1): here it begins at a byte.
 * @returns a view where bits are whole bytes */
function bitsOf(bytes: Uint8Array, firstBit: number, bitCount: number): Uint8Array {
  const from = firstBit >> 3;
  const shift = firstBit & 7;
  const length = Math.ceil(bitCount / 8);
  if (shift === 0 && bitCount % 8 === 0) return bytes.subarray(from, from + length);
  const packed = Uint8Array.from({ length }, (_, at) => {
    const low = bytes[from + at] ?? 0;
    const high = bytes[from + at + 1] ?? 0;
    return ((low >> shift) | (high << (8 - shift))) & 0xff;
  });
  const last = bitCount % 8;
  if (last !== 0) packed[length - 1] = (packed[length - 1] ?? 0) & ((1 << last) - 1);
  return packed;
}

function frameBits(dataset: DicomDataset): number {
  const number = (keyword: 'Rows' | 'Columns' | 'BitsAllocated' | 'SamplesPerPixel', otherwise: number): number =>
    Math.max(0, dataset.number(keyword) ?? otherwise);
  const byteLength = nativeFrameBytes({
    rows: number('Rows', 0),
    columns: number('Columns', 0),
    bitsAllocated: number('BitsAllocated', 8),
    samplesPerPixel: number('SamplesPerPixel', 1),
    photometricInterpretation: dataset.string('PhotometricInterpretation'),
  });
  return byteLength * 8;
}

/** Of a big-endian file: pixels of a byte or less are bytes in OB, and in words in OW (PS3.5 annex D). */
function wordBytes(dataset: DicomDataset): 1 | 2 | 4 | 8 {
  const bits = dataset.number('BitsAllocated') ?? 8;
  if (bits === 64) return 8;
  if (bits === 32) return 4;
  return bits === 16 || (dataset.pixelData?.vr ?? 'OW') === 'OW' ? 2 : 1;
}

function noFrame(frameIndex: number): RangeError {
  return new RangeError(`There is no frame ${frameIndex + 1}.`);
}
