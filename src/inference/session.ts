import { InternalError, isSegmentationError } from '../errors.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { outputShape } from '../models/output-shape.ts';
import type { InferenceSession, Tensor } from './backend.ts';
import type { SerialQueue } from './queue.ts';

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
      assertShape('input', input, manifest.input.shape);
      const read = await queue.add(async () => {
        const answer = await graph.execute(input).catch(rethrowAsFailedRun);
        const output = typeof answer === 'function' ? answer() : Promise.resolve(answer);
        reading.add(output);
        return () => output.catch(rethrowAsFailedRun).finally(() => reading.delete(output));
      }, signal);
      const output = await read();
      assertShape('output', output, outputShape(manifest));
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

function assertShape(side: 'input' | 'output', { shape, data }: Tensor, expected: readonly number[]): void {
  const count = expected.reduce((product, length) => product * length, 1);
  if (String(shape) === String(expected) && data.length === count) return;
  throw new InternalError(
    'inference-failed',
    `The model's ${side} has shape [${shape.join(', ')}] and ${data.length} values, ` +
      `but its manifest says [${expected.join(', ')}].`,
    { remedy: 'Please report this.', details: { side, shape, length: data.length, expected } },
  );
}

function rethrowAsFailedRun(cause: unknown): never {
  if (isSegmentationError(cause)) throw cause;
  throw new InternalError('inference-failed', `The model failed to run: ${reasonOf(cause)}.`, {
    remedy: 'Please report this, with the model and the series that show it.',
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
