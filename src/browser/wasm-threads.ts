/** Threads for a model on the processor: half of the logical cores, which is about the physical ones, and both where
 * there are two; eight at most. */
export function wasmThreads(cores = globalThis.navigator.hardwareConcurrency): number {
  return Math.min(8, Math.max(Math.min(cores, 2), Math.floor(cores / 2)));
}
