import { visibleText } from '../visible-text.ts';

/** A table as RFC 4180 has it, with a line of column names; null and undefined are empty fields. Texts are of others (paths,
 * labels, messages): their control characters are made visible, so that a row is a line, and none of them is a formula to
 * a spreadsheet. Numbers stay as they are. */
export function formatCsv<Column extends string>(
  columns: readonly Column[],
  rows: readonly Readonly<Partial<Record<Column, string | number | null | undefined>>>[],
): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => field(row[column])))];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

function field(value: string | number | null | undefined): string {
  if (typeof value === 'number') return String(value);
  const text = defused(visibleText(value ?? ''));
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What spreadsheets take for the beginning of a formula, behind white space too (OWASP, CSV Injection): the wide forms of
 * East Asian keyboards count. Tab and return are visible text by now. */
const FORMULA = /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/;

/** With the apostrophe before it that makes it text to a spreadsheet. */
function defused(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}
