import { InputError } from '../errors.ts';
import { encodingAt, isVr } from './dicom-encoding.ts';
import {
  ElementStream,
  isPixelDataTag,
  UNDEFINED_LENGTH,
  type DicomElement,
  type DicomEncoding,
  type ParseBudget,
} from './element-stream.ts';
import { assertWithinLimit } from '../io/read-limits.ts';

export { isPixelDataTag, UNDEFINED_LENGTH, type DicomElement, type DicomEncoding, type ParseBudget };

export type DicomElements = Readonly<Record<string, DicomElement>>;

/** In one data set or item. */
const MAX_ATTRIBUTES = 65_536;

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
): { readonly elements: Record<string, DicomElement>; readonly end: number } {
  const elements: Record<string, DicomElement> = {};
  if (start >= bytes.length) return { elements, end: start };
  const stream = streamOver(bytes, start, bytes.length, encoding, budget);
  let count = 0;
  while (stream.position < bytes.length) {
    assertFewAttributes(++count, budget);
    if (isFileMeta && stream.peekGroup() !== 0x0002) break;
    const element = stream.readElement(0);
    if (element === undefined) throw new Error(`an item ends at byte ${stream.position} that never began`);
    elements[element.tag] = element;
    if (isPixelDataTag(element.tag)) break;
  }
  return { elements, end: stream.position };
}

interface DicomItem {
  readonly elements: DicomElements;
  readonly encoding: DicomEncoding;
}

/** The items of a sequence, each with its attributes and its own encoding.
 * @param depth of the sequence: 1 at the top
 * @throws as {@link parseElements} */
export function parseItems(
  bytes: Uint8Array,
  { dataOffset, length, itemEncoding }: DicomElement,
  encoding: DicomEncoding,
  budget: ParseBudget,
  depth: number,
): DicomItem[] {
  const items: DicomItem[] = [];
  if (length === 0) return items;
  const end = Math.min(bytes.length, dataOffset + length);
  const own = itemEncoding === undefined ? encoding : unknownItemsEncoding(bytes, dataOffset, itemEncoding);
  readItems(streamOver(bytes, dataOffset, end, own, budget), budget, depth, (item) => items.push(item));
  return items;
}

function streamOver(
  bytes: Uint8Array,
  position: number,
  end: number,
  encoding: DicomEncoding,
  budget: ParseBudget,
): ElementStream {
  return new ElementStream(bytes, { position, end }, encoding, budget, (stream, vr, depth) =>
    endOfUndefined(stream, budget, vr, depth),
  );
}

/** Where a value of undefined length ends: a sequence, or the fragments of an icon's pixel data. */
function endOfUndefined(stream: ElementStream, budget: ParseBudget, vr: string | undefined, depth: number): number {
  if (vr === 'OB' || vr === 'OW') {
    while (stream.position < stream.end) {
      const { isDelimiter, length } = stream.readItemHead();
      if (isDelimiter) return stream.position;
      stream.seek(length);
    }
    throw new Error('it ends within compressed pixel data');
  }
  const items = vr === 'UN' ? streamOfUnknown(stream, budget) : stream;
  if (!readItems(items, budget, depth)) throw new Error('it ends within a sequence');
  return items.position;
}

function streamOfUnknown({ byteArray, position, end }: ElementStream, budget: ParseBudget): ElementStream {
  const encoding = unknownItemsEncoding(byteArray, position, { isImplicit: true, littleEndian: true });
  return streamOver(byteArray, position, end, encoding, budget);
}

/** A sequence of unknown representation is in implicit little endian (PS3.5 6.2.2); writers of big endian files leave it as
 * it was. */
function unknownItemsEncoding(bytes: Uint8Array, at: number, assumed: DicomEncoding): DicomEncoding {
  const isBig = bytes[at] === 0xff && bytes[at + 1] === 0xfe;
  return isBig ? { ...assumed, littleEndian: false } : assumed;
}

/** Reads items up to the end or the delimiter of the sequence; those of known length only where there is `onItem`.
 * @returns whether there was a delimiter */
function readItems(
  stream: ElementStream,
  budget: ParseBudget,
  depth: number,
  onItem?: (item: DicomItem) => void,
): boolean {
  assertWithinLimit(depth, 'sequenceDepth', budget.limits, {
    name: budget.name,
    what: 'sequences within each other',
  });
  while (stream.position < stream.end) {
    const { isDelimiter, length } = stream.readItemHead();
    if (isDelimiter) return true;
    if (onItem === undefined && length !== UNDEFINED_LENGTH) stream.seek(length);
    else readItem(stream, budget, length, depth, onItem);
  }
  return false;
}

function readItem(
  stream: ElementStream,
  budget: ParseBudget,
  length: number,
  depth: number,
  onItem: ((item: DicomItem) => void) | undefined,
): void {
  const isOpenEnded = length === UNDEFINED_LENGTH;
  const start = stream.position;
  if (!isOpenEnded && start + length > stream.end) throw new Error('it ends within an attribute');
  const end = isOpenEnded ? stream.end : start + length;
  const encoding = itemEncoding(stream, end);
  const isOwn = encoding === stream.encoding;
  const reader = isOwn ? stream : streamOver(stream.byteArray, start, end, encoding, budget);
  const endOfSequence = stream.end;
  reader.end = end;
  const elements: Record<string, DicomElement> = {};
  let isOpen = true;
  let count = 0;
  while (isOpen && reader.position < end) {
    assertFewAttributes(++count, budget);
    const element = reader.readElement(depth);
    if (element === undefined) isOpen = false;
    else elements[element.tag] = element;
  }
  if (isOpen && isOpenEnded) throw new Error('it ends within a sequence');
  stream.end = endOfSequence;
  stream.position = isOpenEnded ? reader.position : end;
  onItem?.({ elements, encoding });
}

/** Of the item that begins at the stream's position: some writers put explicit items into implicit sequences. (Implicit
 * elements among explicit ones are told one by one.) */
function itemEncoding({ byteArray, position, encoding }: ElementStream, end: number): DicomEncoding {
  if (!encoding.isImplicit || !isVr(byteArray[position + 4], byteArray[position + 5])) return encoding;
  return encodingAt(byteArray, position, end, encoding);
}

/** A tag occurs once in a data set (PS3.5 7.1), and real data sets have some hundreds: what has more is filled with
 * something else, such as zeroes, and would take memory for each. */
function assertFewAttributes(count: number, { name }: ParseBudget): void {
  if (count <= MAX_ATTRIBUTES) return;
  throw new InputError(
    'limit-exceeded',
    `${name} has more than ${MAX_ATTRIBUTES} attributes in one data set: it is filled with something else.`,
    { remedy: 'Use another copy of the file.', details: { file: name, most: MAX_ATTRIBUTES } },
  );
}
