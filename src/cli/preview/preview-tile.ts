import type { Colour, Labelmap } from '../../labelmap/labelmap.ts';
import { sliceView, type Volume } from '../../volume/volume.ts';
import type { Canvas } from './preview-canvas.ts';
import type { SheetView } from './preview-view.ts';

/** Places a slice's voxels on the pixels of a tile. */
export interface TileLayout {
  readonly width: number;
  readonly height: number;
  /** Whether i runs down. */
  readonly transposed: boolean;
  /** Fractional voxel (i, j) at the centre of a tile's pixel. */
  toVoxel(x: number, y: number): readonly [number, number];
  /** Tile pixels of one voxel along its shorter side. */
  readonly pixelsPerVoxel: number;
}

/** A tile whose longer side has so many pixels, with square millimetres. */
export function layOutTile(
  { crop, orientation }: SheetView,
  [spacingI, spacingJ]: readonly [number, number, ...number[]],
  longestSide: number,
): TileLayout {
  const widthMm = (crop.i[1] - crop.i[0] + 1) * spacingI;
  const heightMm = (crop.j[1] - crop.j[0] + 1) * spacingJ;
  const pixelsPerMm = longestSide / Math.max(widthMm, heightMm);
  const sizeI = Math.max(1, Math.round(widthMm * pixelsPerMm));
  const sizeJ = Math.max(1, Math.round(heightMm * pixelsPerMm));
  const { transposed, flipI, flipJ } = orientation;
  const along = (pixel: number, size: number, [from, to]: readonly [number, number], flip: boolean): number => {
    const part = (pixel + 0.5) / size;
    return from - 0.5 + (flip ? 1 - part : part) * (to - from + 1);
  };
  return {
    width: transposed ? sizeJ : sizeI,
    height: transposed ? sizeI : sizeJ,
    transposed,
    pixelsPerVoxel: Math.min(spacingI, spacingJ) * pixelsPerMm,
    toVoxel: (x, y) => [
      along(transposed ? y : x, sizeI, crop.i, flipI),
      along(transposed ? x : y, sizeJ, crop.j, flipJ),
    ],
  };
}

/** Draws slice k in its window, on black. */
export function drawSlice(
  canvas: Canvas,
  [left, top]: readonly [number, number],
  tile: TileLayout,
  volume: Volume,
  k: number,
  { low, high }: SheetView['window'],
): void {
  const slice = sliceView(volume.voxels, volume.geometry, k);
  const sample = bilinear(volume.geometry.dimensions, (at) => slice[at] ?? 0);
  canvas.fill(left, top, tile.width, tile.height, black);
  // Where several voxels share a pixel their mean is shown, so that thin structures do not flicker.
  const samples = Math.max(1, Math.ceil(1 / tile.pixelsPerVoxel));
  for (let y = 0; y < tile.height; y++) {
    for (let x = 0; x < tile.width; x++) {
      let sum = 0;
      for (let n = 0; n < samples * samples; n++) {
        const dx = ((n % samples) + 0.5) / samples - 0.5;
        const dy = (Math.floor(n / samples) + 0.5) / samples - 0.5;
        sum += sample(...tile.toVoxel(x + dx, y + dy));
      }
      const grey = clamp01((sum / samples ** 2 - low) / (high - low));
      canvas.blend(left + x, top + y, white, grey);
    }
  }
}

const black: Colour = [0, 0, 0];
const white: Colour = [255, 255, 255];
const LINE_WIDTH = 2.6;
const FILL_ALPHA = 0.16;

/** Draws the outline of every segment of slice k, just inside its border so that neighbours lie side by side. */
export function drawOutlines(
  canvas: Canvas,
  [left, top]: readonly [number, number],
  tile: TileLayout,
  labelmap: Labelmap,
  k: number,
  colourOf: (segmentNumber: number) => Colour,
): void {
  const labels = sliceView(labelmap.voxels, labelmap.geometry, k);
  const present = new Set(labels);
  present.delete(0);
  for (const label of present) {
    const sample = bilinear(labelmap.geometry.dimensions, (at) => (labels[at] === label ? 1 : 0));
    const part = partWith(tile, labels, labelmap.geometry.dimensions[0], label);
    const membership = smoothed(tile, part, (x, y) => sample(...tile.toVoxel(x, y)));
    const colour = colourOf(label);
    for (let y = part.top; y < part.bottom; y++) {
      for (let x = part.left; x < part.right; x++) {
        const m = membership(x, y);
        if (m < 0.05) continue;
        const slope = Math.hypot(
          membership(x + 1, y) - membership(x - 1, y),
          membership(x, y + 1) - membership(x, y - 1),
        );
        const pixelsInside = slope > 1e-6 ? (m - 0.5) / (slope / 2) : Infinity;
        const inside = clamp01(pixelsInside + 0.5);
        const line = inside * clamp01(LINE_WIDTH + 0.5 - pixelsInside);
        canvas.blend(left + x, top + y, colour, Math.max(line, (m >= 0.5 ? 1 : inside) * FILL_ALPHA));
      }
    }
  }
}

