/** What a terminal obeys or hides instead of showing: C0 and C1 controls with line breaks and DEL, line and paragraph
 * separators, marks of direction and their overrides (UTR 36, UAX 9), signs without width or ink, annotations, and halves of
 * surrogate pairs. Variation selectors choose a shape of the sign before them and stay: Japanese names have them. */
const UNSEEN =
  /(?!\p{Variation_Selector})[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text of others (a name, a DICOM value, a node of a graph) as one line that hides nothing: what a terminal would obey
 * or swallow is written as `\n`, `\x1b`, `\u202e`. Everything else, backslashes too, stays as it is. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (sign) => SHORT[sign] ?? escaped(sign));
}

export interface JsonOptions {
  readonly indent?: number;
  /** As of JSON.stringify. */
  readonly replacer?: (key: string, value: unknown) => unknown;
}

/** JSON with the same signs as escapes of JSON: the same document to a program, and nothing to obey for a terminal. */
export function visibleJson(document: unknown, { indent, replacer }: JsonOptions = {}): string {
  const json = JSON.stringify(document, replacer, indent);
  // The line breaks that are left stand between values; those within are escapes already (ECMA-404, clause 9).
  return json.replace(UNSEEN, (sign) => (sign === '\n' ? sign : unitsOf(sign).join('')));
}

function escaped(sign: string): string {
  const code = sign.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

function unitsOf(sign: string): string[] {
  return Array.from({ length: sign.length }, (_, n) => `\\u${sign.charCodeAt(n).toString(16).padStart(4, '0')}`);
}

/** The name that was probably meant: the fewest edits away, at most a third of its letters and no fewer than two. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Infinity;
  for (const name of names) {
    const edits = name.startsWith(given) && given.length > 1 ? 1 : editDistance(given, name);
    if (edits < fewest && edits <= Math.max(2, name.length / 3)) {
      nearest = name;
      fewest = edits;
    }
  }
  return nearest;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
