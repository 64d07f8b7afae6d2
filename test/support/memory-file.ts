import type { SourceFile } from '../../src/io/reader.ts';

/** A file in memory; counts how often it was read whole. */
export function memoryFile(name: string, bytes: Uint8Array): SourceFile & { readonly wholeReads: number } {
  let wholeReads = 0;
  return {
    name,
    byteLength: bytes.length,
    get wholeReads() {
      return wholeReads;
    },
    readHead: (byteLength) => Promise.resolve(bytes.slice(0, byteLength)),
    read: () => {
      wholeReads++;
      return Promise.resolve(bytes.slice());
    },
  };
}
