import { EnvironmentError, InternalError, isSegmentationError, ModelError } from '../errors.ts';
import { assertScores } from '../models/assert-scores.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { outputShape } from '../models/manifest-facts.ts';
import type { InferenceSession, SerialQueue, Tensor } from './backend.ts';
import { assertFile, assertSelfContained, type LoadedModel } from '../models/load-model.ts';

/** One model as a runtime has loaded it. */
export interface LoadedGraph {
  /** Called with an input of the manifest's shape, and never while as many calls as the queue allows are under way.
   * @returns the output, or what waits for it and reads it, for which the next call need not wait */
  execute(input: Tensor): Promise<Tensor | ReadOutput>;
  release(): Promise<void>;
}

type ReadOutput = () => Promise<Tensor>;

/** The session that every backend gives: queued runs, checked shapes, typed errors.
 * @param queue shared by all sessions whose runs must not overlap
 * @param runsUnderWay how many runs the queue hands to the graph at once */
export function createSession(
  backendId: string,
  manifest: ModelManifest,
  graph: LoadedGraph,
  queue: SerialQueue,
  runsUnderWay = 1,
): InferenceSession {
  let disposal: Promise<void> | undefined;
  const reading = new Set<Promise<Tensor>>();

  return {
    backendId,
    model: { manifest },
    runsUnderWay,
    async run(input, { signal } = {}) {
      if (disposal !== undefined) throw runOnDisposedSession();
      assertInputShape(input, manifest.input.shape);
      const read = await queue.add(async () => {
        const answer = await graph.execute(input).catch(rethrowAsFailedRun);
        const output = typeof answer === 'function' ? answer() : Promise.resolve(answer);
        reading.add(output);
        return () => output.catch(rethrowAsFailedRun).finally(() => reading.delete(output));
      }, signal);
      const output = await read();
      assertOutputShape(output, manifest);
      assertScores(output.data, manifest);
      return output;
    },
    dispose() {
      disposal ??= queue.add(async () => {
        await Promise.allSettled(reading);
        await graph.release();
      });
      return disposal;
    },
  };
}

/** Inputs are ours. */
function assertInputShape({ shape, data }: Tensor, expected: readonly number[]): void {
  if (isOfShape({ shape, data }, expected)) return;
  throw new InternalError(
    'inference-failed',
    `The model's input has shape [${shape.join(', ')}] and ${data.length} values, ` +
      `but its manifest says [${expected.join(', ')}].`,
    { remedy: 'Please report this.', details: { side: 'input', shape, length: data.length, expected } },
  );
}

/** What a graph with axes of no fixed size gives is known only now. */
function assertOutputShape(output: Tensor, manifest: ModelManifest): void {
  const expected = outputShape(manifest);
  if (isOfShape(output, expected)) return;
  const { shape, data } = output;
  throw new ModelError(
    'model-file-mismatch',
    `The graph gave an output of [${shape.join(', ')}] for an input of [${manifest.input.shape.join(', ')}]; ` +
      `its manifest says [${expected.join(', ')}].`,
    {
      remedy: 'Correct output.stride and the segments in manifest.json, or export the graph as it describes it.',
      details: { side: 'output', shape, length: data.length, expected },
    },
  );
}

function isOfShape({ shape, data }: Tensor, expected: readonly number[]): boolean {
  const count = expected.reduce((product, length) => product * length, 1);
  return String(shape) === String(expected) && data.length === count;
}

function rethrowAsFailedRun(cause: unknown): never {
  if (isSegmentationError(cause)) throw cause;
  if (isLackOfMemory(cause)) throw outOfMemory('run the model', cause);
  throw new ModelError('inference-failed', `The model's graph failed to run: ${reasonOf(cause)}.`, {
    remedy: 'Check the graph and its weights in the runtime that exported it, and export the model again.',
    cause,
  });
}

