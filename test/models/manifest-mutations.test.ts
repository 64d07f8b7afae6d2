import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadManifest } from '../../src/models/load-model.ts';
import { mutateBytes, survive } from '../support/mutations.ts';

const manifests = ['models/cardiac-mr/manifest.json', 'test/fixtures/models/tiny-heart/manifest.json'];

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const ODD: readonly Json[] = [
  null,
  true,
  -1,
  0,
  1e308,
  -0.5,
  2 ** 53,
  '',
  '../../../etc/passwd',
  'x'.repeat(100_000),
  [],
  {},
  Array<Json>(10_000).fill(0),
  { __proto__: null, constructor: 'x', toString: 1 },
];

/** A copy in which some values are others, keys are gone or twice, and arrays are longer than anyone needs. */
function mutateJson(value: Json, random: () => number, rate: number): Json {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  if (random() < rate) return pick(ODD) ?? null;
  if (Array.isArray(value)) {
    const items = value.map((item) => mutateJson(item, random, rate));
    if (random() < rate) items.push(...items);
    return random() < rate ? items.slice(1) : items;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(() => random() >= rate / 2)
      .map(([key, item]) => [random() < rate / 2 ? `${key}s` : key, mutateJson(item, random, rate)] as const);
    return Object.fromEntries(entries);
  }
  return value;
}

test.each(manifests)('500 damaged files and 500 odd documents of %s are read or refused', async (path) => {
  const file = readFileSync(path);
  const document = JSON.parse(file.toString()) as Json;
  const load = (bytes: Uint8Array) => loadManifest(() => Promise.resolve(bytes));
  const ofBytes = await survive(500, (random) => mutateBytes(file, random), load);
  const ofValues = await survive(
    500,
    (random) => Buffer.from(JSON.stringify(mutateJson(document, random, 0.02 * random()))),
    load,
  );
  for (const { results, refused } of [ofBytes, ofValues]) {
    expect(Object.keys(refused)).toEqual(['invalid-manifest']);
    expect(results + (refused['invalid-manifest'] ?? 0)).toBe(500);
  }
  expect(ofValues.results).toBeGreaterThan(0);
});

test('a manifest larger than its limit is refused before it is parsed', async () => {
  const read = () => Promise.resolve(readFileSync(manifests[0] ?? ''));
  await expect(loadManifest(read, { manifestBytes: 1000 })).rejects.toThrow(
    expect.objectContaining({
      code: 'limit-exceeded',
      message: expect.stringContaining('limit manifestBytes') as string,
    }) as Error,
  );
  await expect(loadManifest(() => Promise.resolve(new Uint8Array(2 ** 20 + 1)))).rejects.toThrow(/limit manifestBytes/);
});

test('values nested a hundred thousand deep are refused, not recursed into', async () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const document = readFileSync(manifests[0] ?? '', 'utf8').replace(/"title": *"[^"]*"/, `"title": ${deep}`);
  await expect(loadManifest(() => Promise.resolve(Buffer.from(document)))).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-manifest' }) as Error,
  );
});
