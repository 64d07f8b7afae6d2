import { pick, type Random } from './target.ts';

/** A text with one to six changes: signs put in, taken out, repeated, replaced by ones that parsers stumble over. */
export function mutateText(text: string, random: Random, words: readonly string[]): string {
  let changed = text;
  for (let changes = 1 + Math.floor(random() * 6); changes > 0; changes--) {
    const at = Math.floor(random() * (changed.length + 1));
    const length = Math.floor(random() * 12);
    const [head, tail] = [changed.slice(0, at), changed.slice(at)];
    switch (Math.floor(random() * 6)) {
      case 0:
        changed = head + tail.slice(length);
        break;
      case 1:
        changed = head + pick(random, words) + tail;
        break;
      case 2:
        changed = head + pick(random, words) + tail.slice(length);
        break;
      case 3:
        changed = head + tail.slice(0, length).repeat(1 + Math.floor(random() * 40)) + tail;
        break;
      case 4:
        changed = head + pick(random, ODD_SIGNS) + tail;
        break;
      default:
        changed = tail + head;
    }
  }
  return changed.slice(0, MAX_LENGTH);
}

const MAX_LENGTH = 20_000;

/** NUL, line ends, escapes of terminals and of ISO 2022, marks of direction, halves of pairs, what needs more bytes. */
const ODD_SIGNS = [
  '\0',
  '\r\n',
  '\u001B[2J',
  '\u001B$B',
  '\u009B',
  '\u202E',
  '\uD800',
  '𝄞',
  '\\',
  '"',
  '%',
  '%00',
  '%ZZ',
];

/** A JSON value in which some values are others, keys are gone or misspelt, and arrays are longer than anyone needs. */
export function mutateJson(value: unknown, random: Random, rate: number): unknown {
  if (random() < rate) return pick(random, ODD_VALUES);
  if (Array.isArray(value)) {
    const items = value.map((item) => mutateJson(item, random, rate));
    if (random() < rate) return [...items, ...items];
    return random() < rate ? items.slice(1) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(() => random() >= rate / 2)
      .map(([key, item]) => [random() < rate / 2 ? `${key}s` : key, mutateJson(item, random, rate)]),
  );
}

const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 53,
  '',
  '../../../etc/passwd',
  'x'.repeat(10_000),
  [],
  {},
  Array<number>(1000).fill(0),
  JSON.parse('{ "__proto__": { "polluted": 1 }, "constructor": "x", "toString": 1 }'),
];
