import type { ModelManifest } from '../models/manifest.ts';

/** One way of showing a slice to the model. */
export interface View {
  /** The image is enlarged by it: the slice is resampled at the model's spacing divided by it. */
  readonly scale: number;
  readonly turn: Turn;
}

/** A flip or a rotation by quarter turns about a plane's centre: pixel p of the result is pixel M · p of the source,
 * with p = (column, row) from the centre and M = [a b; c d]. */
export type Turn = readonly [a: number, b: number, c: number, d: number];

const IDENTITY: Turn = [1, 0, 0, 1];
export const PLAIN_VIEW: View = { scale: 1, turn: IDENTITY };

const FLIPS: Readonly<Record<'i' | 'j', Turn>> = { i: [-1, 0, 0, 1], j: [1, 0, 0, -1] };
const ROTATIONS: Readonly<Record<90 | 180 | 270, Turn>> = {
  90: [0, -1, 1, 0],
  180: [-1, 0, 0, -1],
  270: [0, 1, -1, 0],
};

/** Every different view that a manifest allows: each scale (the plain one first) with each combination of its flips and
 * rotations. Multi-scale as in the testing of PSPNet (Zhao et al. 2017, section 4.1): the input is resampled, the
 * probabilities are averaged on the source grid. */
export function testTimeViews({ flips, rotations, scales }: ModelManifest['tta']): View[] {
  const flipped = flips.reduce<Turn[]>(
    (turns, flip) => [...turns, ...turns.map((turn) => compose(FLIPS[flip], turn))],
    [IDENTITY],
  );
  const turned = [IDENTITY, ...rotations.map((angle) => ROTATIONS[angle])].flatMap((rotation) =>
    flipped.map((turn) => compose(rotation, turn)),
  );
  const turns = [...new Map(turned.map((turn) => [turn.join(), turn])).values()];
  return [...new Set([1, ...scales])].flatMap((scale) => turns.map((turn) => ({ scale, turn })));
}

/** Turns planes [count × rows × columns]; quarter turns need square ones. Returns the input itself for the identity. */
export function turnPlanes(planes: Float32Array, columns: number, rows: number, turn: Turn): Float32Array {
  const [a, b, c, d] = turn;
  if (a === 1 && d === 1) return planes;
  const size = columns * rows;
  const turned = new Float32Array(planes.length);
  // The source pixel of result pixel (0, 0), whose centred coordinates are ((1 − columns) / 2, (1 − rows) / 2).
  const column = (a * (1 - columns) + b * (1 - rows) + columns - 1) / 2;
  const row = (c * (1 - columns) + d * (1 - rows) + rows - 1) / 2;
  const start = row * columns + column;
  const [alongColumn, alongRow] = [c * columns + a, d * columns + b];
  for (let plane = 0, out = 0; plane < planes.length; plane += size) {
    for (let y = 0; y < rows; y++) {
      let at = plane + start + y * alongRow;
      for (let x = 0; x < columns; x++, at += alongColumn, out++) turned[out] = planes[at] ?? 0;
    }
  }
  return turned;
}

export function inverseTurn([a, b, c, d]: Turn): Turn {
  return [a, c, b, d];
}

/** First `first`, then `second`, as pixel maps: the matrix product first · second. */
function compose(second: Turn, first: Turn): Turn {
  return [
    first[0] * second[0] + first[1] * second[2],
    first[0] * second[1] + first[1] * second[3],
    first[2] * second[0] + first[3] * second[2],
    first[2] * second[1] + first[3] * second[3],
  ];
}
