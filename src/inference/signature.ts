import { ModelError, type EnvironmentError } from '../errors.ts';
import { assertFile, assertSelfContained, type LoadedModel } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { outputShape } from '../models/output-shape.ts';
import { isLackOfMemory, outOfMemory, reasonOf } from './session.ts';

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
