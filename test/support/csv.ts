/** Reads a table as RFC 4180 has it: its lines as objects by column. */
export function parseCsv(text: string): Record<string, string>[] {
  const lines: string[][] = [[]];
  // A field, quoted or not, and what ends it.
  for (const [, quoted, plain = '', end = ''] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    lines.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\r\n') lines.push([]);
    if (end === '') break;
  }
  const [columns = [], ...rows] = lines.slice(0, -1);
  return rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at] ?? ''])));
}
