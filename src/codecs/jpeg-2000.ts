import { createWasmDecoder, readJpeg2000Frame, type WasmCodec } from './wasm-codec.ts';

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

/** Decodes High-Throughput JPEG 2000, lossless and lossy, with OpenJPH. */
export const decodeHighThroughputJpeg2000 = createWasmDecoder({
  name: 'High-Throughput JPEG 2000',
  packageName: '@cornerstonejs/codec-openjph',
  load: async (options) => {
    const { default: createOpenJph } = await import('@cornerstonejs/codec-openjph/wasmjs');
    return (await createOpenJph(options)).HTJ2KDecoder;
  },
  wasmUrl: () => new URL('@cornerstonejs/codec-openjph/wasm', import.meta.url),
  readFrame: readJpeg2000Frame,
});
