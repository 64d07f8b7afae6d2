import type { VoxelArray } from '../volume/volume.ts';

/** Reverses the bytes of every element, in place. */
export function swapBytes(values: VoxelArray): void {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: width } = values;
  if (width === 1) return;
  if (width === 2) {
    const words = new Uint16Array(buffer, byteOffset, byteLength / 2);
    for (let at = 0; at < words.length; at++) {
      const word = words[at] ?? 0;
      words[at] = (word << 8) | (word >>> 8);
    }
    return;
  }
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}
