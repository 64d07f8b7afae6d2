import { writeFilesTogether } from '../../node/write-file.ts';

/** A file that is written again and again while its content grows, each time as a whole. */
export interface ResultsFile {
  /** Writes the content of now, unless that was done a moment ago. */
  update(): void;
  /** Writes the last content. @throws EnvironmentError `file-not-writable` */
  finish(): Promise<void>;
}

/** To write a table of a thousand series anew for each of them would take longer than the shortest of them. */
const LEAST_INTERVAL_MS = 1000;

export function createResultsFile(path: string, content: () => string): ResultsFile {
  let writtenAt = -Infinity;
  let writing: Promise<unknown> = Promise.resolve();
  const write = (): Promise<unknown> =>
    writeFilesTogether((stage) => stage(path, [new TextEncoder().encode(content())]));
  return {
    update() {
      if (performance.now() - writtenAt < LEAST_INTERVAL_MS) return;
      writtenAt = performance.now();
      // Where it fails now, it may not at the end, which says so.
      writing = writing.then(write).catch(() => undefined);
    },
    async finish() {
      await writing;
      await write();
    },
  };
}
