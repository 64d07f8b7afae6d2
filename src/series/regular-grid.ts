/** Where a slice's first voxel lies, mm: along the normal of the slices, and across it along a row and a column. */
export interface SlicePlace {
  readonly depth: number;
  readonly row: number;
  readonly column: number;
}

/** Why slices are no regular, upright grid; slices are named by their number in the order of their depths. */
export type GridProblem =
  /** One lies off the grid that all others form, with or without places left empty; `aside` if across the normal. */
  | { readonly kind: 'misplaced'; readonly slice: number; readonly offMm: number; readonly isAside: boolean }
  /** A tilted gantry, or slices shifted in their plane: the grid would be sheared. */
  | { readonly kind: 'leaning'; readonly slice: number; readonly inPlaneMm: number; readonly alongNormalMm: number }
  | { readonly kind: 'gaps'; readonly usualGapMm: number; readonly gaps: readonly Gap[] };

interface Gap {
  /** It lies between slices n and n + 1. */
  readonly n: number;
  readonly gapMm: number;
}

/** Half of what positions rounded to 0.1 mm differ by, and a little more. */
const DEPTH_TOLERANCE_MM = 0.06;
const DEPTH_TOLERANCE = 0.01;
const MAX_DEPTH_TOLERANCE = 0.1;
/** Two coordinates of positions rounded to 0.1 mm. */
const ASIDE_TOLERANCE_MM = 0.1;
/** A stack leans if it leaves its normal by more than this part of its length: 0.06°. */
const TILT_TOLERANCE = 1e-3;

/** How far off the regular grid a slice may lie, mm. */
export function depthTolerance(gapMm: number): number {
  return Math.min(Math.max(DEPTH_TOLERANCE_MM, DEPTH_TOLERANCE * gapMm), MAX_DEPTH_TOLERANCE * gapMm);
}

/** The spacing of the evenly spaced slices that lie nearest to these, by least squares.
 * @param depths at least two, rising */
export function fittedSpacing(depths: readonly number[]): number {
  return fitLine(
    depths.map((_, n) => n),
    depths,
  ).slope;
}

/** Judges slices against the regular grid that is nearest to all of them (least squares), so that positions which are
 * rounded pass wherever their gaps fall.
 * @param places by rising depth
 * @returns undefined for a regular, upright grid */
export function findGridProblem(places: readonly SlicePlace[]): GridProblem | undefined {
  if (places.length < 2) return undefined;
  const consecutive = places.map((_, n) => n);
  const fit = fitGrid(places, consecutive);
  if (fit.isEven && fit.isStraight && !fit.isLeaning) return undefined;
  return findMisplaced(places) ?? findLeaning(places, fit) ?? findGaps(places, fit);
}

interface Fit {
  readonly isEven: boolean;
  readonly isStraight: boolean;
  readonly isLeaning: boolean;
  /** The furthest that a place is from its own in the grid, mm. */
  readonly furthest: number;
}

/** @param numbers of the grid's slices that the places are */
function fitGrid(places: readonly SlicePlace[], numbers: readonly number[]): Fit {
  const depth = fitLine(
    numbers,
    places.map((place) => place.depth),
  );
  const row = fitLine(
    numbers,
    places.map((place) => place.row),
  );
  const column = fitLine(
    numbers,
    places.map((place) => place.column),
  );
  const count = (numbers.at(-1) ?? 0) - (numbers[0] ?? 0);
  const span = Math.abs(depth.slope) * count;
  const tolerance = asideTolerance(span);
  let [off, aside] = [0, 0];
  places.forEach((place, n) => {
    const number = numbers[n] ?? 0;
    off = Math.max(off, Math.abs(place.depth - depth.at(number)));
    aside = Math.max(aside, Math.hypot(place.row - row.at(number), place.column - column.at(number)));
  });
  return {
    isEven: places.length < 3 || off <= depthTolerance(Math.abs(depth.slope)),
    isStraight: aside <= tolerance,
    isLeaning: Math.hypot(row.slope, column.slope) * count > tolerance,
    furthest: Math.hypot(off, aside),
  };
}

function asideTolerance(spanMm: number): number {
  return Math.max(ASIDE_TOLERANCE_MM, TILT_TOLERANCE * spanMm);
}

function fitLine(at: readonly number[], values: readonly number[]) {
  const count = values.length;
  const [middle, mean] = [at, values].map((list) => list.reduce((sum, value) => sum + value, 0) / count) as [
    number,
    number,
  ];
  let [products, squares] = [0, 0];
  values.forEach((value, n) => {
    const x = (at[n] ?? 0) - middle;
    products += x * (value - mean);
    squares += x * x;
  });
  const slope = squares === 0 ? 0 : products / squares;
  return { slope, at: (x: number): number => mean + slope * (x - middle) };
}

