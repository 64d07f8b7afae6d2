import { AXIS_ORDERS, type Axis, type Vector3 } from '../volume/geometry.ts';

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
