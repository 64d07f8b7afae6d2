import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

let runsAreAbandoned = false;

/** Whether the process is ending without waiting for runs under way. */
export function areRunsAbandoned(): boolean {
  return runsAreAbandoned;
}

/** Ends the process by a signal, as if nobody had caught it, once what listens to its exit has cleaned up: with runs of a
 * model under way, process.exit would wait for them, and native code cannot be interrupted. A shell shows 128 and the
 * signal's number, 130 after Ctrl-C. */
export function endProcessBySignal(signal: 'SIGINT' | 'SIGTERM'): void {
  runsAreAbandoned = true;
  process.emit('exit', 130);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Between an abort and the end of the process, for what can be interrupted to unwind by itself. */
export const UNWINDING_MS = 600;

/** onnxruntime-node 1.30 reports to its maker on Linux and macOS unless this stands in the process's environment when its
 * native library is loaded (onnxruntime/core/platform/posix/telemetry.cc): a device id and an event database under the
 * user's cache folder, and an uploader. Once loaded, nothing stops it. */
const SWITCH = 'ORT_DISABLE_TELEMETRY';

/** Switches onnxruntime's reports off for this process and those that it starts; to be called before the library is
 * loaded. Only the main thread's process.env is the process's own: a worker thread's is a copy that the native library
 * does not see.
 * @returns whether they are off: false in a worker thread of a process that did not have it so */
export function disableRuntimeTelemetry(): boolean {
  if (isMainThread) {
    process.env[SWITCH] = '1';
    return true;
  }
  return realEnvironment()[SWITCH] === '1';
}

/** The process's environment as native code sees it, from any thread. */
function realEnvironment(): Readonly<Record<string, unknown>> {
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('environmentVariables' in report)) return {};
  const { environmentVariables } = report;
  return typeof environmentVariables === 'object' && environmentVariables !== null ? { ...environmentVariables } : {};
}

/** How a user gets the native runtime. Its install script fetches CUDA libraries from another host and fails where only the
 * npm registry can be reached; the build for the processor is in the package itself. */
export const INSTALL_NATIVE_RUNTIME = 'npm i onnxruntime-node --ignore-scripts';

/** Whether onnxruntime-node, an optional peer dependency, is installed where Slicewise finds it; nothing of it is loaded.
 * @returns false where only the WebAssembly backend can run */
export function isNativeRuntimeInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}
