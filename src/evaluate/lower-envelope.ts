/** The least of several parabolas of one width, by Felzenszwalb and Huttenlocher: for each place of a row the nearest of
 * some others in it, each of which is some way off the row. */
export class LowerEnvelope {
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
