import type { Vector3 } from '../volume/geometry.ts';
import { LowerEnvelope } from './lower-envelope.ts';
import type { SurfaceCells } from './surface-cells.ts';

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
