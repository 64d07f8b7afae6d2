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
