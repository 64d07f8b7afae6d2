import { readJpegFrame } from './code-stream-frame.ts';
import { createWasmDecoder } from './wasm-codec.ts';

/** Decodes JPEG-LS, lossless and near-lossless, with CharLS. */
export const decodeJpegLs = createWasmDecoder({
  name: 'JPEG-LS',
  packageName: '@cornerstonejs/codec-charls',
  load: async (options) => {
    const { default: createCharLs } = await import('@cornerstonejs/codec-charls/decodewasmjs');
    return (await createCharLs(options)).JpegLSDecoder;
  },
  wasmUrl: () => new URL('@cornerstonejs/codec-charls/decodewasm', import.meta.url),
  readFrame: readJpegFrame,
});
