/** OpenJPEG in a thread: answers the bytes of each frame with one CodecOutcome. Plain JavaScript: Node loads it as it is,
 * from src under a TypeScript loader as from dist. */
import { parentPort } from 'node:worker_threads';
import createOpenJpeg from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import { createCodecRunner } from '../codecs/codec-runner.js';

const run = createCodecRunner(async () => {
  /** @type {string[]} */
  const log = [];
  const print = (/** @type {string} */ line) => log.push(line);
  const { J2KDecoder } = await createOpenJpeg({ print, printErr: print });
  return { Decoder: J2KDecoder, log };
});

parentPort?.on('message', (/** @type {Uint8Array} */ bytes) => {
  void run(bytes).then((outcome) => {
    // A cause may be what no message can hold.
    const reply = outcome.pixels === undefined ? { ...outcome, cause: String(outcome.cause) } : outcome;
    parentPort?.postMessage(reply, outcome.pixels === undefined ? [] : [outcome.pixels.buffer]);
  });
});
