import { decodeText, InputError, isEncodedText } from '../../src/dicom/datasets.ts';
import type { SingleValue } from './dataset-json.ts';
import type { Frame } from './frame-source.ts';
import { inLittleEndian } from './little-endian.ts';
import { LONG_VALUE_BYTES, type ObjectFile, piecesOf } from './object-file.ts';

/** Text whose bytes are UTF-8 as they are. */
const UTF8_CHARACTER_SETS: ReadonlySet<string | undefined> = new Set([undefined, 'ISO_IR 6', 'ISO_IR 192']);
/** Text in other character sets is in memory while it is translated. */
const MAX_TRANSLATED_BYTES = 2 ** 24;

/** One value as it is sent: numbers in little endian, text in UTF-8. A long one is read from its file as it is sent.
 * @param place where it lies in the file; undefined of a deflated file, whose values are in memory
 * @throws InputError `limit-exceeded` for long text that would have to be translated */
export async function bulkValue(file: ObjectFile, value: SingleValue, place: number | undefined): Promise<Frame> {
  const { bytes, vr, littleEndian, characterSet } = value;
  const { length: byteLength } = bytes;
  const isText = isEncodedText(vr);
  if (place === undefined || byteLength <= LONG_VALUE_BYTES) return inMemoryValue(value, bytes);
  if (isText && !UTF8_CHARACTER_SETS.has(characterSet)) {
    if (byteLength <= MAX_TRANSLATED_BYTES) return inMemoryValue(value, await file.read(place, byteLength));
    throw new InputError('limit-exceeded', `A text of ${byteLength} bytes is not translated to UTF-8.`, {
      remedy: 'Retrieve the instance.',
      details: { limit: MAX_TRANSLATED_BYTES },
    });
  }
  return {
    byteLength,
    async *pieces(opened) {
      // Of whole numbers, which have at most eight bytes.
      for await (const piece of piecesOf(opened, place, byteLength)) yield inLittleEndian(piece, vr, littleEndian);
    },
  };
}

function inMemoryValue({ vr, littleEndian, characterSet }: SingleValue, bytes: Uint8Array): Frame {
  const sent = isEncodedText(vr)
    ? Buffer.from(decodeText(bytes, characterSet, vr))
    : inLittleEndian(bytes, vr, littleEndian);
  // A copy, for the attributes around it may be long.
  const copy = new Uint8Array(sent);
  return {
    byteLength: copy.length,
    async *pieces() {
      yield await Promise.resolve(copy);
    },
  };
}
