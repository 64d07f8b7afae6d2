import { DicomDataset, orDamaged } from './dicom-dataset.ts';
import { InputError } from '../errors.ts';
import { type DeflatedBytes, openDeflated } from '../io/byte-source.ts';
import { concatenate } from '../io/bytes.ts';
import { assertWithinLimit, DEFAULT_READ_LIMITS, type ReadLimits } from '../io/read-limits.ts';
import { DICOM_DICTIONARY } from './dicom-dictionary.ts';
import { parseElements } from './dicom-elements.ts';
import { encodingAt, startOfDicom } from './dicom-encoding.ts';
import { actualSyntax, claimedEncoding, type FileMeta, parseFileMeta } from './dicom-file-meta.ts';
import { nativeFrameBytes } from './pixel-data.ts';
import type { SourceFile } from '../io/reader.ts';
import { DEFLATED_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN, transferSyntaxName } from './transfer-syntaxes.ts';

/** Bytes read at first: holds the header of nearly every image, and spares reading the pixels twice. */
const HEAD_BYTES = 32 * 1024;
const HEAD_GROWTH = 8;
/** Of a packed file, before it is unpacked as a whole. */
const MAX_HEAD_BYTES = 2 ** 26;
/** Attributes before the pixels, beyond which they must not be zeroes: text and numbers hardly shrink to a tenth. */
const SUSPICIOUS_HEAD_BYTES = 2 ** 24;
const MAX_HEAD_RATIO = 100;
/** After the pixels, more than any writer adds. */
const MAX_PADDING = 2 ** 16;

/** Whether the bytes begin as a DICOM file: as PS3.10 7.1 says, or without preamble, prefix or file meta information with
 * the first elements of an image.
 * @param head the first 352 bytes, or more; fewer if the file is shorter */
export function isDicom(head: Uint8Array): boolean {
  return startOfDicom(head) !== undefined;
}

/** Parses a DICOM file up to its pixel data (what follows that is padding and signatures).
 * @param name for messages
 * @throws InputError `not-dicom`, `unsupported-transfer-syntax` (a deflated file: see {@link inflateDicom}),
 * `damaged-file`, `limit-exceeded` */
export function parseDicom(bytes: Uint8Array, name: string, limits: ReadLimits = DEFAULT_READ_LIMITS): DicomDataset {
  return orDamaged(name, () => {
    const meta = parseFileMeta(bytes, name, limits);
    if (meta.isDeflated) throw unsupportedTransferSyntax(DEFLATED_LITTLE_ENDIAN, name);
    return parseBody(bytes, meta);
  });
}

/** Parses a file's attributes, reading and unpacking no more of it than needed.
 * @throws as {@link parseDicom} */
export async function readDicomHeader(
  file: SourceFile,
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): Promise<DicomDataset> {
  const { name } = file;
  // A packed file is longer than anyone knows: its head is read in longer and longer pieces.
  for (let most = HEAD_BYTES; most < file.byteLength && most <= MAX_HEAD_BYTES; most *= HEAD_GROWTH) {
    const head = await file.readHead(most);
    const meta = orDamaged(name, () => parseFileMeta(head, name, limits));
    if (meta.isDeflated) break;
    if (head.length < most) return orDamaged(name, () => parseBody(head, meta));
    const dataset = headerWithin(head, meta);
    if (dataset !== undefined) return dataset;
    if (Number.isFinite(file.byteLength)) break;
  }
  const bytes = await file.read();
  const meta = orDamaged(name, () => parseFileMeta(bytes, name, limits));
  if (!meta.isDeflated) return orDamaged(name, () => parseBody(bytes, meta));
  const { dataset, deflated } = await inflateHeader(bytes, meta);
  deflated.close();
  return dataset;
}

/** @returns undefined if the header goes on after these bytes
 * @throws InputError `limit-exceeded` */
function headerWithin(head: Uint8Array, meta: FileMeta): DicomDataset | undefined {
  try {
    const dataset = orDamaged(meta.budget.name, () => parseBody(head, meta));
    return dataset.reachedPixelData ? dataset : undefined;
  } catch (error) {
    if (error instanceof InputError && error.code === 'damaged-file') return undefined;
    throw error;
  }
}

interface InflatedHeader {
  readonly dataset: DicomDataset;
  readonly deflated: DeflatedBytes;
}

