import { latin1, trimPadding } from '../dicom/dicom-text.ts';

/** Values by the names of their attributes, as text. */
export type CsaHeader = ReadonlyMap<string, readonly string[]>;

/** Reads the header that Siemens scanners keep in (0029,1010): a list of named attributes with items of text. Its later
 * form, CSA2, begins with SV10; the lengths of CSA1's items count from that of the first attribute's.
 * @returns what can be read of it: the attributes before the first that is damaged
 * @see Siemens format CSA, as read by nibabel's csareader and dcm2niix */
export function parseCsaHeader(bytes: Uint8Array): CsaHeader {
  const attributes = new Map<string, readonly string[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLater = latin1(bytes.subarray(0, 4)) === 'SV10';
  let at = isLater ? 8 : 0;
  const has = (byteLength: number): boolean => at + byteLength <= bytes.length;
  const int32 = (): number => {
    at += 4;
    return view.getInt32(at - 4, true);
  };
  if (!has(8)) return attributes;
  const count = int32();
  at += 4;
  if (count < 1 || count > MOST_ATTRIBUTES) return attributes;
  let firstItemCount: number | undefined;
  for (let n = 0; n < count && has(ATTRIBUTE_BYTES); n++) {
    const name = textBefore(bytes.subarray(at, at + NAME_BYTES));
    at += NAME_BYTES;
    const multiplicity = int32();
    at += 8; // representation, twice
    const itemCount = int32();
    at += 4;
    firstItemCount ??= itemCount;
    const values: string[] = [];
    for (let item = 0; item < itemCount; item++) {
      if (!has(16)) return attributes;
      const [first, second] = [int32(), int32()];
      at += 8;
      let byteLength = second;
      if (!isLater) {
        byteLength = first - firstItemCount;
        if (byteLength < 0 || !has(byteLength)) byteLength = second;
      }
      if (byteLength < 0 || !has(byteLength)) return attributes;
      if (item < multiplicity) values.push(textBefore(bytes.subarray(at, at + byteLength)));
      at += byteLength + ((4 - (byteLength % 4)) % 4);
    }
    attributes.set(
      name,
      values.filter((value) => value !== ''),
    );
  }
  return attributes;
}

const NAME_BYTES = 64;
const ATTRIBUTE_BYTES = NAME_BYTES + 20;
/** nibabel's, too. */
const MOST_ATTRIBUTES = 128;

/** What is before the first null; what is behind it is left over from another text. */
function textBefore(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return trimPadding(latin1(end < 0 ? bytes : bytes.subarray(0, end)));
}
