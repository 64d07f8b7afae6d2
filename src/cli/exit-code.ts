import { EnvironmentError, InputError, isSegmentationError, problemOf } from '../errors.ts';
import { visibleText } from '../visible-text.ts';
import type { CommandSpec } from './parse-arguments.ts';
import { wordRemedy } from './word-remedy.ts';

/** 0 done · 1 our bug · 2 input · 3 environment · 4 some of several series failed · 130 interrupted (128 + SIGINT, as
 * shells count). */
export const ExitCode = { done: 0, bug: 1, input: 2, environment: 3, someFailed: 4, interrupted: 130 } as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof InputError) return ExitCode.input;
  if (error instanceof EnvironmentError) return ExitCode.environment;
  return ExitCode.bug;
}

export interface FormatErrorOptions {
  /** The stack too. */
  readonly withStack: boolean;
  /** Of the command that failed: an option that it has is named with the remedy that it carries out. */
  readonly spec?: CommandSpec | undefined;
}

/** The message and what to do about it, as lines. */
export function formatError(error: unknown, options: FormatErrorOptions): string[] {
  const lines = isSegmentationError(error)
    ? [`error: ${error.message}`, `  ${wordRemedy(problemOf(error), options.spec)}`]
    : [
        `error: Something went wrong that should not: ${error instanceof Error ? error.message : String(error)}`,
        '  Please report it, with the output of the same command under DEBUG=1.',
      ];
  if (options.withStack && error instanceof Error) lines.push(...stacksOf(error));
  return lines;
}

/** A stack begins with the message, which may hold line breaks of others; those of the stack are the runtime's own. */
function stacksOf(error: Error): string[] {
  const { stack = '', message, cause } = error;
  const lines = stack.replace(message, () => visibleText(message)).split('\n');
  return cause instanceof Error ? [...lines, 'caused by:', ...stacksOf(cause)] : lines;
}
