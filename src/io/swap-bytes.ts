import type { VoxelArray } from '../volume/volume.ts';

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
