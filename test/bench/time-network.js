/** `node time-network.js <node | wasm> <threads> <model.onnx>` runs a network on one window again and again and prints,
 * as JSON, its shape and the median milliseconds of a run. WebAssembly has one thread in Node. */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

const WARM_UP = 2;
const RUNS = 9;
const [runtime = '', threads = '', file = ''] = process.argv.slice(2);

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // as src/node does: else the library reports to its maker
const ort = await (runtime === 'wasm' ? import('onnxruntime-web/wasm') : import('onnxruntime-node'));
if (runtime === 'wasm') ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(
  new Uint8Array(readFileSync(file)),
  runtime === 'wasm'
    ? { executionProviders: ['wasm'], logSeverityLevel: 4 }
    : { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
);
const [input] = session.inputMetadata;
if (!input?.isTensor) throw new Error(`${file} takes no tensor`);
const shape = input.shape.map(Number);
const window = new Float32Array(shape.reduce((product, length) => product * length, 1)).map((_, n) =>
  Math.abs(Math.sin(0.37 * n)),
);

const times = [];
for (let n = 0; n < WARM_UP + RUNS; n++) {
  const start = performance.now();
  await session.run({ [input.name]: new ort.Tensor('float32', window, shape) });
  if (n >= WARM_UP) times.push(performance.now() - start);
}
process.stdout.write(JSON.stringify({ shape, ms: times.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] }));
process.exit(0); // onnxruntime-web keeps it waiting
