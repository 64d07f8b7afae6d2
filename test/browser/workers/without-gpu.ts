import '../../../src/browser/worker.ts';

// A browser without WebGPU: the worker asks for it when a model is opened, which is later.
Object.defineProperty(globalThis.navigator, 'gpu', { value: undefined });