/** Pixels of a tile; right and bottom are the first ones outside. */
interface TilePart {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The pixels of a tile that a label can reach: those of its voxels, and two voxels around for the blur. */
function partWith(tile: TileLayout, labels: Labelmap['voxels'], columns: number, label: number): TilePart {
  let [i0, i1, j0, j1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let at = labels.indexOf(label); at >= 0; at = labels.indexOf(label, at + 1)) {
    const [i, j] = [at % columns, Math.floor(at / columns)];
    if (i < i0) i0 = i;
    if (i > i1) i1 = i;
    if (j < j0) j0 = j;
    j1 = j;
  }
  const [across, down] = tile.transposed
    ? [
        [j0, j1],
        [i0, i1],
      ]
    : [
        [i0, i1],
        [j0, j1],
      ];
  const [left, right] = pixelsNear(tile.width, (x) => tile.toVoxel(x, 0)[tile.transposed ? 1 : 0], across);
  const [top, bottom] = pixelsNear(tile.height, (y) => tile.toVoxel(0, y)[tile.transposed ? 0 : 1], down);
  return { left, top, right, bottom };
}

/** The first pixel within two voxels of a range of them, and the first one beyond. */
function pixelsNear(count: number, toVoxel: (pixel: number) => number, [from = 0, to = 0]: number[]): [number, number] {
  const near = Array.from({ length: count }, (_, pixel) => pixel).filter((pixel) => {
    const voxel = toVoxel(pixel);
    return voxel >= from - 2 && voxel <= to + 2;
  });
  return [near[0] ?? 0, (near.at(-1) ?? -1) + 1];
}

/** A field on a part of a tile, blurred by half a voxel to round the corners of its voxels. */
function smoothed(
  { pixelsPerVoxel }: TileLayout,
  part: TilePart,
  field: (x: number, y: number) => number,
): (x: number, y: number) => number {
  const [width, height] = [part.right - part.left, part.bottom - part.top];
  let values = new Float32Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) values[at] = field(part.left + x, part.top + y);
  }
  const radius = Math.max(1, Math.round(pixelsPerVoxel / 2));
  for (const [size, step, lines, nextLine] of [
    [width, 1, height, width],
    [height, width, width, 1],
  ] as const) {
    const blurred = new Float32Array(values.length);
    for (let line = 0; line < lines; line++) {
      for (let n = 0; n < size; n++) {
        let sum = 0;
        for (let d = -radius; d <= radius; d++) {
          sum += values[line * nextLine + Math.min(size - 1, Math.max(0, n + d)) * step] ?? 0;
        }
        blurred[line * nextLine + n * step] = sum / (2 * radius + 1);
      }
    }
    values = blurred;
  }
  const within = (n: number, size: number): number => Math.min(size - 1, Math.max(0, n));
  return (x, y) => values[within(y - part.top, height) * width + within(x - part.left, width)] ?? 0;
}

/** Interpolates a slice linearly between voxel centres; beyond the outermost centres their value holds. */
function bilinear(
  [columns, rows]: readonly [number, number, ...number[]],
  valueAt: (index: number) => number,
): (i: number, j: number) => number {
  return (i, j) => {
    const ci = Math.min(columns - 1, Math.max(0, i));
    const cj = Math.min(rows - 1, Math.max(0, j));
    const i0 = Math.min(Math.floor(ci), Math.max(0, columns - 2));
    const j0 = Math.min(Math.floor(cj), Math.max(0, rows - 2));
    const i1 = Math.min(i0 + 1, columns - 1);
    const j1 = Math.min(j0 + 1, rows - 1);
    const fi = ci - i0;
    const fj = cj - j0;
    const upper = valueAt(j0 * columns + i0) * (1 - fi) + valueAt(j0 * columns + i1) * fi;
    const lower = valueAt(j1 * columns + i0) * (1 - fi) + valueAt(j1 * columns + i1) * fi;
    return upper * (1 - fj) + lower * fj;
  };
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
