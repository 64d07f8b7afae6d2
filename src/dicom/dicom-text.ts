import { convertBytes } from 'dicom-character-set';
import { trimEnd } from '../io/trim-end.ts';

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
