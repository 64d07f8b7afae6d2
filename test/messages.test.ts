import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_READ_LIMITS } from '../src/io/read-limits.ts';

const checkout = join(import.meta.dirname, '..');
const page = readFileSync(join(checkout, 'docs/messages.md'), 'utf8');

/** The words in the first column of the tables below a heading, up to the next of its level. */
function listed(heading: string): string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
  );
}

/** The sources below folders, without what is built or installed there. */
function sources(...folders: readonly string[]): string {
  return folders
    .flatMap((folder) =>
      readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((path) => /\.(ts|tsx|js)$/.test(path))
    .map((path) => readFileSync(join(checkout, path), 'utf8'))
    .join('\n');
}

/** As ErrorCode has them. */
function errorCodes(): string[] {
  const [, union = ''] = readFileSync(join(checkout, 'src/errors.ts'), 'utf8').split('export type ErrorCode =');
  const [own = ''] = union.split(';');
  return [...own.matchAll(/\| '([a-z0-9-]+)'/g)].map(([, code = '']) => code);
}

describe('docs/messages.md lists', () => {
  test('every code of an error, and no other', () => {
    expect(listed('Errors').toSorted()).toEqual(errorCodes().toSorted());
  });

  test('every code of a warning, and no other', () => {
    const code = sources('src', 'extension/cornerstone', 'extension/ohif');
    const written = [...code.matchAll(/\bcode: '([a-z0-9-]+)'/g)].map(([, word = '']) => word);
    // Some are errors by another road; these two have a name that is made of a backend's, and one that an option turns round.
    const errors = new Set(errorCodes());
    const warned = ['webgpu-refused', 'model-mismatch', 'source-without-identity'];
    const expected = new Set([...written.filter((word) => !errors.has(word)), ...warned]);
    expect(listed('Warnings and notices').toSorted()).toEqual([...expected].toSorted());
  });

  test('every limit with its default', () => {
    expect(listed('Limits')).toEqual(Object.keys(DEFAULT_READ_LIMITS));
    for (const [name, value] of Object.entries<number>({ ...DEFAULT_READ_LIMITS })) {
      const cell = new RegExp(`^\\| \`${name}\` +\\| ([^|]+?) +\\|`, 'm').exec(page)?.[1];
      const words = new Map([
        [2 ** 30, '2³⁰'],
        [8 * 2 ** 30, '8 GiB'],
      ]);
      expect(cell, name).toBe(words.get(value) ?? value.toLocaleString('en'));
    }
  });

  test('every environment variable that a user may set', () => {
    const code = sources('src', 'server', 'sample-data');
    const read = [...code.matchAll(/(?:env|environment)(?:\.|\[')([A-Z][A-Z_]+)\b/g)].map(([, name = '']) => name);
    expect(read.length).toBeGreaterThan(3);
    const variables = new Set(listed('Environment variables'));
    expect(read.filter((name) => !variables.has(name) && name !== 'PATH')).toEqual([]);
  });
});
