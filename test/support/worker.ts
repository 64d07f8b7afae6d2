/** The module worker of src/browser, as a page starts it. */
export function createSegmentationWorker(): Worker {
  return new Worker(new URL('../../src/browser/worker.ts', import.meta.url), { type: 'module' });
}

const here = import.meta.url; // by way of a name, for Vite takes a literal beside it for an asset to bundle

/** Where the test server has the model folders that test/fixtures/models/make_tiny_model.py makes. */
export const tinyModelUrl = new URL('../fixtures/models/tiny-heart/', here).href;
export const wrongModelUrl = new URL('../fixtures/models/wrong-on-webgpu/', here).href;
