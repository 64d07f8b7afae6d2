/** What a compressed image says of its own size. */
export interface CodeStreamFrame {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  /** Of one sample. */
  readonly bits: number;
}

export interface JpegFrame extends CodeStreamFrame {
  /** The low byte of the frame's marker: 0xc0 baseline, 0xc1 extended, 0xc3 lossless, 0xf7 JPEG-LS. */
  readonly process: number;
}

/** Finds the frame header of a JPEG or JPEG-LS image (ITU T.81 B.2.2, T.87 C.2.2).
 * @returns undefined if there is none */
export function readJpegFrame(bytes: Uint8Array): JpegFrame | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let position = 2; position + 10 <= bytes.length;) {
    const marker = bytes[position + 1] ?? 0;
    if (bytes[position] !== 0xff) return undefined;
    if (marker === 0xff) {
      position++; // fill byte
    } else if (isFrameMarker(marker)) {
      return {
        process: marker,
        bits: bytes[position + 4] ?? 0,
        rows: view.getUint16(position + 5),
        columns: view.getUint16(position + 7),
        components: bytes[position + 9] ?? 0,
      };
    } else {
      position += 2 + view.getUint16(position + 2);
    }
  }
  return undefined;
}

/** SOF0 to SOF15 but for the tables DHT, JPG and DAC among them; SOF55. */
function isFrameMarker(marker: number): boolean {
  return (marker >= 0xc0 && marker <= 0xcf && marker % 4 !== 0) || marker === 0xc0 || marker === 0xf7;
}

/** Finds the size of a JPEG 2000 image in its SIZ segment (ITU T.800 A.5.1), also within the boxes of a JP2 file.
 * @returns undefined if there is none */
export function readJpeg2000Frame(bytes: Uint8Array): CodeStreamFrame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = Math.min(bytes.length - 43, 1024);
  for (let position = 0; position <= last; position++) {
    if (view.getUint32(position) !== 0xff4fff51) continue;
    const size = (at: number): number => view.getUint32(position + at) - view.getUint32(position + at + 8);
    const components = view.getUint16(position + 40);
    return { columns: size(8), rows: size(12), components, bits: ((bytes[position + 42] ?? 0) & 0x7f) + 1 };
  }
  return undefined;
}
