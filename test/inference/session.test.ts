import { expect, test } from 'vitest';
import { createSerialQueue } from '../../src/inference/backend.ts';
import { createSession, openingFailed } from '../../src/inference/session.ts';
import { loadTinyModel } from '../support/models.ts';

// As the allocators of C++, onnxruntime, WebAssembly and JavaScript word it.
const LACKS = [
  'std::bad_alloc',
  'bad allocation',
  'Failed to allocate memory for requested buffer of size 4294967296',
  'WebAssembly.Memory(): could not allocate memory: out of memory',
  'Array buffer allocation failed',
  'Worker terminated due to reaching memory limit: JS heap out of memory',
];

test.each(LACKS)('a lack of memory is told as one, in a run and at opening: %s', async (message) => {
  const { manifest } = await loadTinyModel();
  const session = createSession(
    'node',
    manifest,
    { execute: () => Promise.reject(new Error(message)), release: () => Promise.resolve() },
    createSerialQueue(),
  );
  const shape = manifest.input.shape;
  const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
  const lack = { name: 'EnvironmentError', code: 'out-of-memory', remedy: expect.stringContaining('memory') as string };
  await expect(session.run({ shape, data })).rejects.toMatchObject(lack);
  expect(openingFailed(manifest, new Error(message))).toMatchObject(lack);
});
