import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import type { InferenceSession } from '../../src/inference/backend.ts';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import { createNodeBackend } from '../../src/node/ort-threads.ts';
import { compareSessions, expectAgreement } from '../support/agreement.ts';
import { drawnHeart } from '../support/drawn-heart.ts';
import { loadTinyModel } from '../support/models.ts';

const SIZE = 48;

describe('onnxruntime-node and WebAssembly', () => {
  let node: InferenceSession;
  let wasm: InferenceSession;
  beforeAll(async () => {
    node = await createNodeBackend({ threads: 2 }).openSession(await loadTinyModel());
    wasm = await createWasmBackend().openSession(await loadTinyModel());
  });
  afterAll(() => Promise.all([node.dispose(), wasm.dispose()]));

  test.each([
    ['slices of one window', 1, 3],
    ['slices of one window, interpolated', 1, 1.7],
    ['slices of several windows', 3, 2.5],
  ])('label %s alike', async (_, copies, spacing) => {
    const agreement = await compareSessions(await drawnHeart({ copies, spacing }), node, wasm);
    expect(agreement.labelled).toBeGreaterThan(100);
    expect(agreement.voxels).toBe(3 * (copies * SIZE) ** 2);
    expectAgreement(agreement);
  });
});

describe('the comparison', () => {
  let node: InferenceSession;
  beforeAll(async () => {
    node = await createNodeBackend({ threads: 1 }).openSession(await loadTinyModel());
  });
  afterAll(() => node.dispose());

  test.each([1, 3])('tells the gap of the scores where another bias changes labels (%i² copies)', async (copies) => {
    const volume = await drawnHeart({ copies, spacing: 2.5 });
    const agreement = await compareSessions(volume, node, biased(node, 0.25));
    expect(agreement.differing).toBeGreaterThan(0);
    expect(agreement.differing).toBeLessThan(agreement.voxels / 20);
    // A bias on one class turns those voxels, and only those, where that class is behind by less than the bias.
    expect(agreement.largestGap).toBeGreaterThan(0.1);
    expect(agreement.largestGap).toBeLessThanOrEqual(0.25 + 1e-4);
    expect(() => {
      expectAgreement(agreement);
    }).toThrow();
  });

  test('finds no difference of a session with itself', async () => {
    const agreement = await compareSessions(await drawnHeart(), node, node);
    expect(agreement).toMatchObject({ differing: 0, largestGap: 0 });
  });
});

/** The session with a bias added to the scores of its last class. */
function biased(session: InferenceSession, bias: number): InferenceSession {
  return {
    ...session,
    async run(input, options) {
      const { shape, data } = await session.run(input, options);
      const [, classes = 1] = shape;
      const last = data.length - data.length / classes;
      return { shape, data: data.map((score, at) => (at >= last ? score + bias : score)) };
    },
  };
}
