import type { Notice } from '../volume/volume.ts';
import { visibleJson, visibleText } from '../visible-text.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { TextSink } from './standard-stream.ts';
import type { CommandSpec } from './parse-arguments.ts';
import {
  EnvironmentError,
  type ErrorDetails,
  InputError,
  isSegmentationError,
  type Problem,
  problemOf,
} from '../errors.ts';

export const RESEARCH_USE_ONLY = 'Research use only: not a medical device.';

/** Prints each text as one line: what names, DICOM values and messages hold of controls is made visible here, at the edge. */
export function printLines(sink: TextSink, lines: readonly string[]): void {
  if (lines.length > 0) sink.write(lines.map((line) => `${visibleText(line)}\n`).join(''));
}

export function printJson(sink: TextSink, document: unknown): void {
  sink.write(formatJson(document));
}

/** A JSON document, printed or kept in a file. Values are told as they are, in escapes that no terminal obeys; messages and
 * remedies, which are for people to read, as they are printed. */
export function formatJson(document: unknown): string {
  const forPeople = (key: string, value: unknown): unknown =>
    (key === 'message' || key === 'remedy') && typeof value === 'string' ? visibleText(value) : value;
  return `${visibleJson(document, { indent: 2, replacer: forPeople })}\n`;
}

/** @param spec of the command that warns; an option that it has is named behind the warning it is the answer to */
export function printWarnings(sink: TextSink, warnings: readonly Notice[], spec?: CommandSpec): void {
  printLines(
    sink,
    warnings.map((warning) => `warning: ${wordAdvice(warning.message, warning, spec)}`),
  );
}

/** Columns under each other: the first to the left, the others to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map(visibleText));
  const widths = (shown[0] ?? []).map((_, column) => Math.max(...shown.map((row) => row[column]?.length ?? 0)));
  return shown.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** "1 file", "12 files". */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}

export function formatMl(ml: number): string {
  return `${ml.toFixed(ml < 10 ? 2 : 1)} ml`;
}

export function formatSize(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Size, spacing and orientation in two lines. */
export function formatGeometry({ dimensions, spacing, origin, direction }: VolumeGeometry): string[] {
  const extent = dimensions.map((n, axis) => n * (spacing[axis] ?? 0));
  return [
    `${dimensions.join(' × ')} voxels of ${spacing.map((mm) => tidy(mm, 3)).join(' × ')} mm ` +
      `(${extent.map((mm) => tidy(mm, 0)).join(' × ')} mm)`,
    `axes run to ${direction.map(nameDirection).join(', ')}; ` +
      `first voxel at ${origin.map((mm) => tidy(mm, 1)).join(', ')} mm (LPS)`,
  ];
}

/** The patient directions of an axis, the strongest first: "P", oblique "LPH". */
function nameDirection(axis: readonly number[]): string {
  const letters = ['RL', 'AP', 'FH'];
  return axis
    .map((cosine, n) => ({ size: Math.abs(cosine), letter: letters[n]?.charAt(cosine > 0 ? 1 : 0) ?? '' }))
    .filter(({ size }) => size > 0.1)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}

function tidy(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

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

type Advice = Pick<ErrorDetails, 'option' | 'choices'>;

/** The remedy in the command line's words: "Choose one of the volumes (--phase 1 … 2)."
 * @param spec of the command at hand; an option that it lacks is not named */
export function wordRemedy({ remedy, ...advice }: Pick<Problem, 'remedy'> & Advice, spec?: CommandSpec): string {
  return wordAdvice(remedy, advice, spec);
}

/** A sentence with the option that it speaks of in brackets before its full stop. */
export function wordAdvice(sentence: string, { option, choices = [] }: Advice, spec?: CommandSpec): string {
  if (option === undefined || spec === undefined || !Object.hasOwn(spec.options, option)) return sentence;
  const own = spec.options[option];
  const name = `--${option}`;
  const words = own?.type === 'boolean' ? name : wordChoices(name, own?.value ?? 'value', option, choices);
  return `${sentence.replace(/\.$/, '')} (${words}).`;
}

/** More values than these are not listed again: the message has them. */
const MAX_LISTED = 4;
const MAX_LISTED_LENGTH = 20;

function wordChoices(name: string, placeholder: string, option: string, choices: readonly (string | number)[]): string {
  const [first, last] = [choices[0], choices.at(-1)];
  if (option === 'limit' && first !== undefined) return `${name} ${first}=N`;
  const isRange = choices.length > 1 && choices.every((choice, n) => choice === Number(first) + n);
  if (isRange) return `${name} ${String(first)} … ${String(last)}`;
  const isShort = choices.length <= MAX_LISTED && choices.every((choice) => String(choice).length <= MAX_LISTED_LENGTH);
  if (choices.length > 0 && isShort) return choices.map((choice) => `${name} ${choice}`).join(' or ');
  return `${name} <${placeholder}>`;
}

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