/** As the allocators of C++, onnxruntime, WebAssembly and JavaScript word it. */
export function isLackOfMemory(cause: unknown): boolean {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return /bad_alloc|bad allocation|out of memory|failed to allocate memory|allocation failed|not enough memory/i.test(
    text,
  );
}

export function outOfMemory(act: string, cause: unknown): EnvironmentError {
  return new EnvironmentError('out-of-memory', `There is not enough memory to ${act} (${reasonOf(cause)}).`, {
    remedy: 'End other programs, choose a smaller model, or use a machine with more memory.',
    cause,
  });
}

export function webAssemblyUnavailable(reason: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('backend-unavailable', `onnxruntime-web does not start: ${reason}.`, {
    remedy: 'Use a runtime with WebAssembly and SIMD: Node 20, or a browser of 2023 or later.',
    cause,
  });
}

function runOnDisposedSession(): InternalError {
  return new InternalError('inference-failed', 'The session is disposed and runs no more.', {
    remedy: 'Open the model again.',
  });
}

/** A cause's first line without its full stop, for a message that quotes it. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return (text.trim().split('\n', 1)[0] ?? '').replace(/\.$/, '');
}

/** One input or output of a graph as its runtime describes it. */
export interface TensorSignature {
  readonly name: string;
  /** As ONNX names it: float32, int64. */
  readonly type: string;
  /** Slowest axis first; an axis of no fixed size is a name. */
  readonly shape: readonly (number | string)[];
}

/** Checks that a graph takes and gives what its manifest says.
 * @throws ModelError `model-file-mismatch` */
export function assertSignature(
  manifest: ModelManifest,
  inputs: readonly TensorSignature[],
  outputs: readonly TensorSignature[],
): void {
  assertHas(manifest, 'input', inputs, { name: manifest.input.name, shape: manifest.input.shape });
  assertHas(manifest, 'output', outputs, { name: manifest.output.name, shape: outputShape(manifest) });
  const surplus = inputs.find(({ name }) => name !== manifest.input.name);
  if (surplus !== undefined) throw unusableModel(manifest, `it has a second input, "${surplus.name}"`);
}

function unusableModel({ file }: ModelManifest, why: string, cause?: unknown): ModelError {
  return new ModelError('model-file-mismatch', `${file.path} cannot be run: ${why}.`, {
    remedy: 'Export the model again as its manifest describes it, or correct the manifest.',
    cause,
  });
}

/** What a runtime said of a model that it did not open. */
export function openingFailed(manifest: ModelManifest, cause: unknown): ModelError | EnvironmentError {
  return isLackOfMemory(cause) ? outOfMemory('open the model', cause) : unusableModel(manifest, reasonOf(cause), cause);
}

/** Checks a model's bytes before a runtime sees them: they are the manifest's, and hold all weights.
 * @throws ModelError `model-file-mismatch` */
export async function assertModelBytes({ manifest, bytes }: LoadedModel): Promise<void> {
  if (bytes.byteLength === 0) {
    throw new ModelError('model-file-mismatch', `${manifest.file.path} has no bytes: an earlier session took them.`, {
      remedy: 'Load the model again, or leave takesBytes out.',
    });
  }
  await assertFile(bytes, manifest.file);
  assertSelfContained(bytes, manifest.file);
}

function assertHas(
  manifest: ModelManifest,
  side: 'input' | 'output',
  found: readonly TensorSignature[],
  expected: { readonly name: string; readonly shape: readonly number[] },
): void {
  const tensor = found.find(({ name }) => name === expected.name);
  const fits =
    tensor?.type === 'float32' &&
    tensor.shape.length === expected.shape.length &&
    tensor.shape.every((length, axis) => typeof length === 'string' || length === expected.shape[axis]);
  if (fits) return;
  const described = found.map(({ name, type, shape }) => `"${name}" ${type} [${shape.join(', ')}]`).join(', ');
  throw unusableModel(
    manifest,
    `its manifest names the ${side} "${expected.name}" float32 [${expected.shape.join(', ')}], the file has ${described}`,
  );
}
