import { ModelError } from '../errors.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { outputLength } from '../models/manifest-facts.ts';
import type { GridView } from '../volume/reorient.ts';
import { createAxisInterpolation, createAxisTaps, type AxisInterpolation, type AxisTaps } from '../volume/resample.ts';

/** One placement of the model's input on a slice. */
export interface Window {
  readonly x: AxisWindow;
  readonly y: AxisWindow;
}

/** One axis of a window: how its pixels are made of voxels, and its scores become voxels again. */
interface AxisWindow {
  readonly toModel: AxisTaps;
  /** Voxel → place on the score grid; scores are clamped at the window's border. */
  readonly fromModel: AxisInterpolation;
  /** Blending weight of each voxel: a tent over the window, in model pixels; 0 outside. */
  readonly weight: Float32Array;
}

/** Far more than a slice of any patient takes: a whole body of 2 m and a model of 6 cm a side take 2,000. */
const MAX_WINDOWS = 4096;

/** The windows that cover a slice at the given spacing, centred on it: one where the slice fits, else as few as overlap
 * by at least a quarter. The same arithmetic as models/training/slicewise_training/data.py, which training used.
 * @param modelSpacing mm a model pixel; the manifest's, or another for a scale of test-time augmentation
 * @throws ModelError `model-mismatch` if there were more than 4,096, as where metres are taken for millimetres */
export function placeWindows(grid: GridView, { input, output }: ModelManifest, modelSpacing: number): Window[] {
  const [, , rows, columns] = input.shape;
  const extents = [grid.columns * grid.spacing.column, grid.rows * grid.spacing.row] as const;
  const sizes = [columns * modelSpacing, rows * modelSpacing] as const;
  const count = windowCount(extents[0], sizes[0], modelSpacing) * windowCount(extents[1], sizes[1], modelSpacing);
  if (!(count <= MAX_WINDOWS)) throw tooManyWindows(count, extents, sizes);
  const axis = (length: number, spacing: number, size: number): AxisWindow[] =>
    windowCentres(length * spacing, size * modelSpacing, modelSpacing).map((centre) =>
      placeWindow({ length, spacing, size, modelSpacing, centre, ...output }),
    );
  const xs = axis(grid.columns, grid.spacing.column, columns);
  const ys = axis(grid.rows, grid.spacing.row, rows);
  return ys.flatMap((y) => xs.map((x) => ({ x, y })));
}

/** Centres of the windows of one axis in mm from the slice's centre; the outer ones are flush with its borders. */
function windowCentres(extent: number, window: number, modelSpacing: number): number[] {
  const count = windowCount(extent, window, modelSpacing);
  if (count === 1) return [0];
  const reach = (extent - window) / 2;
  return Array.from({ length: count }, (_, n) => -reach + (2 * reach * n) / (count - 1));
}

function windowCount(extent: number, window: number, modelSpacing: number): number {
  return extent <= window + modelSpacing / 2 ? 1 : 1 + Math.ceil((extent - window) / (0.75 * window));
}

function tooManyWindows(count: number, extents: readonly number[], sizes: readonly number[]): ModelError {
  const inMm = (lengths: readonly number[]): string => `${lengths.map((mm) => mm.toFixed(0)).join(' × ')} mm`;
  return new ModelError(
    'model-mismatch',
    `A slice of ${inMm(extents)} takes ${count} windows of the model's ${inMm(sizes)}; at most ${MAX_WINDOWS} are run.`,
    { remedy: 'Check the pixel spacing of the image, and its unit.', details: { windows: count, extents, sizes } },
  );
}

interface Placement {
  /** Voxels of the slice along the axis, and their distance in mm. */
  readonly length: number;
  readonly spacing: number;
  /** Pixels of the window, and their distance in mm. */
  readonly size: number;
  readonly modelSpacing: number;
  readonly centre: number;
  readonly stride: number;
  readonly alignCorners: boolean;
}

function placeWindow({ length, spacing, size, modelSpacing, centre, stride, alignCorners }: Placement): AxisWindow {
  const step = modelSpacing / spacing;
  const start = (-(size - 1) / 2) * step + centre / spacing + (length - 1) / 2;
  const pixels = Array.from(
    { length },
    (_, voxel) => (voxel - (length - 1) / 2 - centre / spacing) / step + (size - 1) / 2,
  );
  const cells = outputLength(size, { stride, alignCorners });
  const cellOf = (pixel: number): number =>
    alignCorners ? (pixel * (cells - 1)) / Math.max(size - 1, 1) : (pixel + 0.5) / stride - 0.5;
  return {
    toModel: createAxisTaps(length, size, start, step),
    fromModel: createAxisInterpolation(cells, pixels.map(cellOf)),
    weight: Float32Array.from(pixels, (pixel) => Math.max(0, Math.min(pixel + 1, size - pixel))),
  };
}
