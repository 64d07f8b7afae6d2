import dcmjs from 'dcmjs';
import type { JsonAttribute, JsonDataset } from './dicom-json.ts';
import { textOf } from './dicom-json.ts';
import type { PlainFile } from './plain-file.ts';
import { Tag } from './tags.ts';

/** A file's attributes without its pixel data. */
export interface DicomHeader {
  readonly transferSyntaxUID: string;
  readonly dataset: JsonDataset;
}

/** Holds the header of nearly every image, and spares reading its pixels. */
const HEAD_BYTES = 64 * 1024;
/** Longer binary values are not inlined: no viewer needs a vendor's private megabytes for a picture. */
const MAX_INLINE_BYTES = 1 << 20;
const PIXEL_DATA_TAGS = new Set<string>([Tag.PixelData, '7FE00008', '7FE00009']);

dcmjs.log.setLevel('silent');

/** Reads a Part 10 file's attributes, no more of the file than needed.
 * @throws Error if it is none, or is damaged */
export async function readHeader(file: PlainFile): Promise<DicomHeader> {
  const head = await file.read(0, HEAD_BYTES);
  if (!isPart10(head)) throw new Error('it is not a DICOM Part 10 file');
  if (head.length < file.byteLength) {
    const header = tryParse(head);
    if (header !== undefined) return header;
  }
  return parseHeader(head.length < file.byteLength ? await file.read(0, file.byteLength) : head);
}

/** Parses a Part 10 file's attributes, up to its pixel data.
 * @throws Error if it is none, or is damaged */
export function parseHeader(bytes: Uint8Array): DicomHeader {
  if (!isPart10(bytes)) throw new Error('it is no DICOM Part 10 file');
  const { header } = parse(bytes, Tag.PixelData);
  return header;
}

/** The frames of an instance as its transfer syntax left them (PS3.5 A.4): compressed, or native pixels.
 * @throws Error if it has no pixel data or its frames cannot be told apart */
export function parseFrames(bytes: Uint8Array): { readonly transferSyntaxUID: string; readonly frames: Uint8Array[] } {
  const { header, pixelData } = parse(bytes, undefined);
  const { dataset, transferSyntaxUID } = header;
  const numberOfFrames = Number(textOf(dataset, Tag.NumberOfFrames) ?? 1);
  const [first] = pixelData;
  if (first === undefined) throw new Error('it has no pixel data');
  if (pixelData.length === numberOfFrames && (numberOfFrames > 1 || !isNative(transferSyntaxUID))) {
    return { transferSyntaxUID, frames: pixelData };
  }
  if (!isNative(transferSyntaxUID)) {
    if (numberOfFrames > 1) throw new Error(`its ${pixelData.length} fragments do not make ${numberOfFrames} frames`);
    return { transferSyntaxUID, frames: [Buffer.concat(pixelData)] };
  }
  const number = (tag: string, otherwise: number): number => Number(textOf(dataset, tag) ?? otherwise);
  const bits =
    number(Tag.Rows, 0) * number(Tag.Columns, 0) * number(Tag.SamplesPerPixel, 1) * number(Tag.BitsAllocated, 8);
  // Frames of one bit a pixel are packed without padding between them: they cannot be cut at bytes in general.
  if (numberOfFrames > 1 && bits % 8 !== 0) throw new Error('its frames do not begin at bytes; retrieve the instance');
  const byteLength = Math.ceil(bits / 8);
  if (first.length < byteLength * numberOfFrames) throw new Error('it ends within its pixel data');
  return {
    transferSyntaxUID,
    frames: Array.from({ length: numberOfFrames }, (_, frame) =>
      first.subarray(frame * byteLength, (frame + 1) * byteLength),
    ),
  };
}

function isPart10(bytes: Uint8Array): boolean {
  return bytes.length > 132 && Buffer.from(bytes.buffer, bytes.byteOffset + 128, 4).toString('latin1') === 'DICM';
}

const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';
const NATIVE_SYNTAXES = new Set([
  IMPLICIT_LITTLE_ENDIAN,
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2.1.99',
  '1.2.840.10008.1.2.2',
]);

function isNative(transferSyntaxUID: string): boolean {
  return NATIVE_SYNTAXES.has(transferSyntaxUID);
}

