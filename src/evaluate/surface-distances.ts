import type { Labelmap } from '../labelmap/labelmap.ts';
import { findSurfaceCells, surfaceAreas, type SurfaceCells, type VoxelBox } from './surface-areas.ts';
import type { Vector3 } from '../volume/geometry.ts';

/** How far two surfaces are from each other. Figures that do not exist are null: of an empty mask. */
export interface SurfaceDistances {
  /** The part of both surfaces' area that is no farther than the tolerance from the other; 0 where one mask is empty. */
  readonly surfaceDice: number | null;
  /** The larger of both directions' 95th percentiles, in mm: 95 % of a surface's area is no farther from the other. */
  readonly hd95Mm: number | null;
  /** The mean of the two averages below, in mm. */
  readonly averageSymmetricSurfaceDistanceMm: number | null;
  /** Over the prediction's surface, each part weighted by its area, in mm. */
  readonly predictionToReferenceMm: number | null;
  readonly referenceToPredictionMm: number | null;
}

/** Measures the distances between the surfaces of one label in two labelmaps on one grid, by the definitions of Nikolov
 * et al. (10.2196/26151) and their package surface-distance: a surface lies half a voxel around the voxel centres of a
 * mask, in cells of 2 × 2 × 2 voxels, each of which counts by the area of its triangles of marching cubes; a distance is
 * that of a cell's centre to the nearest cell of the other surface. At the border of the image a mask is closed. One
 * slice is a volume as thick as its spacing.
 * @param box holds the label in both
 * @param toleranceMm of the surface Dice */
export function measureSurfaceDistances(
  prediction: Labelmap,
  reference: Labelmap,
  { label, box, toleranceMm }: { readonly label: number; readonly box: VoxelBox; readonly toleranceMm: number },
): SurfaceDistances {
  const { spacing } = reference.geometry;
  const areas = surfaceAreas(spacing);
  const [a, b] = [findSurfaceCells(prediction, label, box), findSurfaceCells(reference, label, box)];
  const there = areaByDistance(distancesToSurface(a, b, spacing), a, areas);
  const back = areaByDistance(distancesToSurface(b, a, spacing), b, areas);
  if (there.area + back.area === 0) return NO_DISTANCES;
  const surfaceDice = (there.areaWithin(toleranceMm) + back.areaWithin(toleranceMm)) / (there.area + back.area);
  if (there.area === 0 || back.area === 0) return { ...NO_DISTANCES, surfaceDice };
  return {
    surfaceDice,
    hd95Mm: Math.max(there.percentile(0.95), back.percentile(0.95)),
    averageSymmetricSurfaceDistanceMm: (there.mean() + back.mean()) / 2,
    predictionToReferenceMm: there.mean(),
    referenceToPredictionMm: back.mean(),
  };
}

/** Of two empty masks. */
export const NO_DISTANCES: SurfaceDistances = {
  surfaceDice: null,
  hd95Mm: null,
  averageSymmetricSurfaceDistanceMm: null,
  predictionToReferenceMm: null,
  referenceToPredictionMm: null,
};

/** Area of a surface at each distance: a grid has few distances, so that no list of all cells needs sorting. */
function areaByDistance(distances: Float64Array, { codes }: SurfaceCells, areas: Float64Array) {
  const areaAt = new Map<number, number>();
  for (let cell = 0; cell < distances.length; cell++) {
    const distance = distances[cell] ?? 0;
    areaAt.set(distance, (areaAt.get(distance) ?? 0) + (areas[codes[cell] ?? 0] ?? 0));
  }
  const sorted = [...areaAt].sort(([a], [b]) => a - b);
  const area = sorted.reduce((sum, [, part]) => sum + part, 0);
  return {
    area,
    areaWithin: (mm: number) => sorted.reduce((sum, [distance, part]) => (distance <= mm ? sum + part : sum), 0),
    mean: () => sorted.reduce((sum, [distance, part]) => sum + distance * part, 0) / area,
    percentile(share: number): number {
      let sum = 0;
      const found = sorted.find(([, part]) => (sum += part) / area >= share);
      return (found ?? sorted.at(-1))?.[0] ?? NaN;
    },
  };
}

/** Distance in mm of each cell of a surface to the nearest cell of another surface in the same box, exact: the nearest in
 * each plane by lower envelopes along j, and of the planes only those that are near enough to matter. Beyond the surfaces
 * it takes four bytes for each cell of the box.
 * @param spacing of the cells in mm
 * @returns Infinity for every cell if there is no other surface
 * @see Felzenszwalb and Huttenlocher, Theory of Computing 8 (2012), 10.4086/toc.2012.v008a019 */
