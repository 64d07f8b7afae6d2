import { ITEM_DELIMITATION, LONG_VRS, UNDEFINED_LENGTH, type DicomEncoding } from './element-stream.ts';

// How bytes are encoded, told by the bytes: what a file says of its encoding may be missing or wrong.

const ENCODINGS: readonly DicomEncoding[] = [
  { isImplicit: false, littleEndian: true },
  { isImplicit: true, littleEndian: true },
  { isImplicit: false, littleEndian: false },
  { isImplicit: true, littleEndian: false },
];
/** PS3.5 6.2 */
const VRS: ReadonlySet<string> = new Set([
  ...LONG_VRS,
  ...['AE', 'AS', 'AT', 'CS', 'DA', 'DS', 'DT', 'FD', 'FL', 'IS', 'LO', 'LT', 'PN', 'SH', 'SL', 'SS', 'ST', 'TM'],
  ...['UI', 'UL', 'US'],
]);
/** Of undefined length may be these (PS3.5 7.1.1, A.4). */
const OPEN_VRS: ReadonlySet<string> = new Set(['SQ', 'UN', 'OB', 'OW']);
/** Elements that settle an encoding. */
const ENOUGH = 4;
/** Elements that make a data set of a file that does not say that it is DICOM. */
const ENOUGH_WITHOUT_PREFIX = 3;
const PREFIX = [0x44, 0x49, 0x43, 0x4d]; // DICM

/** Where the file meta information, or a data set without any, begins.
 * @param head the first bytes of a file, 352 or more where it has as many
 * @returns undefined if the file is not DICOM: after the prefix of PS3.10 7.1 anything may follow, without it there must
 * be the first elements of group 2 or group 8 */
export function startOfDicom(head: Uint8Array): number | undefined {
  if (hasPrefix(head, 128)) return 132;
  if (beginsFile(head, 0)) return 0;
  if (hasPrefix(head, 0) && beginsFile(head, 4)) return 4;
  // A preamble with another prefix, or with none.
  return [132, 128].find((at) => groupAt(head, at, true) === 0x0002 && beginsFile(head, at));
}

/** How the elements at a place are encoded.
 * @param claimed by the file; returned unless others read more of what is there
 * @param end of the bytes that may be read */
export function encodingAt(bytes: Uint8Array, at: number, end: number, claimed: DicomEncoding): DicomEncoding {
  let best = claimed;
  let most = plausibleElements(bytes, at, end, claimed);
  if (most >= ENOUGH) return claimed;
  for (const encoding of ENCODINGS) {
    const count = plausibleElements(bytes, at, end, encoding);
    if (count > Math.max(most, 1)) [best, most] = [encoding, count];
  }
  return best;
}

/** Whether two bytes, as text, are a value representation. */
export function isVr(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && VRS.has(String.fromCharCode(a, b));
}

function hasPrefix(head: Uint8Array, at: number): boolean {
  return PREFIX.every((byte, n) => head[at + n] === byte);
}

/** Whether a file meta information or an image's data set begins there, in any encoding. */
function beginsFile(head: Uint8Array, at: number): boolean {
  return ENCODINGS.some((encoding) => {
    const { isImplicit, littleEndian } = encoding;
    const group = groupAt(head, at, littleEndian);
    // Group 2 is in explicit little endian (PS3.10 7.1).
    if (group === 0x0002) return !isImplicit && littleEndian && beginsFileMeta(head, at, encoding);
    if (group !== 0x0008) return false;
    // Its first elements: (0008,0005), (0008,0008), (0008,0016) …
    if (groupAt(head, at + 2, littleEndian) > LAST_FIRST_ELEMENT) return false;
    return plausibleElements(head, at, head.length, encoding, true) >= ENOUGH_WITHOUT_PREFIX;
  });
}

const LAST_FIRST_ELEMENT = 0x70;
const TRANSFER_SYNTAX_UID = 0x00020010;

/** By three elements, or one that names a transfer syntax: a data set in another encoding may follow at once. */
function beginsFileMeta(head: Uint8Array, at: number, encoding: DicomEncoding): boolean {
  let [position, last] = [at, -1];
  for (let count = 0; count < ENOUGH_WITHOUT_PREFIX; count++) {
    const element = elementAt(head, position, head.length, encoding);
    if (element === undefined || element.tag <= last || element.tag >>> 16 !== 0x0002) return false;
    const { tag, length, valueAt } = element;
    const isUid = head[valueAt] === 0x31 && head[valueAt + 1] === 0x2e; // 1.
    if (tag === TRANSFER_SYNTAX_UID && isUid && length <= 64) return true;
    if (length % 2 !== 0 || valueAt + length > head.length) return false;
    [position, last] = [valueAt + length, tag];
  }
  return true;
}

function groupAt(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  const [a = 0, b = 0] = [bytes[at], bytes[at + 1]];
  return littleEndian ? a + 256 * b : 256 * a + b;
}

/** How many elements follow each other there as in a data set: tags ascend, representations exist, lengths stay within the
 * bytes. At most {@link ENOUGH}, which is also the answer where they fill the bytes or their item.
 * @param isStrict even groups of low number and even lengths, as an image's first elements have */
function plausibleElements(
  bytes: Uint8Array,
  at: number,
  end: number,
  encoding: DicomEncoding,
  isStrict = false,
): number {
  let last = -1;
  let position = at;
  for (let count = 0; count < ENOUGH; count++) {
    if (position === end && count > 0) return ENOUGH;
    const element = elementAt(bytes, position, end, encoding);
    if (element === undefined) return count;
    const { tag, length, valueAt } = element;
    if (tag === ITEM_DELIMITATION) return count > 0 ? ENOUGH : 0;
    if (tag <= last || tag < 0x00020000 || tag >= ITEM_DELIMITATION) return count;
    if (isStrict && (tag >= 0x00300000 || (tag & 0x10000) !== 0 || (length % 2 !== 0 && length !== UNDEFINED_LENGTH))) {
      return count;
    }
    if (length === UNDEFINED_LENGTH) return count + 1;
    if (valueAt + length > end) return count;
    last = tag;
    position = valueAt + length;
  }
  return ENOUGH;
}

function elementAt(
  bytes: Uint8Array,
  at: number,
  end: number,
  { isImplicit, littleEndian }: DicomEncoding,
): { readonly tag: number; readonly length: number; readonly valueAt: number } | undefined {
  if (at + 8 > end) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = view.getUint16(at, littleEndian) * 0x10000 + view.getUint16(at + 2, littleEndian);
  if (isImplicit || tag === ITEM_DELIMITATION) {
    return { tag, length: view.getUint32(at + 4, littleEndian), valueAt: at + 8 };
  }
  if (!isVr(bytes[at + 4], bytes[at + 5])) return undefined;
  const vr = String.fromCharCode(bytes[at + 4] ?? 0, bytes[at + 5] ?? 0);
  if (!LONG_VRS.has(vr)) return { tag, length: view.getUint16(at + 6, littleEndian), valueAt: at + 8 };
  if (at + 12 > end) return undefined;
  const length = view.getUint32(at + 8, littleEndian);
  if (length === UNDEFINED_LENGTH && !OPEN_VRS.has(vr)) return undefined;
  return { tag, length, valueAt: at + 12 };
}
