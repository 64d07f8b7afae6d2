import type { OpenJpeg } from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import { InputError } from '../errors.ts';
import { damagedFile } from './damaged-file.ts';
import { storedArray, type EncodedFrame, type StoredValues } from './pixel-data.ts';

/** Makes a JPEG 2000 decoder (lossless and lossy); the codec is loaded with the first frame.
 * @param wasmUrl where `openjpegwasm_decode.wasm` is served; needed where the codec cannot find it beside its own
 * script, as in most browser bundles */
export function createJpeg2000Decoder(wasmUrl?: string): (frame: EncodedFrame) => Promise<StoredValues> {
  let codec: Promise<{ openJpeg: OpenJpeg; log: string[] }> | undefined;
  return async (frame) => {
    codec ??= loadCodec(wasmUrl);
    const { openJpeg, log } = await codec;
    log.length = 0;
    return decodeFrame(openJpeg, log, frame);
  };
}

export const decodeJpeg2000 = createJpeg2000Decoder();

async function loadCodec(wasmUrl: string | undefined): Promise<{ openJpeg: OpenJpeg; log: string[] }> {
  const { default: createOpenJpeg } = await import('@cornerstonejs/codec-openjpeg/decodewasmjs');
  // The codec reports every frame, and its errors, on the console alone unless it is given these.
  const log: string[] = [];
  const print = (line: string): unknown => log.push(line);
  const options = { print, printErr: print, ...(wasmUrl === undefined ? {} : { locateFile: () => wasmUrl }) };
  return { openJpeg: await createOpenJpeg(options), log };
}

function decodeFrame(openJpeg: OpenJpeg, log: readonly string[], { bytes, format, fileName }: EncodedFrame) {
  const decoder = new openJpeg.J2KDecoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const info = decoder.getFrameInfo();
    const problem = log.find((line) => line.startsWith('[ERROR]'))?.slice('[ERROR] '.length);
    if (problem !== undefined) throw damagedFile(fileName, `its JPEG 2000 image cannot be decoded (${problem.trim()})`);
    if (info.componentCount !== 1) {
      throw new InputError(
        'unsupported-image',
        `${fileName} holds a JPEG 2000 image of ${info.componentCount} colours.`,
        {
          remedy: 'Use a greyscale series: models take one value a voxel.',
        },
      );
    }
    if (info.width !== format.columns || info.height !== format.rows || info.bitsPerSample > format.bitsAllocated) {
      throw damagedFile(
        fileName,
        `its JPEG 2000 image is ${info.width} × ${info.height} pixels of ${info.bitsPerSample} bits, ` +
          `its header promises ${format.columns} × ${format.rows} of ${format.bitsStored}`,
      );
    }
    return widen(decoder.getDecodedBuffer(), info, { bytes, format, fileName });
  } finally {
    decoder.delete();
  }
}

/** Copies the codec's memory (reused by the next frame) into the header's type. The code stream's own precision and
 * sign decide over the bytes; where the header calls unsigned samples signed, their top stored bit is the sign. */
function widen(
  decoded: Uint8Array,
  { bitsPerSample, isSigned }: { bitsPerSample: number; isSigned: boolean },
  { format, fileName }: EncodedFrame,
): StoredValues {
  const values = storedArray(format, format.rows * format.columns);
  const bytesPerSample = bitsPerSample <= 8 ? 1 : 2;
  if (decoded.length < values.length * bytesPerSample) {
    throw damagedFile(fileName, `its JPEG 2000 image has ${decoded.length} bytes of pixels`);
  }
  if (bytesPerSample * 8 === format.bitsAllocated) {
    new Uint8Array(values.buffer).set(decoded.subarray(0, values.byteLength));
    return values;
  }
  const view = new DataView(decoded.buffer, decoded.byteOffset, decoded.byteLength);
  for (let index = 0; index < values.length; index++) {
    values[index] =
      bytesPerSample === 1
        ? isSigned
          ? view.getInt8(index)
          : view.getUint8(index)
        : isSigned
          ? view.getInt16(2 * index, true)
          : view.getUint16(2 * index, true);
  }
  return values;
}
