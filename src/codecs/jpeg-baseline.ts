import { readJpegFrame } from './code-stream-frame.ts';
import { createWasmDecoder } from './wasm-codec.ts';

/** Decodes JPEG of 8 bits a sample with libjpeg-turbo. */
export const decodeJpegBaseline = createWasmDecoder({
  name: 'JPEG',
  packageName: '@cornerstonejs/codec-libjpeg-turbo-8bit',
  load: async (options) => {
    const { default: createLibJpeg } = await import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
    return (await createLibJpeg(options)).JPEGDecoder;
  },
  wasmUrl: () => new URL('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm', import.meta.url),
  readFrame: readJpegFrame,
});
