/** Loaded with `node --import` before the CLI: appends the milliseconds of every onnxruntime session.run, measured
 * around the call in the thread that makes it, to the file named by SLICEWISE_RUN_TIMES. The same clock at the same
 * place as in python_stack.py; the CLI's own report counts from handing a slice over until its answer is at hand. */
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import workerThreads from 'node:worker_threads';

if (workerThreads.isMainThread) {
  process.env['ORT_DISABLE_TELEMETRY'] = '1'; // before any thread loads the library
  workerThreads.Worker = class extends workerThreads.Worker {
    /** @param {string | URL} url @param {import('node:worker_threads').WorkerOptions} [options] */
    constructor(url, options = {}) {
      super(url, { ...options, execArgv: [...(options.execArgv ?? []), '--import', import.meta.url] });
    }
  };
  syncBuiltinESMExports();
} else {
  const { InferenceSession } = await import('onnxruntime-node');
  const { prototype } = /** @type {{ prototype: { run: (...args: unknown[]) => Promise<unknown> } }} */ (
    /** @type {unknown} */ (InferenceSession)
  );
  const file = process.env['SLICEWISE_RUN_TIMES'] ?? '';
  const { run } = prototype;
  prototype.run = async function (...args) {
    const start = performance.now();
    try {
      return await run.apply(this, args);
    } finally {
      appendFileSync(file, `${performance.now() - start}\n`);
    }
  };
}
