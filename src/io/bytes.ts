import type { VoxelArray } from '../volume/volume.ts';

/** The parts one after the other, in one new array. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/** Reverses the bytes of every element, in place. */
export function swapBytes(values: VoxelArray): void {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: width } = values;
  if (width === 1 || byteLength === 0) return;
  if (width === 2) {
    const words = new Uint16Array(buffer, byteOffset, byteLength / 2);
    // Two at a time from where that is aligned.
    const first = (byteOffset % 4) / 2;
    const pairs = new Uint32Array(buffer, byteOffset + 2 * first, (words.length - first) >> 1);
    for (let at = 0; at < pairs.length; at++) {
      const pair = pairs[at] ?? 0;
      pairs[at] = ((pair & 0x00ff00ff) << 8) | ((pair >>> 8) & 0x00ff00ff);
    }
    if (first === 1) words[0] = swappedWord(words[0] ?? 0);
    const last = first + 2 * pairs.length;
    if (last < words.length) words[last] = swappedWord(words[last] ?? 0);
    return;
  }
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

function swappedWord(word: number): number {
  return (word << 8) | (word >>> 8);
}

/** Text without the given characters at its end. A regular expression for that starts anew at each run of them, which
 * takes time by the square of a long run. */
export function trimEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
