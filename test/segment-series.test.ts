import { describe, expect, test } from 'vitest';
import type { InferenceBackend } from '../src/inference/backend.ts';
import { segmentSeries } from '../src/segment-series.ts';
import type { SourceFile, VolumeReader } from '../src/io/reader.ts';
import { createGeometry } from '../src/volume/geometry.ts';
import type { Volume } from '../src/volume/volume.ts';
import { createFakeSession, createManifest, scoreByValue } from './pipeline/fake-session.ts';

const volume: Volume = {
  geometry: createGeometry({
    dimensions: [16, 12, 1],
    spacing: [1, 1, 5],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  }),
  voxels: new Float32Array(192).fill(1),
};

const reader: VolumeReader = {
  id: 'one volume',
  accepts: () => true,
  find: (files) =>
    Promise.resolve([
      {
        description: {
          format: 'one volume',
          path: 'any',
          contents: 'image',
          fileCount: files.length,
          hasIdentity: false,
          warnings: [],
        },
        files,
        read: () => Promise.resolve({ volume, warnings: [{ code: 'odd', message: 'An odd file.' }] }),
      },
    ]),
};

const file: SourceFile = {
  name: 'any',
  byteLength: 1,
  readHead: () => Promise.resolve(Uint8Array.of(0)),
  read: () => Promise.resolve(Uint8Array.of(0)),
};

describe('segmentSeries', () => {
  test.each(['ends', 'fails'] as const)('closes the model when the work %s', async (how) => {
    let [opened, closed] = [0, 0];
    const manifest = createManifest();
    const backend: InferenceBackend = {
      id: 'fake',
      probe: () => Promise.resolve({ available: true }),
      openSession: () => {
        opened++;
        const session = createFakeSession(manifest, (input) => {
          if (how === 'fails') throw new Error('no luck');
          return scoreByValue(4)(input);
        });
        return Promise.resolve({
          ...session,
          dispose: () => {
            closed++;
            return Promise.resolve();
          },
        });
      },
    };
    const model = { manifest, bytes: new Uint8Array() };
    const promise = segmentSeries([file], { backend, model, readers: [reader], softwareVersion: 'x' });
    if (how === 'fails') await expect(promise).rejects.toThrow('no luck');
    else {
      const { result, volume: read } = await promise;
      expect(read).toBe(volume);
      expect(result.labelmap.voxels.every((label) => label === 3)).toBe(true);
      // The reader's first, then what the file does not say.
      expect(result.warnings.map((warning) => warning.code)).toEqual(['odd', 'unknown-modality', 'unknown-body-part']);
    }
    expect([opened, closed]).toEqual([1, 1]);
  });
});
