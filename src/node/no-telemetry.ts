import { isMainThread } from 'node:worker_threads';

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
