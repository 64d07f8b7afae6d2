import { InputError } from '../../src/index.ts';
import {
  beginsImage,
  damagedFile,
  type FragmentPlace,
  framesOfFragments,
  ITEM,
  SEQUENCE_DELIMITATION,
} from '../../src/dicom/datasets.ts';
import { FILE_NAME } from './dicom-file.ts';
import type { ObjectFile } from './object-file.ts';

/** Where a fragment of encapsulated pixel data lies in its file. */
export interface Fragment extends FragmentPlace {
  readonly dataOffset: number;
  readonly byteLength: number;
}

/** Tag and length of an item, and the first bytes of its value, which tell whether an image begins. */
const ITEM_HEAD_BYTES = 8 + 5;
/** Read at once: small fragments lie side by side, and of a large one no more than its head is wanted. */
const WINDOW_BYTES = 64 * 1024;
/** A table of four bytes a frame. */
const MAX_TABLE_BYTES = 4 * 2 ** 20;
/** An index of so many takes some 20 MB. */
const MAX_FRAGMENTS = 2 ** 18;

/** Finds the fragments of each frame of encapsulated pixel data (PS3.5 A.4) without reading them: a file may be larger
 * than memory, and a request is for a frame or two.
 * @param start of the first item
 * @throws InputError `damaged-file`, `limit-exceeded` */
export async function indexFrames(
  file: ObjectFile,
  start: number,
  frameCount: number,
): Promise<readonly (readonly Fragment[])[]> {
  const readHead = windowed(file);
  const fragments: Fragment[] = [];
  let table: Uint8Array | undefined;
  for (let position = start; ;) {
    const head = await readHead(position);
    if (head.length < 8) throw damagedFile(FILE_NAME, 'it ends within its compressed pixel data');
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const [tag, byteLength] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (tag === SEQUENCE_DELIMITATION) return framesOfFragments(table, fragments, frameCount, FILE_NAME).frames;
    if (tag !== ITEM) throw damagedFile(FILE_NAME, `its pixel data have no fragment at byte ${position}`);
    const dataOffset = position + 8;
    if (dataOffset + byteLength > file.byteLength) {
      throw damagedFile(FILE_NAME, 'it ends within its compressed pixel data');
    }
    if (table === undefined) {
      if (byteLength > MAX_TABLE_BYTES) throw tooMany(`a table of ${byteLength} bytes`);
      table = (await file.read(dataOffset, byteLength)).slice();
    } else {
      if (fragments.length >= MAX_FRAGMENTS) throw tooMany(`more than ${MAX_FRAGMENTS} compressed fragments`);
      const first = head.subarray(8, 8 + Math.min(5, byteLength));
      fragments.push({ itemOffset: position, dataOffset, byteLength, beginsImage: beginsImage(first) });
    }
    position = dataOffset + byteLength;
  }
}

/** Reads item heads out of one window, which moves when a head lies outside. */
function windowed(file: ObjectFile): (position: number) => Promise<Uint8Array> {
  let [from, window] = [0, new Uint8Array() as Uint8Array];
  return async (position) => {
    const isInside = position >= from && position + ITEM_HEAD_BYTES <= from + window.length;
    if (!isInside) {
      const isFar = position - from > 2 * WINDOW_BYTES;
      [from, window] = [position, await file.read(position, isFar ? ITEM_HEAD_BYTES : WINDOW_BYTES)];
    }
    return window.subarray(position - from, position - from + ITEM_HEAD_BYTES);
  };
}

function tooMany(what: string): InputError {
  return new InputError('limit-exceeded', `${FILE_NAME} has ${what}.`, {
    remedy: 'Store its frames in several objects.',
  });
}
