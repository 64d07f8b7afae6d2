import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ModelError } from '../../src/errors.ts';
import { parseManifest } from '../../src/models/manifest.ts';
import { classCount, outputShape } from '../../src/models/manifest-facts.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const faultsFolder = new URL('../fixtures/manifests/', import.meta.url);
const tinyManifest = readJson(new URL('../fixtures/models/tiny-heart/manifest.json', import.meta.url));
const faults = readdirSync(faultsFolder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => {
    const fault = z
      .strictObject({ patch: z.json(), message: z.string().min(10) })
      .parse(readJson(new URL(name, faultsFolder)));
    return { name: name.replace('.json', ''), ...fault };
  });

describe('parseManifest', () => {
  test('accepts a whole manifest and gives it back as it is', () => {
    expect(parseManifest(tinyManifest)).toEqual(tinyManifest);
  });

  test('has fixtures of faults to refuse', () => {
    expect(faults.length).toBeGreaterThan(30);
  });

  test.each(faults)('refuses $name', ({ patch, message }) => {
    const error = errorOf(() => parseManifest(merged(tinyManifest, patch)));
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ code: 'invalid-manifest', message: expect.stringContaining(message) as string });
  });

  test.each(faults)('$name has that one fault and no other', ({ patch }) => {
    const error = errorOf(() => parseManifest(merged(tinyManifest, patch)));
    expect(error).toMatchObject({ details: { problems: [expect.any(String)] } });
  });

  test('accepts a reference to its schema, for editors', () => {
    const $schema = '../../schemas/model-manifest.schema.json';
    expect(parseManifest(merged(tinyManifest, { $schema }))).toMatchObject({ $schema });
  });

  test('names every wrong place, in the message at most eight of them', () => {
    const error = errorOf(() => parseManifest({}));
    expect(error).toMatchObject({ message: expect.stringMatching(/schemaVersion: .*; and \d+ more\.$/) as string });
    expect((error as ModelError).details['problems']).toHaveLength(14);
  });

  test('throws a ModelError and nothing else on any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(errorOf(() => parseManifest(value))).toBeInstanceOf(ModelError);
      }),
    );
  });

  test('throws a ModelError or accepts, whatever one value of a good manifest is replaced by', () => {
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(tinyManifest)), fc.jsonValue(), (path, value) => {
        const error = errorOf(() => parseManifest(replaced(tinyManifest, path, value as Json)));
        expect(error === undefined || error instanceof ModelError).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

test('a manifest has one class more than segments, the background', () => {
  expect(classCount(parseManifest(tinyManifest))).toBe(4);
});

test('the output has a class a channel and one pixel for stride² of the input', () => {
  expect(outputShape(parseManifest(tinyManifest))).toEqual([1, 4, 12, 12]);
});

function readJson(url: URL): Json {
  return JSON.parse(readFileSync(url, 'utf8')) as Json;
}

function errorOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** JSON merge patch, RFC 7396: null removes a key, arrays are replaced. */
function merged(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = merged(result[key] ?? null, value);
  }
  return result;
}

function pathsOf(value: Json, path: string[] = []): string[][] {
  if (value === null || typeof value !== 'object') return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function replaced(value: Json, path: readonly string[], by: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy = structuredClone(value);
  const container = copy as Record<string, Json>;
  container[key] = replaced(container[key] ?? null, rest, by);
  return copy;
}

function isObject(value: Json): value is Record<string, Json> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
