// What follows from a manifest, apart from its schema: a page that only shows results does not load the library of the schema.

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

/** Modifiers that tell one side of the body: Right and Left (PS3.16 CID 244), as SNOMED CT and as SNOMED RT. */
const SIDES: ReadonlySet<string> = new Set(['24028007', '7771000', 'G-A100', 'G-A101']);

/** What of a manifest decides. */
interface SidedModel {
  readonly input: { readonly orientation: string; readonly sliceAxis: string };
  readonly tta: { readonly flips: readonly string[]; readonly rotations: readonly number[] };
  readonly segments: readonly {
    readonly segmentLabel: string;
    readonly segmentedPropertyTypeModifier?: { readonly codeValue: string } | undefined;
  }[];
}

/** What of a manifest shows the model the body with its sides exchanged, or gives it no means to tell them, though a
 * segment has a laterality: its left organs would be labelled as right ones.
 *
 * In slices turned to LPS, columns run to the left unless slices are sagittal, where left is across the slice: a flip of
 * columns and every turn move a side, a flip of rows (front and back, or head and foot) does not. As acquired, slices
 * may be of any direction. Slices that are not turned may show either side first.
 * @returns each contradiction, empty where no segment has a laterality */
export function sidesExchanged({ input, tta, segments }: SidedModel): string[] {
  const sided = segments.find(({ segmentedPropertyTypeModifier: modifier }) =>
    modifier ? SIDES.has(modifier.codeValue) : false,
  );
  if (sided === undefined) return [];
  const why = `"${sided.segmentLabel}" has a laterality`;
  const isInPlane = input.sliceAxis !== 'sagittal';
  return [
    ...(input.orientation === 'any' ? [`input.orientation: any may exchange left and right, and ${why}`] : []),
    ...(isInPlane && tta.flips.includes('i') ? [`tta.flips: i exchanges left and right, and ${why}`] : []),
    ...(isInPlane && tta.rotations.length > 0
      ? [`tta.rotations: ${tta.rotations.join(', ')} move left and right, and ${why}`]
      : []),
  ];
}
