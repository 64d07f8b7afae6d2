import type { ModelManifest } from './manifest.ts';

// Apart from the schema, so that a page which only shows results does not load the schema's library.

/** Classes of the model's output: background and the segments. */
export function classCount(manifest: Pick<ModelManifest, 'segments'>): number {
  return manifest.segments.length + 1;
}

/** [1, classes, rows, columns] of the model's output. */
export function outputShape({
  input,
  output,
  segments,
}: Pick<ModelManifest, 'input' | 'output' | 'segments'>): number[] {
  const [, , rows, columns] = input.shape;
  return [1, classCount({ segments }), rows / output.stride, columns / output.stride];
}
