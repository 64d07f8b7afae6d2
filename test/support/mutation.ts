import fc from 'fast-check';

/** A way to damage a file, as transfers, disks and attackers do. */
export type Mutation = (bytes: Uint8Array) => Uint8Array;

/** Positions are parts of a file, more often within its first kilobyte or two, where headers are. */
const position = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }).map((part) => (length: number) => Math.floor(part * (length - 1))),
  fc.nat({ max: 2000 }).map((offset) => (length: number) => offset % length),
);

const WORDS = [0, 1, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** Some bytes changed, a length made extreme, the end cut off, bytes put in, moved or taken out. */
export const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc
    .array(fc.tuple(position, fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 })
    .map((changes): Mutation => (bytes) => {
      const changed = bytes.slice();
      for (const [at, value] of changes) changed[at(bytes.length)] = value;
      return changed;
    }),
  fc.tuple(position, fc.constantFrom(...WORDS), fc.boolean()).map(([at, word, littleEndian]): Mutation => (bytes) => {
    const changed = bytes.slice();
    new DataView(changed.buffer).setUint32(Math.min(at(bytes.length), bytes.length - 4), word, littleEndian);
    return changed;
  }),
  position.map(
    (at): Mutation =>
      (bytes) =>
        bytes.slice(0, at(bytes.length)),
  ),
  fc.tuple(position, fc.uint8Array({ minLength: 1, maxLength: 24 })).map(([at, inserted]): Mutation => (bytes) => {
    const split = at(bytes.length);
    return Uint8Array.of(...bytes.subarray(0, split), ...inserted, ...bytes.subarray(split));
  }),
  fc.tuple(position, position, fc.integer({ min: 1, max: 200 })).map(([from, to, length]): Mutation => (bytes) => {
    const changed = bytes.slice();
    changed.copyWithin(to(bytes.length), from(bytes.length), from(bytes.length) + length);
    return changed;
  }),
  fc.tuple(position, fc.integer({ min: 1, max: 64 })).map(([at, count]): Mutation => (bytes) => {
    const from = at(bytes.length);
    return Uint8Array.of(...bytes.subarray(0, from), ...bytes.subarray(from + count));
  }),
);
