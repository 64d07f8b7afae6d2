import type { Tensor } from '../inference/backend.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { GridView } from '../volume/reorient.ts';
import { resamplePlane } from '../volume/resample.ts';
import type { Volume, VoxelArray } from '../volume/volume.ts';
import { intensityRange, type IntensityRange } from './intensity.ts';
import type { PlacedView, SliceRun } from './slice-runs.ts';
import { turnPlanes, type View } from './test-time-augmentation.ts';
import { placeWindows, type Window } from './windows.ts';

/** Places the windows of each view; views of one scale share theirs, so that their resampled planes are shared too. */
export function placeViews(views: readonly View[], grid: GridView, manifest: ModelManifest): PlacedView[] {
  const ofScale = new Map(
    views.map(({ scale }) => [scale, placeWindows(grid, manifest, manifest.input.spacing / scale)]),
  );
  return views.map((view) => ({ view, windows: ofScale.get(view.scale) ?? [] }));
}

/** Prepares inputs from a volume: clip and scale the intensities to 0…1, resample in plane, neighbours as channels.
 * A tensor's data hold while `held` more are prepared: so many arrays and one take turns, and one that a backend has
 * transferred away is replaced. Resampled planes are kept for a few slices, since a slice is a channel of its neighbours too. Arrays are
 * used again because the collector lets many megabytes of dropped ones pile up. */
export function createInputPreparer(
  volume: Volume,
  grid: GridView,
  manifest: ModelManifest,
  held = 1,
): (run: SliceRun) => Tensor {
  const { input } = manifest;
  const [, channels, rows, columns] = input.shape;
  const offsets = input.channels.offsetsInSlices;
  const normalise = createNormaliser(volume.voxels, grid, input.intensity);
  const scratch = new Float32Array(grid.rows * columns);
  const reach = Math.max(...offsets) - Math.min(...offsets) + 1;
  const spare: Float32Array[] = [];
  // Slices are often visited outwards from one, alternating between two fronts.
  const planes = createRecentMap<Map<Window, Float32Array>>(2 * reach, (old) => spare.push(...old.values()));

  const resampled = (slice: number, window: Window): Float32Array => {
    const ofSlice = planes.get(slice, () => new Map<Window, Float32Array>());
    const known = ofSlice.get(window);
    if (known) return known;
    const plane = spare.pop() ?? new Float32Array(rows * columns);
    const { x, y } = window;
    resamplePlane(normalise(slice), grid.columns, x.toModel, y.toModel, input.padValue, plane, scratch);
    ofSlice.set(window, plane);
    return plane;
  };

  const nextArray = createTurns(held + 1, channels * rows * columns);
  return ({ slice, view, window }) => {
    const data = nextArray();
    offsets.forEach((offset, channel) => {
      const neighbour = Math.min(Math.max(slice + offset, 0), grid.slices - 1);
      data.set(resampled(neighbour, window), channel * rows * columns);
    });
    return { shape: input.shape, data: turnPlanes(data, columns, rows, view.turn) };
  };
}

/** Returns a function that gives a slice of the grid view with intensities 0…1; its array is reused by the next call. */
function createNormaliser(
  voxels: VoxelArray,
  grid: GridView,
  intensity: ModelManifest['input']['intensity'],
): (slice: number) => Float32Array {
  const ofVolume = intensity.scope === 'volume' ? intensityRange(voxels, intensity) : undefined;
  const values = new Float32Array(grid.rows * grid.columns);
  let current = -1;
  return (slice) => {
    if (slice === current) return values;
    current = slice;
    copySlice(voxels, grid, slice, values);
    scaleToUnit(values, ofVolume ?? intensityRange(values, intensity));
    return values;
  };
}

function copySlice(
  voxels: VoxelArray,
  { rows, columns, offset, strides }: GridView,
  slice: number,
  target: Float32Array,
): void {
  for (let row = 0, out = 0; row < rows; row++) {
    let at = offset + slice * strides.slice + row * strides.row;
    for (let column = 0; column < columns; column++, at += strides.column, out++) target[out] = voxels[at] ?? 0;
  }
}

function scaleToUnit(values: Float32Array, { low, high }: IntensityRange): void {
  const factor = 1 / Math.max(high - low, 1e-6);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    values[at] = (Math.min(Math.max(value, low), high) - low) * factor;
  }
}

/** Arrays in turn; one whose buffer was transferred away is replaced. */
function createTurns(count: number, length: number): () => Float32Array {
  const arrays = Array.from({ length: count }, () => new Float32Array(length));
  let turn = 0;
  return () => {
    const place = turn++ % count;
    const array = arrays[place];
    return array?.length === length ? array : (arrays[place] = new Float32Array(length));
  };
}

/** A map that forgets the entry that was asked for least recently when it is full. */
function createRecentMap<V>(capacity: number, forget: (value: V) => void): { get(key: number, create: () => V): V } {
  const entries = new Map<number, V>();
  return {
    get(key, create) {
      const value = entries.get(key) ?? create();
      entries.delete(key);
      entries.set(key, value);
      const [oldest] = entries;
      if (entries.size > capacity && oldest) {
        entries.delete(oldest[0]);
        forget(oldest[1]);
      }
      return value;
    },
  };
}
