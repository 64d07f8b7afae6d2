import { type Axis, AXIS_ORDERS, type Vector3 } from '../volume/geometry.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';

type Triple = readonly [number, number, number];

/** The voxel at a corner of a cell, an offset of 0 or 1 along i, j, k, as a bit of the cell's code. Those one step on
 * along i are the upper four bits. */
export function cornerBit([i, j, k]: Triple): number {
  return 1 << (4 * i + j + 2 * k);
}

/** The code of a cell with all eight voxels inside; 0 is that of one with none. */
export const FULL_CELL = 255;

/** The area in mm² of a mask's surface within a cell, by the cell's code: which of the eight voxels around it are inside.
 * It is the area of the triangles that marching cubes puts between the midpoints of the cell's edges.
 * @param spacing of the voxels in mm
 * @see Lorensen and Cline, SIGGRAPH 1987, 10.1145/37401.37422 */
export function surfaceAreas([i, j, k]: Vector3): Float64Array {
  const areas = new Float64Array(FULL_CELL + 1);
  for (const { corners, triangles } of CASES) {
    for (const { axes, flips } of SYMMETRIES) {
      const code = corners.reduce((bits, corner) => bits | cornerBit(flipped(permuted(corner, axes), flips)), 0);
      const area = triangles
        .map((triangle) => permuted(triangle, axes))
        .reduce((sum, [x, y, z]) => sum + Math.hypot(x * j * k, y * i * k, z * i * j) / 8, 0);
      // One surface parts the inside from the outside.
      areas[code] = area;
      areas[FULL_CELL - code] = area;
    }
  }
  return areas;
}

interface Case {
  /** The voxels inside, or those outside. */
  readonly corners: readonly Triple[];
  /** The area vector of each triangle in eighths of the cell's faces, without signs. */
  readonly triangles: readonly Triple[];
}

/** The ways to divide a cell's corners, apart from its symmetries; of diagonal neighbours each has a surface of its own. */
const CASES: readonly Case[] = [
  { corners: [[0, 0, 0]], triangles: [[1, 1, 1]] },
  {
    corners: [
      [0, 0, 0],
      [0, 1, 0],
    ],
    triangles: [
      [2, 0, 2],
      [2, 0, 2],
    ],
  },
  {
    corners: [
      [0, 0, 1],
      [0, 1, 0],
    ],
    triangles: [
      [1, 1, 1],
      [1, 1, 1],
    ],
  },
  {
    corners: [
      [0, 1, 1],
      [1, 0, 0],
    ],
    triangles: [
      [1, 1, 1],
      [1, 1, 1],
    ],
  },
  {
    corners: [
      [0, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
    ],
    triangles: [
      [1, 1, 1],
      [2, 2, 2],
      [4, 0, 0],
    ],
  },
  {
    corners: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
    triangles: [
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ],
  },
  {
    corners: [
      [0, 0, 0],
      [0, 1, 1],
      [1, 0, 0],
    ],
    triangles: [
      [0, 2, 2],
      [0, 2, 2],
      [1, 1, 1],
    ],
  },
  {
    corners: [
      [0, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
      [0, 1, 1],
    ],
    triangles: [
      [4, 0, 0],
      [4, 0, 0],
    ],
  },
  {
    corners: [
      [0, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
    triangles: [
      [1, 1, 1],
      [1, 1, 1],
      [2, 2, 2],
      [2, 2, 2],
    ],
  },
  {
    corners: [
      [0, 0, 0],
      [0, 1, 0],
      [0, 1, 1],
      [1, 0, 0],
    ],
    triangles: [
      [0, 2, 2],
      [1, 1, 1],
      [2, 2, 0],
      [3, 3, 3],
    ],
  },
  {
    corners: [
      [0, 0, 1],
      [0, 1, 0],
      [0, 1, 1],
      [1, 0, 0],
    ],
    triangles: [
      [1, 1, 1],
      [1, 1, 1],
      [2, 2, 2],
      [4, 0, 0],
    ],
  },
  {
    corners: [
      [0, 0, 1],
      [0, 1, 1],
      [1, 0, 0],
      [1, 1, 0],
    ],
    triangles: [
      [2, 0, 2],
      [2, 0, 2],
      [2, 0, 2],
      [2, 0, 2],
    ],
  },
  {
    corners: [
      [0, 0, 0],
      [0, 1, 1],
      [1, 0, 1],
      [1, 1, 0],
    ],
    triangles: [
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ],
  },
];

/** The 48 symmetries of a cube: an order of its axes, and which of them run the other way. */
const SYMMETRIES = AXIS_ORDERS.flatMap((axes) =>
  Array.from({ length: 8 }, (_, n) => ({
    axes,
    flips: [n & 1, (n >> 1) & 1, n >> 2] as const,
  })),
);

function permuted(triple: Triple, [a, b, c]: readonly [Axis, Axis, Axis]): Triple {
  return [triple[a], triple[b], triple[c]];
}

function flipped([i, j, k]: Triple, [a, b, c]: Triple): Triple {
  return [i ^ a, j ^ b, k ^ c];
}

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
