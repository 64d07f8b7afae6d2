/** What a standard stream of the process has for it. */
export interface OutputStream {
  write(text: string, written?: () => void): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface StandardStream extends TextSink {
  /** Waits until all is written.
   * @returns why it could not be; a reader that has gone has seen enough, and is no failure */
  failure(): Promise<NodeJS.ErrnoException | undefined>;
}

/** Pipes without a reader, terminals that were closed, and what is written to a stream after that. */
const READER_HAS_GONE = new Set(['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/** A stream whose failure ends nothing but the printing on it.
 * @param options.terminal `TERM`; a dumb one is written to like a file: it has no way to take a line back */
export function standardStream(
  stream: OutputStream,
  { terminal }: { readonly terminal?: string | undefined },
): StandardStream {
  let failed: NodeJS.ErrnoException | undefined;
  stream.on('error', (error) => {
    failed ??= error;
  });
  return {
    write(text) {
      if (failed === undefined) stream.write(text);
    },
    get isTTY() {
      return stream.isTTY === true && terminal !== 'dumb';
    },
    get columns() {
      return stream.columns ?? 0;
    },
    async failure() {
      if (failed === undefined) await new Promise<void>((resolve) => stream.write('', resolve));
      // An error of the last write comes with the next turn.
      await new Promise((resolve) => setImmediate(resolve));
      return failed !== undefined && READER_HAS_GONE.has(failed.code ?? '') ? undefined : failed;
    },
  };
}

/** A terminal or pipe that text is written to. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a command may touch of the process that runs it. */
export interface CommandContext {
  /** Results: people read them, or a program that was asked for with --json. */
  readonly stdout: TextSink;
  /** Progress and warnings. */
  readonly stderr: TextSink;
}

/** For commands that have something to clean up when they are interrupted. */
export interface InterruptibleContext extends CommandContext {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}
