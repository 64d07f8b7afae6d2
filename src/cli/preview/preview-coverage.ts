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
