import type { StoredValues } from '../../src/dicom/pixel-data.ts';

/** Encodes one frame as RLE Lossless (PS3.5 annex G), with runs and literals. */
export function encodeRle(values: StoredValues): Uint8Array {
  const bytes = littleEndianBytes(values);
  const width = values.BYTES_PER_ELEMENT;
  const segments = Array.from({ length: width }, (_, segment) =>
    packBits(Uint8Array.from({ length: values.length }, (__, n) => bytes[n * width + width - 1 - segment] ?? 0)),
  );
  const header = new DataView(new ArrayBuffer(64));
  header.setUint32(0, width, true);
  let offset = 64;
  segments.forEach((segment, n) => {
    header.setUint32(4 + 4 * n, offset, true);
    offset += segment.length;
  });
  return Uint8Array.from([...new Uint8Array(header.buffer), ...segments.flat()]);
}

export function littleEndianBytes(values: StoredValues): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function packBits(bytes: Uint8Array): number[] {
  const packed: number[] = [];
  let literal: number[] = [];
  const flush = (): void => {
    for (let at = 0; at < literal.length; at += 128) {
      const part = literal.slice(at, at + 128);
      packed.push(part.length - 1, ...part);
    }
    literal = [];
  };
  for (let at = 0; at < bytes.length;) {
    let run = 1;
    while (run < 128 && at + run < bytes.length && bytes[at + run] === bytes[at]) run++;
    if (run > 1) {
      flush();
      packed.push(257 - run, bytes[at] ?? 0);
    } else literal.push(bytes[at] ?? 0);
    at += run;
  }
  flush();
  if (packed.length % 2 === 1) packed.push(0);
  return packed;
}
