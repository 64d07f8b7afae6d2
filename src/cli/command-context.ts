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
