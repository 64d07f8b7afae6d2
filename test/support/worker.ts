/** The module worker of src/worker, as a page starts it. */
export function createSegmentationWorker(): Worker {
  return new Worker(new URL('../../src/worker/worker.ts', import.meta.url), { type: 'module' });
}

/** Where the test server has the model folder that test/fixtures/models/make_tiny_model.py makes. */
export const tinyModelUrl = new URL(/* @vite-ignore */ '../fixtures/models/tiny-heart/', import.meta.url).href;
