import { describe, expect, test } from 'vitest';
import type { InferenceBackend, Tensor } from '../../src/inference/backend.ts';
import { verifyModel } from '../../src/inference/self-test.ts';
import { loadGolden } from '../../src/models/load-model.ts';
import { createNodeBackend } from '../../src/node/ort-threads.ts';
import { loadTinyModel, readTinyModel } from '../support/models.ts';

describe('verifyModel', () => {
  test('passes on a backend that computes the golden output', async () => {
    const model = await loadTinyModel();
    const result = await verifyModel(model, createNodeBackend({ threads: 1 }), readTinyModel);
    expect(result).toMatchObject({ ok: true, backendId: 'node', tolerance: model.manifest.golden.tolerance });
    expect(result.maxDifference).toBeLessThanOrEqual(result.tolerance);
    expect(result.durationMs).toBeGreaterThan(0);
  });

  test('fails where one value is further off than the tolerance, and says how far', async () => {
    const fake = await createFakeBackend((values) => {
      values[100] = (values[100] ?? 0) + 0.5;
    });
    const result = await verifyModel(await loadTinyModel(), fake.backend, readTinyModel);
    expect(result.ok).toBe(false);
    // Half a unit was added to a float32 of about 10, whose steps are 1e-6.
    expect(result.maxDifference).toBeCloseTo(0.5, 5);
  });

  test('passes where every value is just within the tolerance', async () => {
    const fake = await createFakeBackend((values, tolerance) => {
      values.forEach((value, at) => (values[at] = value + 0.99 * tolerance));
    });
    expect(await verifyModel(await loadTinyModel(), fake.backend, readTinyModel)).toMatchObject({ ok: true });
  });

  test('fails on NaN', async () => {
    const fake = await createFakeBackend((values) => {
      values[0] = NaN;
    });
    expect(await verifyModel(await loadTinyModel(), fake.backend, readTinyModel)).toMatchObject({
      ok: false,
      maxDifference: Infinity,
    });
  });

  test('disposes the session, also when the run fails', async () => {
    const fake = await createFakeBackend(() => {
      throw new Error('out of memory');
    });
    await expect(verifyModel(await loadTinyModel(), fake.backend, readTinyModel)).rejects.toThrow('out of memory');
    expect(fake.disposed()).toBe(1);
  });
});

/** A backend that answers with the golden output, spoilt. */
async function createFakeBackend(
  spoil: (values: Float32Array, tolerance: number) => void,
): Promise<{ backend: InferenceBackend; disposed: () => number }> {
  const { manifest } = await loadTinyModel();
  const { output } = await loadGolden(manifest, readTinyModel);
  let disposed = 0;
  const run = (): Promise<Tensor> =>
    Promise.resolve().then(() => {
      const data = output.slice();
      spoil(data, manifest.golden.tolerance);
      return { shape: manifest.golden.output.shape, data };
    });
  const dispose = (): Promise<void> => {
    disposed++;
    return Promise.resolve();
  };
  const backend: InferenceBackend = {
    id: 'fake',
    probe: () => Promise.resolve({ available: true }),
    openSession: (model) => Promise.resolve({ backendId: 'fake', model, run, dispose }),
  };
  return { backend, disposed: () => disposed };
}
