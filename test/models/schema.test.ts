import { readFile, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { publishedSchemas, schemaText } from '../../scripts/published-schemas.ts';

const folder = new URL('../../schemas/', import.meta.url);

describe('the published JSON Schemas', () => {
  test.each(publishedSchemas)(
    'schemas/$file is what the code parses with (else: npm run schemas)',
    async (published) => {
      expect(await readFile(new URL(published.file, folder), 'utf8')).toBe(schemaText(published));
    },
  );

  test('every file in schemas/ is one of them', async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
    expect(files.sort()).toEqual(publishedSchemas.map(({ file }) => file).sort());
  });
});
