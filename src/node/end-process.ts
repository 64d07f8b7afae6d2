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
