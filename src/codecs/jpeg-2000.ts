import { readJpeg2000Frame } from './code-stream-frame.ts';
import { createWasmDecoder, type WasmCodec } from './wasm-codec.ts';

/** JPEG 2000, lossless and lossy: OpenJPEG. */
export const jpeg2000: WasmCodec = {
  name: 'JPEG 2000',
  packageName: '@cornerstonejs/codec-openjpeg',
  load: async (options) => {
    const { default: createOpenJpeg } = await import('@cornerstonejs/codec-openjpeg/decodewasmjs');
    return (await createOpenJpeg(options)).J2KDecoder;
  },
  wasmUrl: () => new URL('@cornerstonejs/codec-openjpeg/decodewasm', import.meta.url),
  readFrame: readJpeg2000Frame,
};

export const decodeJpeg2000 = createWasmDecoder(jpeg2000);
