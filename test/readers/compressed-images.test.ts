import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { openFiles } from '../../src/node/files.ts';
import { readVolume } from '../../src/readers/read-volume.ts';

/** test/fixtures/dicom/make_compressed.py wrote these with imagecodecs. */
const folder = new URL('../fixtures/dicom/', import.meta.url);
const expected = z
  .record(z.string(), z.union([z.object({ sha256: z.string() }), z.object({ largestDifference: z.number() })]))
  .parse(JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')));
const image = new Uint16Array(new Uint8Array(readFileSync(new URL('image.raw', folder))).buffer);

it.each(Object.entries(expected))('%s is decoded as its encoder’s own library does', async (name, expectation) => {
  const { volume } = await readVolume(openFiles([new URL(name, folder).pathname]));
  expect(volume.geometry.dimensions).toEqual([60, 44, 1]);
  expect(volume.voxels).toBeInstanceOf(Uint16Array);
  const bytes = new Uint8Array(volume.voxels.buffer);
  if ('sha256' in expectation) {
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(expectation.sha256);
  } else {
    const differences = image.map((value, at) => Math.abs(value - (volume.voxels[at] ?? NaN)));
    expect(Math.max(...differences)).toBeLessThanOrEqual(expectation.largestDifference);
    expect(Math.max(...differences)).toBeGreaterThan(0);
  }
});
