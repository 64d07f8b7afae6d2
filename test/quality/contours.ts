/** Whether each pixel's centre lies inside a closed polygon (even-odd rule), rows × columns, row by row. */
export function fillPolygon(
  points: readonly (readonly [x: number, y: number])[],
  columns: number,
  rows: number,
): boolean[] {
  const inside = new Array<boolean>(rows * columns).fill(false);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let odd = false;
      for (let n = 0, previous = points.length - 1; n < points.length; previous = n++) {
        const [ax, ay] = points[n] ?? [0, 0];
        const [bx, by] = points[previous] ?? [0, 0];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
      inside[y * columns + x] = odd;
    }
  }
  return inside;
}

/** A Sunnybrook contour: one "x y" a line in pixels, 1-based; here 0-based. */
export function parseContour(text: string): [number, number][] {
  return text
    .trim()
    .split(/\s*\n\s*/)
    .map((line) => {
      const [x, y] = line.split(/\s+/).map(Number);
      if (x === undefined || y === undefined || Number.isNaN(x + y)) throw new Error(`"${line}" is no contour point`);
      return [x - 1, y - 1];
    });
}
