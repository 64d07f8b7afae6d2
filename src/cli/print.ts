import type { Notice } from '../volume/volume.ts';
import { visibleJson, visibleText } from '../visible-text.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { TextSink } from './command-context.ts';
import type { CommandSpec } from './parse-arguments.ts';
import { wordAdvice } from './word-remedy.ts';

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