/** The one slice without which the others are a grid. */
function findMisplaced(places: readonly SlicePlace[]): GridProblem | undefined {
  if (places.length < 3 || gridWithout(places, -1) !== undefined) return undefined;
  const judged = suspects(places).flatMap((slice) => {
    const grid = gridWithout(places, slice);
    return grid === undefined ? [] : [{ slice, grid }];
  });
  const [best] = judged.sort((a, b) => a.grid.fit.furthest - b.grid.fit.furthest);
  const place = best && places[best.slice];
  if (best === undefined || place === undefined) return undefined;
  const aside = best.grid.aside(place);
  const off = best.grid.off(place);
  const isAside = aside > asideTolerance(best.grid.spanMm);
  return { kind: 'misplaced', slice: best.slice, offMm: Math.hypot(aside, off), isAside };
}

/** The grid of all slices but one, which may have empty places: fewer than slices.
 * @returns undefined if they are none; three slices must be upright to be one without the third */
function gridWithout(all: readonly SlicePlace[], slice: number) {
  const places = all.filter((_, n) => n !== slice);
  const gap = median(gapsOf(places));
  const first = places[0]?.depth ?? 0;
  const numbers = places.map(({ depth }) => Math.round((depth - first) / gap));
  const last = numbers.at(-1) ?? 0;
  const isRising = numbers.every((number, n) => n === 0 || number > (numbers[n - 1] ?? 0));
  if (!isRising || last > 2 * places.length) return undefined;
  const fit = fitGrid(places, numbers);
  if (!fit.isEven || !fit.isStraight || (places.length < 3 && fit.isLeaning)) return undefined;
  const line = (of: (place: SlicePlace) => number) =>
    fitLine(
      places.map(({ depth }) => depth),
      places.map(of),
    );
  const row = line((place) => place.row);
  const column = line((place) => place.column);
  return {
    fit,
    spanMm: (places.at(-1)?.depth ?? 0) - first,
    aside: (place: SlicePlace): number =>
      Math.hypot(place.row - row.at(place.depth), place.column - column.at(place.depth)),
    off: (place: SlicePlace): number => {
      const steps = (place.depth - first) / gap;
      return Math.abs(steps - Math.round(steps)) * gap;
    },
  };
}

/** Slices that a wrong position would be of: the one furthest aside of the line that most lie on, those beside an unusual
 * gap. */
function suspects(places: readonly SlicePlace[]): number[] {
  const asides = ([(place: SlicePlace) => place.row, (place: SlicePlace) => place.column] as const).map((of) => {
    const slopes = places.slice(1).map((place, n) => {
      const before = places[n] ?? place;
      return (of(place) - of(before)) / (place.depth - before.depth);
    });
    const slope = median(slopes);
    const start = median(places.map((place) => of(place) - slope * place.depth));
    return places.map((place) => of(place) - slope * place.depth - start);
  });
  const distances = places.map((_, n) => Math.hypot(asides[0]?.[n] ?? 0, asides[1]?.[n] ?? 0));
  const furthest = distances.reduce((best, distance, n) => (distance > (distances[best] ?? 0) ? n : best), 0);
  const gaps = gapsOf(places);
  const usual = median(gaps);
  const odd = gaps
    .map((gap, n) => ({ n, off: Math.abs(gap - usual) }))
    .sort((a, b) => b.off - a.off)
    .slice(0, MAX_SUSPECT_GAPS);
  return [...new Set([furthest, ...odd.flatMap(({ n }) => [n, n + 1])])];
}

const MAX_SUSPECT_GAPS = 4;

function findLeaning(places: readonly SlicePlace[], fit: Fit): GridProblem | undefined {
  if (fit.isStraight && !fit.isLeaning) return undefined;
  const [first] = places;
  if (first === undefined) return undefined;
  const offsets = places.map((place, slice) => ({
    slice,
    inPlaneMm: Math.hypot(place.row - first.row, place.column - first.column),
    alongNormalMm: place.depth - first.depth,
  }));
  const worst = offsets.reduce((a, b) => (b.inPlaneMm > a.inPlaneMm ? b : a));
  return { kind: 'leaning', ...worst };
}

function findGaps(places: readonly SlicePlace[], { isEven }: Fit): GridProblem | undefined {
  if (isEven) return undefined;
  const gaps = gapsOf(places).map((gapMm, n) => ({ n, gapMm }));
  const usualGapMm = median(gaps.map(({ gapMm }) => gapMm));
  const odd = gaps.filter(({ gapMm }) => Math.abs(gapMm - usualGapMm) > depthTolerance(usualGapMm));
  const furthest = gaps.toSorted((a, b) => Math.abs(b.gapMm - usualGapMm) - Math.abs(a.gapMm - usualGapMm));
  return { kind: 'gaps', usualGapMm, gaps: odd.length > 0 ? odd : furthest.slice(0, 1) };
}

function gapsOf(places: readonly SlicePlace[]): number[] {
  return places.slice(1).map(({ depth }, n) => depth - (places[n]?.depth ?? 0));
}

/** Of an even number of values the lower of the two in the middle. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? 0;
}
