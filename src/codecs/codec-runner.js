/** A codec of @cornerstonejs at work. Plain JavaScript: a worker thread of Node loads it as it is, from src under a
 * TypeScript loader as from dist. */

/**
 * What the codecs have in common: one object a frame, which must be deleted.
 *
 * @typedef {object} CodecDecoder
 * @property {(byteLength: number) => Uint8Array} getEncodedBuffer
 * @property {() => void} decode
 * @property {() => { readonly bitsPerSample: number, readonly isSigned?: boolean }} getFrameInfo
 * @property {() => Uint8Array} getDecodedBuffer
 * @property {() => void} delete
 *
 * @typedef {object} LoadedCodec
 * @property {new () => CodecDecoder} Decoder
 * @property {string[]} log to which the codec says what is wrong
 *
 * An image, with the code stream's own precision and sign; or why there is none, as far as the codec says.
 *
 * @typedef {{ readonly pixels: Uint8Array<ArrayBuffer>, readonly bitsPerSample: number, readonly isSigned: boolean }
 *   | { readonly pixels?: undefined, readonly problem?: string, readonly cause?: unknown }} CodecOutcome
 *
 * @typedef {(bytes: Uint8Array) => Promise<CodecOutcome>} RunCodec
 */

/** @param {() => Promise<LoadedCodec>} load called with the first frame @returns {RunCodec} rejects as `load` does */
export function createCodecRunner(load) {
  /** @type {Promise<LoadedCodec> | undefined} */
  let loading;
  return async (bytes) => {
    loading ??= load();
    const codec = await loading;
    try {
      return run(codec, bytes);
    } catch (cause) {
      // A C++ exception arrives as a number, a failed assertion as an abort: the next frame gets a new codec.
      loading = undefined;
      return { cause };
    }
  };
}

/** @param {LoadedCodec} codec @param {Uint8Array} bytes @returns {CodecOutcome} */
function run({ Decoder, log }, bytes) {
  log.length = 0;
  const decoder = new Decoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const problem = log.find((line) => line.startsWith('[ERROR]'))?.slice('[ERROR]'.length);
    if (problem !== undefined) return { problem: problem.trim() };
    const { bitsPerSample, isSigned = false } = decoder.getFrameInfo();
    // A copy, for the codec uses its memory again.
    return { pixels: new Uint8Array(decoder.getDecodedBuffer()), bitsPerSample, isSigned };
  } finally {
    decoder.delete();
  }
}
