import { damagedFile } from './damaged-file.ts';

/** The compressed frames of encapsulated pixel data (PS3.5 A.4): one fragment a frame, or as the basic offset table says.
 * @param start of the first item
 * @throws InputError `damaged-file` */
export function encapsulatedFrames(file: Uint8Array, start: number, frameCount: number, name: string): Uint8Array[] {
  const [table, ...fragments] = itemsOf(file, start, name);
  if (table === undefined || fragments.length < frameCount) {
    throw damagedFile(name, `it has ${fragments.length} compressed fragments for ${frameCount} frames`);
  }
  if (fragments.length === frameCount) return fragments.map(({ bytes }) => bytes);
  if (frameCount === 1) return [joined(fragments)];
  const [first] = fragments;
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength);
  if (first === undefined || view.byteLength !== 4 * frameCount) {
    throw damagedFile(
      name,
      `its ${fragments.length} compressed fragments do not say which of ${frameCount} frames is theirs`,
    );
  }
  const starts = Array.from({ length: frameCount }, (_, n) => first.itemOffset + view.getUint32(4 * n, true));
  return starts.map((from, n) => {
    const to = starts[n + 1] ?? Infinity;
    const own = fragments.filter(({ itemOffset }) => itemOffset >= from && itemOffset < to);
    if (own.length === 0) throw damagedFile(name, `frame ${n + 1} has no compressed fragment`);
    return joined(own);
  });
}

interface Item {
  /** Where the item's tag is. */
  readonly itemOffset: number;
  readonly bytes: Uint8Array;
}

const ITEM = 0xe000fffe;
const SEQUENCE_DELIMITATION = 0xe0ddfffe;

function itemsOf(file: Uint8Array, start: number, name: string): Item[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const items: Item[] = [];
  for (let position = start; position + 8 <= file.length;) {
    const tag = view.getUint32(position, true);
    const length = view.getUint32(position + 4, true);
    if (tag === SEQUENCE_DELIMITATION) return items;
    if (tag !== ITEM) throw damagedFile(name, `its pixel data have no fragment at byte ${position}`);
    if (position + 8 + length > file.length) break;
    items.push({ itemOffset: position, bytes: file.subarray(position + 8, position + 8 + length) });
    position += 8 + length;
  }
  throw damagedFile(name, 'it ends within its compressed pixel data');
}

function joined(items: readonly Item[]): Uint8Array {
  const [only] = items;
  if (items.length === 1 && only !== undefined) return only.bytes;
  const whole = new Uint8Array(items.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let position = 0;
  for (const { bytes } of items) {
    whole.set(bytes, position);
    position += bytes.length;
  }
  return whole;
}
