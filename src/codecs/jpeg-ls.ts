import { createWasmDecoder, readJpegFrame } from './wasm-codec.ts';
import { damagedFile } from '../io/read-limits.ts';
import type { DecodeContext, EncodedFrame, StoredValues } from '../dicom/pixel-data.ts';

/** Decodes JPEG-LS, lossless and near-lossless, with CharLS.
 * @throws InputError `damaged-file` */
export function decodeJpegLs(frame: EncodedFrame, context?: DecodeContext): Promise<StoredValues> {
  const bytes = upToEnd(frame.bytes);
  // Without an end, CharLS takes seconds of zeroes for an image before it gives up.
  if (bytes === undefined) return Promise.reject(damagedFile(frame.fileName, 'its JPEG-LS image is cut off'));
  return decodeWithCharLs({ ...frame, bytes }, context);
}

/** The image with its EOI marker, without what pads it; no entropy-coded byte FF is followed by such a byte (ITU T.87 A.1).
 * @returns undefined if there is no marker */
function upToEnd(bytes: Uint8Array): Uint8Array | undefined {
  for (let at = bytes.lastIndexOf(0xd9); at > 0; at = bytes.lastIndexOf(0xd9, at - 1)) {
    if (bytes[at - 1] === 0xff) return bytes.subarray(0, at + 1);
  }
  return undefined;
}

const decodeWithCharLs = createWasmDecoder({
  name: 'JPEG-LS',
  packageName: '@cornerstonejs/codec-charls',
  load: async (options) => {
    const { default: createCharLs } = await import('@cornerstonejs/codec-charls/decodewasmjs');
    return (await createCharLs(options)).JpegLSDecoder;
  },
  wasmUrl: () => new URL('@cornerstonejs/codec-charls/decodewasm', import.meta.url),
  readFrame: readJpegFrame,
});
