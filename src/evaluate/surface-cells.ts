import type { Labelmap } from '../labelmap/labelmap.ts';
import { FULL_CELL } from './surface-areas.ts';

/** A part of a voxel grid: the first voxel along i, j, k, and how many there are. */
export interface VoxelBox {
  readonly start: readonly [number, number, number];
  readonly size: readonly [number, number, number];
}

/** The cells that a mask's surface goes through. Cell (0, 0, 0) of a box has the box's first voxel as its last corner, so
 * that there is one cell more than voxels along each axis: a mask at the border of its image is closed there. */
export interface SurfaceCells {
  /** Cells of the box along i, j, k. */
  readonly dimensions: readonly [number, number, number];
  /** Where the cells of each plane k begin in the lists below; one entry more than planes. */
  readonly planeStarts: Float64Array;
  /** i + j · dimensions[0] of each cell, ascending within its plane. */
  readonly places: Uint32Array;
  /** Which voxels around each cell are inside; see surfaceAreas. */
  readonly codes: Uint8Array;
}

/** Finds the surface of one label within a box that holds all of it. */
export function findSurfaceCells(
  { voxels, geometry }: Labelmap,
  label: number,
  { start, size }: VoxelBox,
): SurfaceCells {
  const [columns, rows, planes] = size;
  const dimensions = [columns + 1, rows + 1, planes + 1] as const;
  const [width, height] = geometry.dimensions;
  const cells = new CellList();
  const planeStarts = new Float64Array(dimensions[2] + 1);
  /** For each column of a row of cells, which of the four voxels around it are inside: a half of a cell's code. */
  const halves = new Uint8Array(columns);
  for (let k = 0; k < dimensions[2]; k++) {
    planeStarts[k] = cells.length;
    for (let j = 0; j < dimensions[1]; j++) {
      halves.fill(0);
      let isEmpty = true;
      for (let corner = 0; corner < 4; corner++) {
        const [row, plane] = [j - 1 + (corner & 1), k - 1 + (corner >> 1)];
        if (row < 0 || row >= rows || plane < 0 || plane >= planes) continue;
        const offset = ((start[2] + plane) * height + start[1] + row) * width + start[0];
        const bit = 1 << corner;
        for (let i = 0; i < columns; i++) {
          if (voxels[offset + i] !== label) continue;
          halves[i] = (halves[i] ?? 0) | bit;
          isEmpty = false;
        }
      }
      if (isEmpty) continue;
      for (let i = 0, before = 0; i <= columns; i++) {
        const here = i < columns ? (halves[i] ?? 0) : 0;
        const code = before | (here << 4);
        if (code !== 0 && code !== FULL_CELL) cells.add(j * dimensions[0] + i, code);
        before = here;
      }
    }
  }
  planeStarts[dimensions[2]] = cells.length;
  return { dimensions, planeStarts, ...cells.toArrays() };
}

/** Grows by doubling: a surface's size is not known before it is found. */
class CellList {
  length = 0;
  #places = new Uint32Array(1024);
  #codes = new Uint8Array(1024);

  add(place: number, code: number): void {
    if (this.length === this.#places.length) {
      const [places, codes] = [new Uint32Array(2 * this.length), new Uint8Array(2 * this.length)];
      places.set(this.#places);
      codes.set(this.#codes);
      [this.#places, this.#codes] = [places, codes];
    }
    this.#places[this.length] = place;
    this.#codes[this.length] = code;
    this.length++;
  }

  toArrays(): { places: Uint32Array; codes: Uint8Array } {
    return { places: this.#places.subarray(0, this.length), codes: this.#codes.subarray(0, this.length) };
  }
}