/** Undefined if the bytes end before the pixel data: the header may only be longer than the head. */
function tryParse(head: Uint8Array): DicomHeader | undefined {
  try {
    const { header, reachedPixelData } = parse(head, Tag.PixelData);
    return reachedPixelData ? header : undefined;
  } catch {
    return undefined;
  }
}

function parse(
  bytes: Uint8Array,
  untilTag: string | undefined,
): { readonly header: DicomHeader; readonly reachedPixelData: boolean; readonly pixelData: Uint8Array[] } {
  // dcmjs wants an exact ArrayBuffer.
  const { buffer } = new Uint8Array(bytes);
  const { meta, dict } = dcmjs.data.DicomMessage.readFile(buffer, {
    ...(untilTag === undefined ? {} : { untilTag, includeUntilTagValue: false }),
    // Several character sets are no reason to refuse a picture.
    ignoreErrors: true,
  });
  const [transferSyntaxUID] = toJson(meta['00020010'])?.Value ?? [];
  if (typeof transferSyntaxUID !== 'string') throw new Error('it names no transfer syntax');
  const pixels = dict[Tag.PixelData]?.Value;
  return {
    header: { transferSyntaxUID, dataset: withSignedPixelValues(datasetToJson(dict), transferSyntaxUID) },
    reachedPixelData: Tag.PixelData in dict,
    pixelData: Array.isArray(pixels)
      ? pixels.filter((value) => value instanceof ArrayBuffer).map((value) => new Uint8Array(value))
      : [],
  };
}

/** Smallest, largest and padding values of pixels, thresholds: US or SS, as the pixels are (PS3.6 table 6-1). */
const PIXEL_VALUE_TAGS = ['00280106', '00280107', '00280108', '00280109', '00280120', '00280121'];

/** In implicit VR a file does not say which of the two it is, and dcmjs takes US. */
function withSignedPixelValues(dataset: JsonDataset, transferSyntaxUID: string): JsonDataset {
  const isSigned = textOf(dataset, Tag.PixelRepresentation) === '1';
  if (!isSigned || transferSyntaxUID !== IMPLICIT_LITTLE_ENDIAN) return dataset;
  const signed = PIXEL_VALUE_TAGS.flatMap((tag) => {
    const found = dataset[tag];
    if (found?.vr !== 'US') return [];
    const Value = (found.Value ?? []).map((value) => (typeof value === 'number' ? (value << 16) >> 16 : value));
    return [[tag, { ...found, vr: 'SS', ...(found.Value && { Value }) }] as const];
  });
  return { ...dataset, ...Object.fromEntries(signed) };
}

interface Element {
  readonly vr?: unknown;
  readonly Value?: unknown;
}

function datasetToJson(dict: Readonly<Record<string, Element | undefined>>): JsonDataset {
  const entries = Object.entries(dict)
    .filter(([tag]) => !PIXEL_DATA_TAGS.has(tag) && !tag.endsWith('0000'))
    .flatMap(([tag, element]) => {
      const json = toJson(element);
      return json === undefined ? [] : [[tag, json] as const];
    });
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function toJson(element: Element | undefined): JsonAttribute | undefined {
  if (element === undefined || typeof element.vr !== 'string') return undefined;
  const { vr } = element;
  const values: readonly unknown[] = Array.isArray(element.Value) ? element.Value : [element.Value];
  if (vr === 'SQ') {
    const items = values.filter((item) => typeof item === 'object' && item !== null);
    return items.length === 0 ? { vr } : { vr, Value: items.map((item) => datasetToJson({ ...item })) };
  }
  const [first] = values;
  if (first instanceof ArrayBuffer) {
    return first.byteLength === 0 || first.byteLength > MAX_INLINE_BYTES
      ? { vr }
      : { vr, InlineBinary: Buffer.from(first).toString('base64') };
  }
  const json = values.map((value) => valueToJson(vr, value));
  return json.every((value) => value === null) ? { vr } : { vr, Value: json };
}

/** An empty value among others is null (PS3.18 F.2.5). */
function valueToJson(vr: string, value: unknown): unknown {
  if (value === '' || value === undefined || value === null) return null;
  if (vr === 'AT' && typeof value === 'number') return value.toString(16).toUpperCase().padStart(8, '0');
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return value.trimEnd() === '' ? null : value.trimEnd();
  return value;
}
