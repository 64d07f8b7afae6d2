import { readJpeg2000Frame } from './code-stream-frame.ts';
import { createWasmDecoder } from './wasm-codec.ts';

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
