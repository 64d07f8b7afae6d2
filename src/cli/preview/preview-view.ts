import type { Labelmap } from '../../labelmap/labelmap.ts';
import type { VolumeGeometry } from '../../volume/geometry.ts';
import { sliceView, type Volume } from '../../volume/volume.ts';

/** Which slices a contact sheet shows, which part of them, in which window and the right way up. */
export interface SheetView {
  /** Slices k, ascending. */
  readonly slices: readonly number[];
  /** The part shown, in voxels of the slice; both ends included. */
  readonly crop: { readonly i: readonly [number, number]; readonly j: readonly [number, number] };
  /** Modality values that become black and white. */
  readonly window: { readonly low: number; readonly high: number };
  readonly orientation: DisplayOrientation;
  readonly isCropped: boolean;
}

/** How a slice's axes lie on the screen. */
export interface DisplayOrientation {
  /** i runs down and j across. */
  readonly transposed: boolean;
  readonly flipI: boolean;
  readonly flipJ: boolean;
}

const MAX_SLICES = 20;
/** Context around the labels: this part of their extent on each side, and never less than so many millimetres. */
const MARGIN_PART = 0.5;
const MARGIN_MM = 25;
/** The grey values shown reach beyond those of the labels by this part of their range. */
const NEIGHBOURHOOD_PART = 0.4;
/** For a percentile of grey values. */
const ENOUGH_VALUES = 200_000;

/** Chooses what a contact sheet shows of a volume and its labels. */
export function chooseView(volume: Volume, labelmap: Labelmap): SheetView {
  const { geometry } = volume;
  const extent = labelledExtent(labelmap);
  const slices = chooseSlices(geometry.dimensions[2], extent?.k);
  const crop = extent === undefined ? wholeSlice(geometry) : withMargin(extent, geometry);
  return {
    slices,
    crop,
    isCropped: extent !== undefined,
    window: chooseWindow(volume, labelmap, slices, crop),
    // A DICOM slice is shown as it was acquired, as viewers do; a NIfTI file may store it in any order.
    orientation:
      volume.source === undefined
        ? radiologicalOrientation(geometry)
        : { transposed: false, flipI: false, flipJ: false },
  };
}

/** All slices if they are few, else evenly chosen ones over the labelled range with one more at each end. */
export function chooseSlices(count: number, labelled?: readonly [number, number]): number[] {
  if (count <= MAX_SLICES) return Array.from({ length: count }, (_, k) => k);
  const first = Math.max(0, (labelled?.[0] ?? 0) - 1);
  const last = Math.min(count - 1, (labelled?.[1] ?? count - 1) + 1);
  const shown = Math.min(MAX_SLICES, last - first + 1);
  if (shown === 1) return [first];
  return Array.from({ length: shown }, (_, n) => first + Math.round((n * (last - first)) / (shown - 1)));
}

/** Which way in the patient the screen's left and top lie, the strongest first ("L", oblique "LP"): L, R, A, P, H and
 * F, as PS3.3 C.7.6.1.1.1 abbreviates. */
export function screenLetters(
  { direction }: VolumeGeometry,
  { transposed, flipI, flipJ }: DisplayOrientation,
): { readonly left: string; readonly top: string } {
  const letterAgainst = (v: readonly number[], isFlipped: boolean): string =>
    v
      .map((cosine, axis) => ({
        size: Math.abs(cosine),
        letter: (['RL', 'AP', 'FH'][axis] ?? '').charAt(cosine > 0 === isFlipped ? 1 : 0),
      }))
      .filter(({ size }) => size > LETTERED_COSINE)
      .sort((a, b) => b.size - a.size)
      .map(({ letter }) => letter)
      .join('');
  const i = letterAgainst(direction[0], flipI);
  const j = letterAgainst(direction[1], flipJ);
  return transposed ? { left: j, top: i } : { left: i, top: j };
}

/** Less than 17° towards an axis is not worth a letter. */
const LETTERED_COSINE = 0.3;

function dominantAxis(v: readonly number[]): number {
  const sizes = v.map(Math.abs);
  return sizes.indexOf(Math.max(...sizes));
}

/** The usual radiological display: patient's left on the right, anterior or head up. */
export function radiologicalOrientation({ direction: [i, j] }: VolumeGeometry): DisplayOrientation {
  // The screen's vertical is the head-foot axis where the slice has it, else anterior-posterior.
  const transposed = dominantAxis(i) > dominantAxis(j);
  const isReversed = (v: readonly number[]): boolean => {
    const axis = dominantAxis(v);
    const along = v[axis] ?? 0;
    return axis === 2 ? along > 0 : along < 0;
  };
  return { transposed, flipI: isReversed(i), flipJ: isReversed(j) };
}

interface Extent {
  readonly i: readonly [number, number];
  readonly j: readonly [number, number];
  readonly k: readonly [number, number];
}

function labelledExtent({ geometry, voxels }: Labelmap): Extent | undefined {
  const [columns, rows, count] = geometry.dimensions;
  let [i0, i1, j0, j1, k0, k1] = [columns, -1, rows, -1, count, -1];
  for (let k = 0, at = 0; k < count; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, at++) {
        if (voxels[at] === 0) continue;
        if (i < i0) i0 = i;
        if (i > i1) i1 = i;
        if (j < j0) j0 = j;
        if (j > j1) j1 = j;
        if (k < k0) k0 = k;
        k1 = k;
      }
    }
  }
  return k1 < 0 ? undefined : { i: [i0, i1], j: [j0, j1], k: [k0, k1] };
}

function wholeSlice({ dimensions: [i, j] }: VolumeGeometry): SheetView['crop'] {
  return { i: [0, i - 1], j: [0, j - 1] };
}

