// The codecs bring no types. A class is all that is used of a module; see codec-runner.js for what it does.

declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  import type { CodecDecoder } from './codec-runner.js';
  import type { CodecOptions } from './wasm-codec.ts';
  export default function create(
    options: Partial<CodecOptions>,
  ): Promise<{ readonly J2KDecoder: new () => CodecDecoder }>;
}

declare module '@cornerstonejs/codec-openjph/wasmjs' {
  import type { CodecDecoder } from './codec-runner.js';
  import type { CodecOptions } from './wasm-codec.ts';
  export default function create(options: CodecOptions): Promise<{ readonly HTJ2KDecoder: new () => CodecDecoder }>;
}

declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  import type { CodecDecoder } from './codec-runner.js';
  import type { CodecOptions } from './wasm-codec.ts';
  export default function create(options: CodecOptions): Promise<{ readonly JpegLSDecoder: new () => CodecDecoder }>;
}

declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  import type { CodecDecoder } from './codec-runner.js';
  import type { CodecOptions } from './wasm-codec.ts';
  export default function create(options: CodecOptions): Promise<{ readonly JPEGDecoder: new () => CodecDecoder }>;
}
