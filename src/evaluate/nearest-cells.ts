import type { Vector3 } from '../volume/geometry.ts';
import { LowerEnvelope } from './lower-envelope.ts';
import type { SurfaceCells } from './surface-cells.ts';

/** Distance in mm of each cell of a surface to the nearest cell of another surface in the same box: the exact Euclidean
 * distance transform by lower envelopes, one axis after the other, the last one only where it is asked for. Beyond the
 * surfaces it takes four bytes for each cell of the box.
 * @param spacing of the cells in mm
 * @returns Infinity for every cell if there is no other surface
 * @see Felzenszwalb and Huttenlocher, Theory of Computing 8 (2012), 10.4086/toc.2012.v008a019 */
export function distancesToSurface(from: SurfaceCells, to: SurfaceCells, spacing: Vector3): Float64Array {
  const distances = new Float64Array(from.places.length).fill(Infinity);
  if (to.places.length === 0 || from.places.length === 0) return distances;
  const [columns, rows, planes] = from.dimensions;
  const nearest = nearestInPlanes(to, spacing);
  const occupied = occupiedPlanes(to);
  const { starts, cells, planeOf } = cellsByPlace(from);
  const envelope = new LowerEnvelope(planes, spacing[2]);
  for (let place = 0; place < columns * rows; place++) {
    const [first, end] = [starts[place] ?? 0, starts[place + 1] ?? 0];
    if (first === end) continue;
    const j = Math.floor(place / columns);
    const i = place - j * columns;
    envelope.clear();
    for (const k of occupied) {
      const target = nearest[k * columns * rows + place] ?? 0;
      const row = Math.floor(target / columns);
      const x = (target - row * columns - i) * spacing[0];
      const y = (row - j) * spacing[1];
      envelope.add(k, x * x + y * y);
    }
    for (let at = first; at < end; at++) {
      distances[cells[at] ?? 0] = Math.sqrt(envelope.squaredDistanceAt(planeOf[at] ?? 0));
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
  for (const k of occupiedPlanes(surface)) {
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

function occupiedPlanes({ planeStarts, dimensions }: SurfaceCells): number[] {
  return Array.from({ length: dimensions[2] }, (_, k) => k).filter(
    (k) => (planeStarts[k] ?? 0) < (planeStarts[k + 1] ?? 0),
  );
}

/** The cells at each place, by ascending plane. */
function cellsByPlace({ dimensions, planeStarts, places }: SurfaceCells) {
  const [columns, rows, planes] = dimensions;
  const starts = new Uint32Array(columns * rows + 1);
  for (const place of places) starts[place + 1] = (starts[place + 1] ?? 0) + 1;
  for (let place = 0; place < columns * rows; place++)
    starts[place + 1] = (starts[place + 1] ?? 0) + (starts[place] ?? 0);
  const next = starts.slice();
  const [cells, planeOf] = [new Uint32Array(places.length), new Uint32Array(places.length)];
  for (let k = 0; k < planes; k++) {
    const end = planeStarts[k + 1] ?? 0;
    for (let cell = planeStarts[k] ?? 0; cell < end; cell++) {
      const place = places[cell] ?? 0;
      const at = next[place] ?? 0;
      next[place] = at + 1;
      cells[at] = cell;
      planeOf[at] = k;
    }
  }
  return { starts, cells, planeOf };
}
