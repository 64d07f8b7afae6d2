// Apart from the manifest's schema, so that a page which only shows results does not load the schema's library.

/** What of a manifest says how large the output is. */
export interface OutputDescription {
  readonly input: { readonly shape: readonly [number, number, number, number] };
  readonly output: { readonly stride: number; readonly alignCorners?: boolean };
  readonly segments: readonly unknown[];
}

/** Classes of the model's output: background and the segments. */
export function classCount({ segments }: Pick<OutputDescription, 'segments'>): number {
  return segments.length + 1;
}

/** Of one axis of the output, for so many pixels of input: not whole where they do not fit the stride. With align_corners
 * a grid of 8 k + 1 pixels, as PSPNet's 473, keeps its first and last pixel: k + 1 cells (Zhao et al. 2017; PyTorch's
 * interpolate). */
export function outputLength(pixels: number, { stride, alignCorners = false }: OutputDescription['output']): number {
  return alignCorners && pixels % stride !== 0 ? (pixels - 1) / stride + 1 : pixels / stride;
}

/** [1, classes, rows, columns] of the model's output. */
export function outputShape({ input, output, segments }: OutputDescription): number[] {
  const [, , rows, columns] = input.shape;
  return [1, classCount({ segments }), outputLength(rows, output), outputLength(columns, output)];
}
