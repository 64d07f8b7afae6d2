import { concatenate } from './concatenate.ts';
import { damagedFile } from './damaged-file.ts';

/** The compressed frames of encapsulated pixel data (PS3.5 A.4): one fragment a frame, else as the basic offset table
 * says, else from one beginning of a JPEG or JPEG 2000 image to the next. (An extended offset table is for frames of one
 * fragment each.)
 * @param start of the first item
 * @throws InputError `damaged-file` */
export function encapsulatedFrames(file: Uint8Array, start: number, frameCount: number, name: string): Uint8Array[] {
  const [table, ...fragments] = itemsOf(file, start, name);
  if (table === undefined || fragments.length < frameCount) {
    throw damagedFile(name, `it has ${fragments.length} compressed fragments for ${frameCount} frames`);
  }
  if (fragments.length === frameCount) return fragments.map(({ bytes }) => bytes);
  const startsFrame = frameCount === 1 ? () => false : frameStarts(table, fragments);
  const frames: Item[][] = [];
  for (const fragment of fragments) {
    const current = frames.at(-1);
    if (current === undefined || startsFrame(fragment)) frames.push([fragment]);
    else current.push(fragment);
  }
  if (frames.length !== frameCount) {
    throw damagedFile(
      name,
      `its ${fragments.length} compressed fragments do not say which of ${frameCount} frames is theirs`,
    );
  }
  return frames.map((own) => (own.length === 1 && own[0] !== undefined ? own[0].bytes : joined(own)));
}

/** Whether a fragment is the first of its frame. */
function frameStarts(table: Item, [first]: readonly Item[]): (fragment: Item) => boolean {
  const { buffer, byteOffset, byteLength } = table.bytes;
  if (byteLength < 4 || first === undefined) return ({ bytes }) => beginsImage(bytes);
  const offsets = new DataView(buffer, byteOffset, byteLength);
  const starts = new Set<number>();
  for (let at = 0; at + 4 <= byteLength; at += 4) starts.add(first.itemOffset + offsets.getUint32(at, true));
  return ({ itemOffset }) => starts.has(itemOffset);
}

/** SOI of JPEG and JPEG-LS, SOC and SIZ of JPEG 2000. */
function beginsImage([a, b, c, d]: Uint8Array): boolean {
  return a === 0xff && ((b === 0xd8 && c === 0xff) || (b === 0x4f && c === 0xff && d === 0x51));
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
  return concatenate(items.map(({ bytes }) => bytes));
}
