import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createSerialQueue } from '../inference/backend.ts';
import type { CodecOutcome, RunCodec } from '../codecs/codec-runner.js';
import { jpeg2000 } from '../codecs/jpeg-2000.ts';
import { pixelDecoders, type PixelDecoder } from '../codecs/pixel-decoders.ts';
import { JPEG_2000, JPEG_2000_LOSSLESS } from '../dicom/transfer-syntaxes.ts';
import { createWasmDecoder, createWasmRunner } from '../codecs/wasm-codec.ts';

const MAX_THREADS = 4;

/** Half a second of decoding, a thread's start being a tenth. */
const MIN_BYTES = 2 ** 21;

/** The core's decoders, for createDicomReader, with JPEG 2000 in threads: they start with a series that is worth it, and
 * keep the process alive only while they owe an answer.
 * @param threads as many as there are processors by default, four at most */
export function createParallelDecoders(
  threads: number = Math.min(availableParallelism(), MAX_THREADS),
): readonly PixelDecoder[] {
  if (threads < 2) return pixelDecoders;
  const here = createWasmRunner(jpeg2000);
  const lanes = Array.from({ length: threads }, () => ({ queue: createSerialQueue(), run: createThread() }));
  let hasStarted = false;
  let count = 0;
  const decode = createWasmDecoder(jpeg2000, (bytes, { framesLeft, signal } = { framesLeft: 1, signal: undefined }) => {
    hasStarted ||= framesLeft * bytes.length >= MIN_BYTES;
    const lane = lanes[count++ % threads];
    if (!hasStarted || lane === undefined) return here(bytes);
    // A thread that has no memory, or cannot start, takes no frame along.
    return lane.queue.add(() => lane.run(bytes).catch(() => here(bytes)), signal);
  });
  // Two a thread: one that has to wait for the reader would idle.
  return [
    { transferSyntaxUIDs: [JPEG_2000_LOSSLESS, JPEG_2000], framesUnderWay: 2 * threads, decode },
    ...pixelDecoders,
  ];
}

/** One frame at a time. Rejects if the thread ends; the next frame gets a new one. */
function createThread(): RunCodec {
  let worker: Worker | undefined;
  let waiting: { readonly resolve: (outcome: CodecOutcome) => void; readonly reject: (error: Error) => void };
  const start = (): Worker =>
    // No execArgv: a TypeScript loader of the process would only slow the thread's start.
    new Worker(new URL('./jpeg-2000-worker.js', import.meta.url), { execArgv: [] })
      .on('message', (outcome: CodecOutcome) => {
        worker?.unref();
        waiting.resolve(outcome);
      })
      .on('error', () => undefined) // then it exits
      .on('exit', () => {
        worker = undefined;
        waiting.reject(new Error('the thread has ended'));
      });
  return (bytes) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      worker ??= start();
      worker.ref();
      // A copy that can be transferred: the frame is mostly a view of its file.
      const own = new Uint8Array(bytes);
      worker.postMessage(own, [own.buffer]);
    });
}