/** Unpacks a deflated data set no further than to its pixel data, or to its end where it has none. Places are those in the
 * unpacked file. */
async function inflateHeader(bytes: Uint8Array, meta: FileMeta): Promise<InflatedHeader> {
  const { name, limits } = meta.budget;
  const deflated = openDeflated(bytes.subarray(meta.end), name, limits);
  for (let most = HEAD_BYTES; ; most *= HEAD_GROWTH) {
    const { content, isWhole } = await deflated.unpack(most);
    const file = concatenate([bytes.subarray(0, meta.end), content]);
    const dataset = isWhole ? orDamaged(name, () => parseBody(file, meta)) : headerWithin(file, meta);
    if (dataset !== undefined) return { dataset, deflated };
    if (most >= SUSPICIOUS_HEAD_BYTES) {
      const ratio = Math.ceil(content.length / bytes.length);
      const inflateRatio = Math.min(limits.inflateRatio, MAX_HEAD_RATIO);
      assertWithinLimit(
        ratio,
        'inflateRatio',
        { ...limits, inflateRatio },
        {
          name,
          what: 'bytes of attributes from one deflated byte',
        },
      );
    }
  }
}

/** A file whose data set is deflated as the same file in Explicit VR Little Endian, up to the last of the pixels that its
 * header promises; any other file unchanged.
 * @throws InputError `damaged-file`, `limit-exceeded`, `not-dicom` */
export async function inflateDicom(
  bytes: Uint8Array,
  name: string,
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): Promise<Uint8Array> {
  const meta = orDamaged(name, () => parseFileMeta(bytes, name, limits));
  const uid = meta.elements[DICOM_DICTIONARY.TransferSyntaxUID[0]];
  if (!meta.isDeflated || uid === undefined) return bytes;
  const { dataset, deflated } = await inflateHeader(bytes, meta);
  const { content: body } = await deflated.unpack(endOfPixels(dataset) - meta.end);
  deflated.close();
  const file = new Uint8Array(meta.end + body.length);
  file.set(bytes.subarray(0, meta.end));
  file.set(body, meta.end);
  // The new name is shorter: padded with nulls (PS3.5 6.2).
  file.fill(0, uid.dataOffset, uid.dataOffset + uid.length);
  file.set(new TextEncoder().encode(EXPLICIT_LITTLE_ENDIAN), uid.dataOffset);
  return file;
}

/** Where what an image needs of its file ends: pixel data may claim to be longer than the image.
 * @returns Infinity where the header does not tell */
function endOfPixels(dataset: DicomDataset): number {
  const { pixelData } = dataset;
  if (pixelData?.byteLength === undefined) return Infinity;
  const needed = Math.ceil(pixelBytes(dataset));
  return pixelData.dataOffset + Math.min(pixelData.byteLength, needed + MAX_PADDING);
}

/** Bytes of all frames where they are not compressed, as the header has it. */
function pixelBytes(dataset: DicomDataset): number {
  const frameBytes = nativeFrameBytes({
    rows: dataset.number('Rows') ?? 0,
    columns: dataset.number('Columns') ?? 0,
    bitsAllocated: dataset.number('BitsAllocated') ?? 64,
    samplesPerPixel: dataset.number('SamplesPerPixel') ?? 1,
    photometricInterpretation: dataset.string('PhotometricInterpretation'),
  });
  return frameBytes * Math.max(1, dataset.number('NumberOfFrames') ?? 1);
}

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

/** @param bytes inflated, if the file was deflated
 * @returns a data set whose transfer syntax is what its bytes are, with a warning where the file says otherwise */
function parseBody(bytes: Uint8Array, meta: FileMeta): DicomDataset {
  const { budget, end } = meta;
  const encoding = encodingAt(bytes, end, bytes.length, claimedEncoding(meta));
  const { elements } = parseElements(bytes, end, encoding, budget);
  const { transferSyntaxUID, notices } = actualSyntax(meta, encoding);
  // A spread makes a dictionary of hundreds of names, which Node 20 does in thirteen times the time.
  const whole = Object.assign(elements, meta.elements);
  return new DicomDataset(bytes, whole, transferSyntaxUID, { encoding, budget, depth: 0, warnings: [...notices] });
}