export function distancesToSurface(from: SurfaceCells, to: SurfaceCells, spacing: Vector3): Float64Array {
  const distances = new Float64Array(from.places.length).fill(Infinity);
  if (to.places.length === 0 || from.places.length === 0) return distances;
  const [columns, rows, planes] = from.dimensions;
  const nearest = nearestInPlanes(to, spacing);
  for (let k = 0; k < planes; k++) {
    const end = from.planeStarts[k + 1] ?? 0;
    for (let cell = from.planeStarts[k] ?? 0; cell < end; cell++) {
      const place = from.places[cell] ?? 0;
      const j = Math.floor(place / columns);
      const i = place - j * columns;
      let least = Infinity;
      for (let step = 0; step < planes; step++) {
        const z = step * spacing[2];
        if (z * z >= least) break;
        for (let plane = k - step; plane <= k + step; plane += 2 * step || 1) {
          if (!isOccupied(to, plane)) continue;
          const target = nearest[plane * columns * rows + place] ?? 0;
          const row = Math.floor(target / columns);
          const x = (target - row * columns - i) * spacing[0];
          const y = (row - j) * spacing[1];
          least = Math.min(least, x * x + y * y + z * z);
        }
      }
      distances[cell] = Math.sqrt(least);
    }
  }
  return distances;
}

/** For each cell of the box the place of the nearest surface cell in its plane; 0 in planes that have none. */
function nearestInPlanes(surface: SurfaceCells, spacing: Vector3): Uint32Array {
  const [columns, rows, planes] = surface.dimensions;
  const size = columns * rows;
  const nearest = new Uint32Array(size * planes);
  const inRow = new Int32Array(size);
  const envelope = new LowerEnvelope(rows, spacing[1]);
  for (let k = 0; k < planes; k++) {
    if (!isOccupied(surface, k)) continue;
    const places = surface.places.subarray(surface.planeStarts[k], surface.planeStarts[k + 1]);
    const occupied = fillNearestInRows(inRow, places, columns);
    const plane = nearest.subarray(k * size, (k + 1) * size);
    for (let i = 0; i < columns; i++) {
      envelope.clear();
      for (const j of occupied) {
        const x = ((inRow[j * columns + i] ?? 0) - i) * spacing[0];
        envelope.add(j, x * x);
      }
      for (let j = 0; j < rows; j++) {
        const row = envelope.nearestTo(j);
        plane[j * columns + i] = row * columns + (inRow[row * columns + i] ?? 0);
      }
    }
  }
  return nearest;
}

/** Writes the nearest occupied column for each column of the rows that have one.
 * @param places of the occupied cells of a plane, ascending
 * @returns those rows */
function fillNearestInRows(inRow: Int32Array, places: Uint32Array, columns: number): number[] {
  const rows: number[] = [];
  for (let at = 0; at < places.length;) {
    const row = Math.floor((places[at] ?? 0) / columns);
    const offset = row * columns;
    let column = (places[at] ?? 0) - offset;
    let from = 0;
    rows.push(row);
    for (at++; ; at++) {
      const next = (places[at] ?? Infinity) - offset;
      const isLast = next >= columns;
      const until = isLast ? columns : Math.floor((column + next) / 2) + 1;
      inRow.fill(column, offset + from, offset + until);
      if (isLast) break;
      from = until;
      column = next;
    }
  }
  return rows;
}

function isOccupied({ planeStarts }: SurfaceCells, plane: number): boolean {
  return (planeStarts[plane] ?? 0) < (planeStarts[plane + 1] ?? 0);
}

/** The least of several parabolas of one width, by Felzenszwalb and Huttenlocher: for each place of a row the nearest of
 * some others in it, each of which is some way off the row. */
class LowerEnvelope {
  readonly #squaredSpacing: number;
  readonly #places: Int32Array;
  readonly #heights: Float64Array;
  /** Where each parabola begins to be the least. */
  readonly #begins: Float64Array;
  /** 1 / (2 · steps · spacing²): a product takes a fraction of the time of a division, and there are millions. */
  readonly #slopes: Float64Array;
  #count = 0;
  #current = 0;

  /** @param length of the row in places
   * @param spacing of its places in mm */
  constructor(length: number, spacing: number) {
    this.#squaredSpacing = spacing * spacing;
    this.#places = new Int32Array(length);
    this.#heights = new Float64Array(length);
    this.#begins = new Float64Array(length);
    this.#slopes = Float64Array.from({ length }, (_, steps) => 1 / (2 * steps * this.#squaredSpacing));
  }

  clear(): void {
    this.#count = 0;
    this.#current = 0;
  }

  /** @param place greater than the one before
   * @param height squared distance of it from the row in mm² */
  add(place: number, height: number): void {
    let begin = -Infinity;
    while (this.#count > 0) {
      const last = this.#count - 1;
      begin = this.#intersection(last, place, height);
      if (begin > (this.#begins[last] ?? 0)) break;
      this.#count--;
      begin = -Infinity;
    }
    this.#places[this.#count] = place;
    this.#heights[this.#count] = height;
    this.#begins[this.#count] = begin;
    this.#count++;
  }

  /** The place that is nearest to one of the row, which is no smaller than the one that was asked for before. */
  nearestTo(place: number): number {
    let at = this.#current;
    while (at + 1 < this.#count && (this.#begins[at + 1] ?? 0) < place) at++;
    this.#current = at;
    return this.#places[at] ?? 0;
  }

  #intersection(at: number, place: number, height: number): number {
    const other = this.#places[at] ?? 0;
    const rise = height - (this.#heights[at] ?? 0);
    return rise * (this.#slopes[place - other] ?? 0) + (place + other) / 2;
  }
}
