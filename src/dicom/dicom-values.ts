import { convertBytes } from 'dicom-character-set';
import { trimEnd } from '../io/bytes.ts';

/** Whether values of a representation are in the Specific Character Set; all others are ASCII. */
export function isEncodedText(vr: string): boolean {
  return ENCODED_TEXT_VRS.has(vr);
}

const ENCODED_TEXT_VRS = new Set(['SH', 'LO', 'ST', 'LT', 'UC', 'UT', 'PN']);

/** Text in its Specific Character Set (PS3.5 6.1.2); a wrong or missing one falls back to UTF-8, then Latin-1. */
export function decodeText(bytes: Uint8Array, characterSet: string | undefined, vr: string): string {
  if (bytes.every((byte) => byte < 0x80 && byte !== 0x1b)) return latin1(bytes);
  if (characterSet !== undefined && characterSet !== 'ISO_IR 6') {
    try {
      return convertBytes(characterSet, bytes, { vr });
    } catch {
      // An unknown term or a broken escape sequence must not stop the reading of an image.
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return latin1(bytes);
  }
}

/** Each byte as the character of its number (ISO 8859-1 with C1; TextDecoder's "latin1" is windows-1252). */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE_BYTES));
  }
  return text;
}

/** Each byte is an argument of a call, and stacks are finite. */
const PIECE_BYTES = 8192;

/** Values are padded to even length with a space, UIDs with a null (PS3.5 6.2). */
export function trimPadding(text: string): string {
  return trimEnd(text.replace(/^ +/, ''), ' \0');
}

/** Reads one value of a binary representation (PS3.5 6.2). */
export interface NumberReader {
  readonly byteLength: number;
  readonly at: (view: DataView, offset: number, littleEndian: boolean) => number;
}

const UINT16: NumberReader = { byteLength: 2, at: (view, offset, little) => view.getUint16(offset, little) };
const UINT32: NumberReader = { byteLength: 4, at: (view, offset, little) => view.getUint32(offset, little) };
const UINT64: NumberReader = { byteLength: 8, at: (view, offset, little) => Number(view.getBigUint64(offset, little)) };
const FLOAT32: NumberReader = { byteLength: 4, at: (view, offset, little) => view.getFloat32(offset, little) };
const FLOAT64: NumberReader = { byteLength: 8, at: (view, offset, little) => view.getFloat64(offset, little) };

/** By representation; others are text, or no numbers. */
export const BINARY_NUMBERS: Readonly<Record<string, NumberReader | undefined>> = {
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

/** A number as DS: at most 16 characters (PS3.5 table 6.2-1), with the most digits that fit. */
export function decimalString(value: number): string {
  for (let digits = 17; ; digits--) {
    const rounded = Number(value.toPrecision(digits));
    const text = [String(rounded), rounded.toExponential()].find(({ length }) => length <= 16);
    if (text !== undefined) return text;
  }
}

/** A source's own DS string, digit by digit; one that is longer than the standard allows is written again from its number. */
export function copiedDecimalString(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= 16 ? trimmed : decimalString(Number(trimmed));
}

/** DA of a moment, in local time as DICOM has it unless an offset is given (PS3.5 6.2). */
export function dateString(moment: Date): string {
  return `${String(moment.getFullYear()).padStart(4, '0')}${twoDigits(moment.getMonth() + 1)}${twoDigits(moment.getDate())}`;
}

/** TM of a moment, in local time. */
export function timeString(moment: Date): string {
  return [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(twoDigits).join('');
}

/** LO and SH are cut to their characters, never within a surrogate pair. */
export function shortened(text: string, characters: number): string {
  return Array.from(text).slice(0, characters).join('').trimEnd();
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
