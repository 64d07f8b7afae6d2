// Apart from the manifest's schema, so that a page which only shows results does not load the schema's library.

/** What of a manifest says how large the output is. */
export interface OutputDescription {
  readonly input: { readonly shape: readonly [number, number, number, number] };
  readonly output: { readonly stride: number };
  readonly segments: readonly unknown[];
}

/** Classes of the model's output: background and the segments. */
export function classCount({ segments }: Pick<OutputDescription, 'segments'>): number {
  return segments.length + 1;
}

/** [1, classes, rows, columns] of the model's output. */
export function outputShape({ input, output, segments }: OutputDescription): number[] {
  const [, , rows, columns] = input.shape;
  return [1, classCount({ segments }), rows / output.stride, columns / output.stride];
}
