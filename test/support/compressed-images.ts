import { expect } from 'vitest';
import { readVolume } from '../../src/series/read-volume.ts';
import { memoryFile } from './memory-file.ts';

// By way of a name, for Vite takes a literal beside import.meta.url for an asset to bundle.
const here = import.meta.url;
const folder = new URL('../fixtures/dicom/', here);

type Expectation = { readonly sha256: string } | { readonly largestDifference: number };

/** One small image in every compression that is read, as test/fixtures/dicom/make_compressed.py wrote it with imagecodecs,
 * and what it must be decoded to. */
export async function compressedImages(): Promise<[name: string, expectation: Expectation][]> {
  const text = new TextDecoder().decode(await fixture('expected.json'));
  return Object.entries(JSON.parse(text) as Record<string, Expectation>);
}

export async function expectDecoded(name: string, expectation: Expectation): Promise<void> {
  const { volume } = await readVolume([memoryFile(name, await fixture(name))]);
  const { geometry, voxels } = volume;
  expect(geometry.dimensions).toEqual([60, 44, 1]);
  if ('sha256' in expectation) {
    const bytes = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength).slice();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    expect(Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(expectation.sha256);
  } else {
    const image = new Uint16Array((await fixture('image.raw')).buffer);
    const differences = image.map((value, at) => Math.abs(value - (voxels[at] ?? NaN)));
    expect(Math.max(...differences)).toBeLessThanOrEqual(expectation.largestDifference);
    expect(Math.max(...differences)).toBeGreaterThan(0);
  }
}

/** From the disk in Node, from the test server in a browser. */
async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(name, folder);
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises');
    return new Uint8Array(await readFile(url));
  }
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
