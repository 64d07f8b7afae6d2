export type BackendId = 'webgpu' | 'wasm';

/** A backend that is not used, and why, in words for the user. */
export interface RefusedBackend {
  readonly backendId: BackendId;
  readonly reason: string;
}

/** What a model runs on here, and how fast. */
export interface DeviceReport {
  readonly backendId: BackendId;
  /** The graphics card, as far as the browser names it. */
  readonly adapter?: string;
  /** Of the processor; 1 on a graphics card. */
  readonly threads: number;
  readonly msPerSlice: number;
}

export function backendName(id: BackendId): string {
  return id === 'webgpu' ? 'WebGPU' : 'WebAssembly';
}

/** "WebGPU, nvidia ampere, about 25 s for 300 slices" */
export function describeDevice({ backendId, adapter, threads, msPerSlice }: DeviceReport, slices: number): string {
  const device =
    backendId === 'webgpu'
      ? `WebGPU, ${adapter ?? 'unnamed graphics card'}`
      : `Processor (WebAssembly), ${threads === 1 ? 'one thread' : `${threads} threads`}`;
  return `${device}, about ${describeDuration(msPerSlice * slices)} for ${slices} ${slices === 1 ? 'slice' : 'slices'}`;
}

/** To two digits, as far as an estimate goes. */
function describeDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 1) return 'a second';
  if (seconds < 100) return `${Math.round(seconds)} s`;
  return `${Math.round(seconds / 60)} min`;
}
