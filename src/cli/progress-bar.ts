import type { TextSink } from './command-context.ts';

export interface ProgressBar {
  update(done: number, total: number): void;
  /** Removes the bar, so that what follows starts on a clean line. */
  clear(): void;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 28;
/** ANSI: erase from the cursor to the end of the line. */
const ERASE_LINE = '\r\u001B[K';

/** A bar with slices, rate and time left on a terminal; nothing at all in a pipe, or without a sink. */
export function createProgressBar(
  sink: TextSink | undefined,
  now: () => number = () => performance.now(),
): ProgressBar {
  if (sink?.isTTY !== true) return { update: () => undefined, clear: () => undefined };
  const startedAt = now();
  let drawnAt = -Infinity;
  return {
    update(done, total) {
      const time = now();
      if (time - drawnAt < REDRAW_MS && done < total) return;
      drawnAt = time;
      const line = formatProgress(done, total, time - startedAt);
      sink.write(ERASE_LINE + line.slice(0, widthOf(sink) - 1));
    },
    clear() {
      if (drawnAt > -Infinity) sink.write(ERASE_LINE);
    },
  };
}

/** Some terminals say that they have no columns at all. */
function widthOf({ columns = 0 }: TextSink): number {
  return columns > 0 ? columns : 80;
}

/** One line: bar, slices, rate, time left. */
export function formatProgress(done: number, total: number, elapsedMs: number): string {
  const filled = total > 0 ? Math.round((done / total) * BAR_WIDTH) : 0;
  const bar = '━'.repeat(filled) + '─'.repeat(BAR_WIDTH - filled);
  const slices = `${String(done)}/${String(total)} slices`;
  if (done === 0 || elapsedMs <= 0) return `${bar} ${slices}`;
  const perSecond = (done / elapsedMs) * 1000;
  const secondsLeft = Math.round((total - done) / perSecond);
  return `${bar} ${slices} · ${perSecond.toFixed(perSecond < 10 ? 1 : 0)} slices/s · ${formatSeconds(secondsLeft)} left`;
}

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${String(seconds)} s`;
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`;
}
