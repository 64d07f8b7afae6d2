import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InternalError, ModelError } from '../../src/errors.ts';
import type { InferenceBackend, InferenceSession, Tensor } from '../../src/inference/backend.ts';
import { loadGolden, type LoadedModel } from '../../src/models/load-model.ts';
import type { ModelManifest } from '../../src/models/manifest.ts';
import { loadFailingModel, loadTinyModel, readTinyModel, withBytes } from '../support/models.ts';

interface ContractOptions {
  /** Whether a session is usable after a run that failed; else the next run must fail at once, and say so. */
  readonly survivesFailedRuns?: boolean;
}

/** What every InferenceBackend promises, run against the tiny model. */
export function describeBackendContract(
  name: string,
  backend: InferenceBackend,
  { survivesFailedRuns = true }: ContractOptions = {},
): void {
  describe(`the ${name} backend keeps the contract`, () => {
    let session: InferenceSession;
    let model: LoadedModel;
    let golden: { input: Tensor; output: Tensor };

    beforeEach(async () => {
      model = await loadTinyModel();
      const { input, output } = await loadGolden(model.manifest, readTinyModel);
      golden = {
        input: { shape: model.manifest.golden.input.shape, data: input },
        output: { shape: model.manifest.golden.output.shape, data: output },
      };
      session = await backend.openSession(model);
    });
    afterEach(() => session.dispose());

    test('it is available here, and says so', async () => {
      expect(await backend.probe()).toMatchObject({ available: true });
    });

    test('a session names its backend and its model', () => {
      expect(session.backendId).toBe(backend.id);
      expect(session.model.manifest).toEqual(model.manifest);
    });

    test('the golden input gives the golden output', async () => {
      expectClose(await session.run(golden.input), golden.output);
    });

    test('the output depends on the input alone, not on what ran before', async () => {
      const first = await session.run(copy(golden.input));
      await session.run(noise(3));
      expect(await session.run(copy(golden.input))).toEqual(first);
    });

    test('an output is not overwritten by the next run', async () => {
      const first = await session.run(copy(golden.input));
      const before = copy(first);
      await session.run(noise(4));
      expect(first).toEqual(before);
    });

    test('an input that is a part of a larger buffer is read right, and its neighbours stay', async () => {
      const { shape, data } = golden.input;
      const buffer = new Float32Array(data.length + 20).fill(7);
      buffer.set(data, 10);
      expectClose(await session.run({ shape, data: buffer.subarray(10, 10 + data.length) }), golden.output);
      expect(buffer[0]).toBe(7);
      expect(buffer.length).toBe(data.length + 20);
    });

    test('runs called at once are queued and each gets its own answer', async () => {
      const inputs = [noise(1), golden.input, noise(2)];
      const alone: Tensor[] = [];
      for (const input of inputs) alone.push(await session.run(copy(input)));
      expect(await Promise.all(inputs.map((input) => session.run(copy(input))))).toEqual(alone);
    });

    test('two sessions can be used at once', async () => {
      const other = await backend.openSession(await loadTinyModel());
      const both = await Promise.all([session.run(copy(golden.input)), other.run(copy(golden.input))]);
      for (const output of both) expectClose(output, golden.output);
      await other.dispose();
      expectClose(await session.run(copy(golden.input)), golden.output);
    });

    test.each([
      ['rows', { shape: [1, 3, 24, 48], data: new Float32Array(3 * 24 * 48) }],
      ['rank', { shape: [3, 48, 48], data: new Float32Array(3 * 48 * 48) }],
      ['number of values', { shape: [1, 3, 48, 48], data: new Float32Array(5) }],
    ])('an input of the wrong %s is an InternalError, and the session stays usable', async (_, input) => {
      const run = session.run(input);
      await expect(run).rejects.toBeInstanceOf(InternalError);
      await expect(run).rejects.toMatchObject({
        code: 'inference-failed',
        details: { shape: input.shape, length: input.data.length, expected: [1, 3, 48, 48] },
      });
      expectClose(await session.run(golden.input), golden.output);
    });

    test('a graph that fails to run is a ModelError and does not poison the next', async () => {
      const failing = await backend.openSession(await loadFailingModel());
      const [failed, next] = await Promise.allSettled([failing.run(constant(1.5)), failing.run(constant(0.5))]);
      expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'inference-failed' } });
      expect(failed.status === 'rejected' && failed.reason).toBeInstanceOf(ModelError);
      if (survivesFailedRuns) expect(next.status === 'fulfilled' && next.value.shape).toEqual([1, 4, 12, 12]);
      else expect(next).toMatchObject({ reason: { message: expect.stringContaining('session is lost') as string } });
      await failing.dispose();
    });

    test('a run with an aborted signal rejects with its reason', async () => {
      const reason = new Error('changed my mind');
      await expect(session.run(golden.input, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(golden.input.data.length).toBeGreaterThan(0);
      expectClose(await session.run(golden.input), golden.output);
    });

    test('a run aborted while it waits rejects with the reason; the one before and the one behind give their answers', async () => {
      const controller = new AbortController();
      const before = session.run(copy(golden.input));
      const aborted = session.run(copy(golden.input), { signal: controller.signal });
      const behind = session.run(copy(golden.input));
      const reason = new Error('changed my mind');
      controller.abort(reason);
      await expect(aborted).rejects.toBe(reason);
      expectClose(await before, golden.output);
      expectClose(await behind, golden.output);
    });

    test('an abort after the run changes nothing', async () => {
      const controller = new AbortController();
      const output = await session.run(copy(golden.input), { signal: controller.signal });
      controller.abort();
      expectClose(output, golden.output);
    });

    test('dispose lets the queued runs finish, may be called twice, and ends the session', async () => {
      const queued = session.run(copy(golden.input));
      await Promise.all([session.dispose(), session.dispose()]);
      await session.dispose();
      expectClose(await queued, golden.output);
      await expect(session.run(copy(golden.input))).rejects.toMatchObject({
        code: 'inference-failed',
        message: expect.stringContaining('disposed') as string,
      });
    });

    test.each([
      ['noise', Uint8Array.from({ length: 5000 }, (_, n) => (n * 7919) % 251)],
      ['a web page', new TextEncoder().encode('<!doctype html><title>404</title>')],
    ])('%s instead of a model is a ModelError', async (_, bytes) => {
      const opening = backend.openSession(await withBytes(bytes));
      await expect(opening).rejects.toBeInstanceOf(ModelError);
      await expect(opening).rejects.toMatchObject({ code: 'model-file-mismatch' });
    });

    test('the first half of a model is a ModelError, and another model opens after it', async () => {
      const half = await withBytes(model.bytes.slice(0, model.bytes.length / 2));
      await expect(backend.openSession(half)).rejects.toMatchObject({ code: 'model-file-mismatch' });
      const other = await backend.openSession(await loadTinyModel());
      expectClose(await other.run(golden.input), golden.output);
      await other.dispose();
    });

    test.each<[string, (manifest: ModelManifest) => ModelManifest, RegExp]>([
      ['input name', (m) => ({ ...m, input: { ...m.input, name: 'picture' } }), /input "picture".* has "image"/],
      ['input size', (m) => ({ ...m, input: { ...m.input, shape: [1, 3, 96, 96] } }), /input .*\[1, 3, 96, 96\]/],
      ['output name', (m) => ({ ...m, output: { ...m.output, name: 'scores' } }), /output "scores".* has "logits"/],
      ['stride', (m) => ({ ...m, output: { ...m.output, stride: 8 } }), /output .*\[1, 4, 6, 6\]/],
      ['number of segments', (m) => ({ ...m, segments: m.segments.slice(1) }), /output .*\[1, 3, 12, 12\]/],
    ])('another %s in the manifest than in the file is a ModelError', async (_, change, message) => {
      const { manifest, bytes } = await loadTinyModel();
      await expect(backend.openSession({ manifest: change(manifest), bytes })).rejects.toMatchObject({
        name: 'ModelError',
        code: 'model-file-mismatch',
        message: expect.stringMatching(message) as string,
      });
    });

    test('one loaded model opens one session after the other', async () => {
      for (let count = 0; count < 2; count++) {
        const other = await backend.openSession(model);
        expectClose(await other.run(copy(golden.input)), golden.output);
        await other.dispose();
      }
    });

    test('bytes that are not the ones that the manifest names are a ModelError', async () => {
      const bytes = model.bytes.slice();
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await expect(backend.openSession({ ...model, bytes })).rejects.toMatchObject({
        name: 'ModelError',
        code: 'model-file-mismatch',
        message: expect.stringContaining('SHA-256') as string,
      });
    });

    test('scores of another kind than the manifest says are a ModelError that names their range and sums', async () => {
      const output = { ...model.manifest.output, kind: 'probabilities' as const, temperature: 1 };
      const other = await backend.openSession({ ...model, manifest: { ...model.manifest, output } });
      await expect(other.run(copy(golden.input))).rejects.toMatchObject({
        name: 'ModelError',
        code: 'model-file-mismatch',
        message: expect.stringMatching(/said to be probabilities.*values from -?\d.*sums/) as string,
      });
      await other.dispose();
    });

    test('bytes that an earlier session took are a ModelError that says so', async () => {
      const opening = backend.openSession({ ...model, bytes: new Uint8Array() });
      await expect(opening).rejects.toMatchObject({
        code: 'model-file-mismatch',
        message: expect.stringContaining('earlier session') as string,
      });
    });
  });
}

/** The manifest's own tolerance would do; runtimes differ by 1e-5 on logits of ±30. */
const TOLERANCE = 1e-3;

function expectClose(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.data).toHaveLength(expected.data.length);
  const largest = expected.data.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (actual.data[at] ?? NaN))),
    0,
  );
  expect(largest).toBeLessThanOrEqual(TOLERANCE);
}

function copy({ shape, data }: Tensor): Tensor {
  return { shape, data: data.slice() };
}

function constant(value: number): Tensor {
  return { shape: [1, 3, 48, 48], data: new Float32Array(3 * 48 * 48).fill(value) };
}

/** Different for different seeds, 0…1. */
function noise(seed: number): Tensor {
  const { shape, data } = constant(0);
  return { shape, data: data.map((_, n) => ((n + 1) * seed * 0.6180339887) % 1) };
}
