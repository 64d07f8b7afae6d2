import { readJpeg2000Frame } from './code-stream-frame.ts';
import { createWasmDecoder } from './wasm-codec.ts';

/** Decodes JPEG 2000, lossless and lossy, with OpenJPEG. */
export const decodeJpeg2000 = createWasmDecoder({
  name: 'JPEG 2000',
  packageName: '@cornerstonejs/codec-openjpeg',
  load: async (options) => {
    const { default: createOpenJpeg } = await import('@cornerstonejs/codec-openjpeg/decodewasmjs');
    return (await createOpenJpeg(options)).J2KDecoder;
  },
  wasmUrl: () => new URL('@cornerstonejs/codec-openjpeg/decodewasm', import.meta.url),
  readFrame: readJpeg2000Frame,
});
