import { isSegmentationError, visibleText } from '../src/index.ts';

// Everything that the server prints: paths, options and messages of others come with what a terminal would obey made visible.

/** Prints lines; a line break within one is made visible. */
export function print(...lines: readonly string[]): void {
  console.log(visibleLines(lines));
}

/** Prints lines to stderr. */
export function printError(...lines: readonly string[]): void {
  console.error(visibleLines(lines));
}

/** Prints an error that a user can mend with its remedy, any other with its stack. */
export function printFault(error: unknown): void {
  if (isSegmentationError(error)) printError(`error: ${error.message}`, `  ${error.remedy}`);
  else printError(...describe(error));
}

function visibleLines(lines: readonly string[]): string {
  return lines.map(visibleText).join('\n');
}

/** The message in one line, then the places in code, then the same of the cause. */
function describe(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const { name, message, stack = '', cause } = error;
  const head = `${name}: ${message}`;
  const end = stack.indexOf(message) + message.length;
  const places =
    end < message.length
      ? []
      : stack
          .slice(end)
          .split('\n')
          .filter((line) => line !== '');
  const deeper = cause === undefined || depth >= MAX_CAUSES ? [] : describe(cause, depth + 1);
  return [head, ...places, ...deeper.map((line, at) => (at === 0 ? `  caused by ${line}` : `  ${line}`))];
}

const MAX_CAUSES = 5;
