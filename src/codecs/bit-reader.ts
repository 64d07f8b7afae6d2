import type { HuffmanTable } from './jpeg-segments.ts';

/** Reads bits, the highest of a byte first. Past the end there are zeroes; {@link isPastEnd} tells afterwards. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  /** The lowest `#count` bits are still to be read. */
  #bits = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The symbol of the next codeword.
   * @throws Error if no codeword begins so */
  symbol(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    const entry = table[(this.#bits >>> (this.#count - 16)) & 0xffff] ?? 0;
    if (entry === 0) throw new Error('its entropy-coded data are damaged');
    this.#count -= entry >> 8;
    return entry & 0xff;
  }

  /** A difference of `size` bits: the value itself, or with the highest bit 0 that value − 2ˢⁱᶻᵉ + 1 (T.81 F.2.2.1).
   * @param size 1 to 15 */
  difference(size: number): number {
    if (this.#count < size) this.#fill();
    this.#count -= size;
    const value = (this.#bits >>> this.#count) & ((1 << size) - 1);
    return value >> (size - 1) === 0 ? value - (1 << size) + 1 : value;
  }

  /** Whether more bits were read than there are. */
  get isPastEnd(): boolean {
    return 8 * this.#position - this.#count > 8 * this.#bytes.length;
  }

  #fill(): void {
    const bytes = this.#bytes;
    while (this.#count <= 24) {
      this.#bits = (this.#bits << 8) | (bytes[this.#position++] ?? 0);
      this.#count += 8;
    }
  }
}
