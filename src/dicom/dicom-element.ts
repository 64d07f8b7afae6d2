/** Value representations with a two-byte length (PS3.5 7.1.2). */
type ShortVr = 'CS' | 'DS' | 'IS' | 'LO' | 'SH' | 'UI' | 'UL' | 'US';
/** Those with two reserved bytes and a four-byte length. */
type LongVr = 'OB' | 'OW' | 'SQ';

/** Longest value of a four-byte length: even, and not the undefined length. */
export const MAX_VALUE_LENGTH = 0xffff_fffe;

/** A data element in Explicit VR Little Endian with a text value, padded to even length (PS3.5 6.2). */
export function textElement(tag: number, vr: ShortVr, text: string): Uint8Array {
  const value = new TextEncoder().encode(text);
  const padded = new Uint8Array(value.length + (value.length % 2)).fill(vr === 'UI' ? 0x00 : 0x20);
  padded.set(value);
  return concatBytes([elementHeader(tag, vr, padded.length), padded]);
}

export function numberElement(tag: number, vr: 'UL' | 'US', values: readonly number[]): Uint8Array {
  const value = vr === 'UL' ? new Uint32Array(values) : new Uint16Array(values);
  return concatBytes([elementHeader(tag, vr, value.byteLength), new Uint8Array(value.buffer)]);
}

/** A sequence of explicit length whose items are given as their encoded elements, in ascending order of tags. */
export function sequenceElement(tag: number, items: readonly (readonly Uint8Array[])[]): Uint8Array {
  const encoded = items.flatMap((elements) => [itemHeader(byteLengthOf(elements)), ...elements]);
  return concatBytes([elementHeader(tag, 'SQ', byteLengthOf(encoded)), ...encoded]);
}

/** Tag, VR and length; the value, of even length, follows. */
export function elementHeader(tag: number, vr: ShortVr | LongVr, valueLength: number): Uint8Array {
  const long = vr === 'OB' || vr === 'OW' || vr === 'SQ';
  const header = new Uint8Array(long ? 12 : 8);
  const view = new DataView(header.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  header.set([vr.charCodeAt(0), vr.charCodeAt(1)], 4);
  if (long) view.setUint32(8, valueLength, true);
  else view.setUint16(6, valueLength, true);
  return header;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(byteLengthOf(parts));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function itemHeader(length: number): Uint8Array {
  const header = new Uint8Array([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  new DataView(header.buffer).setUint32(4, length, true);
  return header;
}

function byteLengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
