import { describe, expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import { loadGolden, loadManifest, loadModel, sha256Hex, type ReadModelFile } from '../../src/models/load-model.ts';
import { readTinyModel } from '../support/models.ts';

describe('loadModel', () => {
  test('gives the manifest and the bytes that it names', async () => {
    const { manifest, bytes } = await loadModel(readTinyModel);
    expect(manifest.id).toBe('tiny-heart');
    expect(bytes.byteLength).toBe(manifest.file.byteLength);
    expect(await sha256Hex(bytes)).toBe(manifest.file.sha256);
  });

  test('refuses a model file with one byte too few, naming both sizes', async () => {
    const loading = loadModel(readWith('model.onnx', (bytes) => bytes.slice(1)));
    await expect(loading).rejects.toBeInstanceOf(ModelError);
    await expect(loading).rejects.toMatchObject({
      code: 'model-file-mismatch',
      message: expect.stringMatching(/^model\.onnx is not .* has 54916 bytes, expected 54917\.$/) as string,
    });
  });

  test('refuses a model file with one bit changed, naming both hashes', async () => {
    const flipped = readWith('model.onnx', (bytes) => bytes.map((byte, at) => (at === 30_000 ? byte ^ 1 : byte)));
    const { manifest } = await loadModel(readTinyModel);
    await expect(loadModel(flipped)).rejects.toMatchObject({
      name: 'ModelError',
      code: 'model-file-mismatch',
      message: expect.stringMatching(new RegExp(`SHA-256 is [0-9a-f]{64}, expected ${manifest.file.sha256}`)) as string,
    });
  });

  test('refuses a manifest that is not JSON', async () => {
    const page: ReadModelFile = () => Promise.resolve(new TextEncoder().encode('<!doctype html>'));
    await expect(loadModel(page)).rejects.toMatchObject({ name: 'ModelError', code: 'invalid-manifest' });
  });

  test('refuses JSON that is no manifest', async () => {
    const empty: ReadModelFile = () => Promise.resolve(new TextEncoder().encode('{}'));
    await expect(loadManifest(empty)).rejects.toMatchObject({ name: 'ModelError', code: 'invalid-manifest' });
  });

  test('reads no model file before the manifest is found good', async () => {
    const asked: string[] = [];
    const read: ReadModelFile = (path) => {
      asked.push(path);
      return Promise.resolve(new TextEncoder().encode('{}'));
    };
    await expect(loadModel(read)).rejects.toThrow();
    expect(asked).toEqual(['manifest.json']);
  });

  test('hands on what the folder says of a file that it cannot give', async () => {
    const gone = new ModelError('model-file-mismatch', 'There is no model.onnx.', { remedy: 'Fetch it.' });
    const read: ReadModelFile = (path) => (path === 'model.onnx' ? Promise.reject(gone) : readTinyModel(path));
    await expect(loadModel(read)).rejects.toBe(gone);
  });
});

describe('loadGolden', () => {
  test('gives the arrays as float32, also from bytes that are not aligned', async () => {
    const manifest = await loadManifest(readTinyModel);
    const shifted: ReadModelFile = async (path) => {
      const bytes = await readTinyModel(path);
      const buffer = new Uint8Array(bytes.byteLength + 1);
      buffer.set(bytes, 1);
      return buffer.subarray(1);
    };
    const golden = await loadGolden(manifest, readTinyModel);
    expect(golden.input).toHaveLength(3 * 48 * 48);
    expect(golden.output).toHaveLength(4 * 12 * 12);
    expect(Math.max(...golden.input)).toBeLessThanOrEqual(1);
    expect(await loadGolden(manifest, shifted)).toEqual(golden);
  });

  test.each([
    ['shorter than its shape', (bytes: Uint8Array) => bytes.slice(4)],
    ['changed', (bytes: Uint8Array) => bytes.map((byte, at) => (at === 7 ? byte ^ 1 : byte))],
  ])('refuses an array that is %s', async (_, change) => {
    const manifest = await loadManifest(readTinyModel);
    await expect(loadGolden(manifest, readWith('golden/output.f32', change))).rejects.toMatchObject({
      name: 'ModelError',
      code: 'model-file-mismatch',
      message: expect.stringContaining('golden/output.f32') as string,
    });
  });
});

/** The tiny model with one file changed. */
function readWith(changed: string, change: (bytes: Uint8Array) => Uint8Array): ReadModelFile {
  return async (path) => {
    const bytes = Uint8Array.from(await readTinyModel(path));
    return path === changed ? change(bytes) : bytes;
  };
}