function withMargin(extent: Extent, { dimensions, spacing }: VolumeGeometry): SheetView['crop'] {
  const longest = Math.max((extent.i[1] - extent.i[0] + 1) * spacing[0], (extent.j[1] - extent.j[0] + 1) * spacing[1]);
  const marginMm = Math.max(MARGIN_MM, longest * MARGIN_PART);
  const widen = ([from, to]: readonly [number, number], axis: 0 | 1): [number, number] => {
    const margin = Math.ceil(marginMm / spacing[axis]);
    return [Math.max(0, from - margin), Math.min(dimensions[axis] - 1, to + margin)];
  };
  return { i: widen(extent.i, 0), j: widen(extent.j, 1) };
}

/** The range of what is shown, without its outermost percents: air, a few bright vessels. Of it no more than the labels
 * and their neighbourhood need, so that neither bright fat nor air beyond them takes their contrast. */
function chooseWindow(
  { voxels, geometry }: Volume,
  labelmap: Labelmap,
  slices: readonly number[],
  { i: [i0, i1], j: [j0, j1] }: SheetView['crop'],
): SheetView['window'] {
  const shown: number[] = [];
  const labelled: number[] = [];
  const columns = geometry.dimensions[0];
  const step = Math.ceil((slices.length * (i1 - i0 + 1) * (j1 - j0 + 1)) / ENOUGH_VALUES);
  for (const k of slices) {
    const image = sliceView(voxels, geometry, k);
    const labels = sliceView(labelmap.voxels, geometry, k);
    for (let j = j0; j <= j1; j++) {
      for (let at = j * columns + i0; at <= j * columns + i1; at += step) {
        shown.push(image[at] ?? 0);
        if (labels[at] !== 0) labelled.push(image[at] ?? 0);
      }
    }
  }
  const [darkest, brightest] = percentiles(shown, 1, 99.5);
  const [low, high] = percentiles(labelled.length > 0 ? labelled : shown, 1, 99);
  const margin = NEIGHBOURHOOD_PART * (high - low);
  const window = { low: Math.max(darkest, low - margin), high: Math.min(brightest, high + margin) };
  return window.high > window.low ? window : { low: darkest, high: darkest + 1 };
}

function percentiles(values: readonly number[], ...ranks: [number, number]): [number, number] {
  const sorted = Float64Array.from(values).sort();
  return ranks.map((rank) => sorted[Math.round((rank / 100) * (sorted.length - 1))] ?? 0) as [number, number];
}

/** Corners of a closed outline, in pixels; its last one is joined to the first. */
export type Polygon = readonly (readonly [x: number, y: number])[];

/** Tells of each pixel how much of it lies inside some outlines (non-zero winding): its exact area, as FreeType's smooth
 * rasteriser has it. An edge adds, in each row of pixels it crosses, its height (`cover`) to all pixels on its right and
 * the part of its own pixel that lies right of it (`area`).
 * @param cover alpha 0…1, called for pixels with any */
export function coverageOf(polygons: readonly Polygon[], cover: (x: number, y: number, alpha: number) => void): void {
  const points = polygons.flat();
  if (points.length === 0) return;
  const left = Math.floor(points.reduce((least, [x]) => Math.min(least, x), Infinity));
  const right = Math.ceil(points.reduce((most, [x]) => Math.max(most, x), -Infinity)) + 1;
  const top = Math.floor(points.reduce((least, [, y]) => Math.min(least, y), Infinity));
  const bottom = Math.ceil(points.reduce((most, [, y]) => Math.max(most, y), -Infinity));
  const width = right - left + 1;
  // What each pixel adds to the running sum of its row.
  const steps = new Float32Array(width * (bottom - top));
  for (const polygon of polygons) {
    for (const [n, [x, y]] of polygon.entries()) {
      const [nextX, nextY] = polygon[(n + 1) % polygon.length] ?? [x, y];
      addEdge(steps, width, [x - left, y - top, nextX - left, nextY - top]);
    }
  }
  for (let row = 0; row < bottom - top; row++) {
    let sum = 0;
    for (let column = 0; column < width; column++) {
      sum += steps[row * width + column] ?? 0;
      const alpha = Math.min(1, Math.abs(sum));
      if (alpha > 1 / 512) cover(left + column, top + row, alpha);
    }
  }
}

function addEdge(
  steps: Float32Array,
  width: number,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
): void {
  if (y0 === y1) return;
  const sign = y0 < y1 ? 1 : -1;
  const [upperX, upperY, lowerX, lowerY] = y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0];
  const slope = (lowerX - upperX) / (lowerY - upperY);
  for (let row = Math.floor(upperY); row < lowerY; row++) {
    const from = Math.max(upperY, row);
    const to = Math.min(lowerY, row + 1);
    addRow(steps, row * width, sign * (to - from), [upperX + (from - upperY) * slope, upperX + (to - upperY) * slope]);
  }
}

/** Adds the part of an edge within one row: `height` in all, spread evenly over the columns between its ends. */
function addRow(steps: Float32Array, row: number, height: number, ends: readonly [number, number]): void {
  const [from, to] = ends[0] < ends[1] ? ends : [ends[1], ends[0]];
  const add = (column: number, amount: number): void => {
    steps[row + column] = (steps[row + column] ?? 0) + amount;
  };
  for (let column = Math.floor(from); column <= Math.floor(to); column++) {
    const [begin, end] = [Math.max(from, column), Math.min(to, column + 1)];
    const part = to > from ? height * ((end - begin) / (to - from)) : height;
    // Of this pixel the part right of the edge's middle is covered now; the rest of the height counts from the next on.
    const covered = column + 1 - (begin + end) / 2;
    add(column, part * covered);
    add(column + 1, part * (1 - covered));
  }
}
