import { swapBytes } from '../../src/dicom/datasets.ts';

/** Bytes of one number of a representation; UN and OB are bytes, AT two numbers. */
const WORD_BYTES: Readonly<Record<string, 2 | 4 | 8 | undefined>> = {
  OW: 2,
  US: 2,
  SS: 2,
  AT: 2,
  OF: 4,
  OL: 4,
  UL: 4,
  SL: 4,
  FL: 4,
  OD: 8,
  OV: 8,
  UV: 8,
  SV: 8,
  FD: 8,
};

/** A binary value in little endian, which DICOMweb speaks (PS3.18 8.7.3): swapped if it is not. */
export function inLittleEndian(bytes: Uint8Array, vr: string, littleEndian: boolean): Uint8Array {
  const width = WORD_BYTES[vr];
  return littleEndian || width === undefined ? bytes : swapped(bytes, width);
}

/** A copy with the bytes of each number in the other order; an incomplete last one is left out. */
export function swapped(bytes: Uint8Array, width: 2 | 4 | 8): Uint8Array {
  // Not slice: that of a Buffer is a view.
  const copy = new Uint8Array(bytes.subarray(0, bytes.length - (bytes.length % width)));
  const length = copy.length / width;
  if (width === 2) swapBytes(new Uint16Array(copy.buffer, 0, length));
  else if (width === 4) swapBytes(new Uint32Array(copy.buffer, 0, length));
  else swapBytes(new Float64Array(copy.buffer, 0, length));
  return copy;
}
