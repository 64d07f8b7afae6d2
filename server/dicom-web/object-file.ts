/** A file of a DICOM object, on disk or in memory. */
export interface ObjectFile {
  readonly byteLength: number;
  /** Bytes from `start`; fewer where the file ends. */
  readonly read: (start: number, byteLength: number) => Promise<Uint8Array>;
}

/** The file is not there any more, is another one by now, or leads elsewhere. */
export class FileGoneError extends Error {}

/** A longer value is not read with the attributes of its file: it is told by its address. */
export const LONG_VALUE_BYTES = 2 ** 20;
/** So much of a file is in memory at once, for each answer. */
export const PIECE_BYTES = 2 ** 18;

export function inMemory(bytes: Uint8Array): ObjectFile {
  return {
    byteLength: bytes.length,
    read: (start, byteLength) => Promise.resolve(bytes.subarray(start, start + byteLength)),
  };
}

/** A part of a file, read piece by piece.
 * @throws FileGoneError if it ends before that */
export async function* piecesOf(file: ObjectFile, start: number, byteLength: number): AsyncGenerator<Uint8Array, void> {
  const end = start + byteLength;
  for (let at = start; at < end; at += PIECE_BYTES) {
    const piece = await file.read(at, Math.min(PIECE_BYTES, end - at));
    if (piece.length < Math.min(PIECE_BYTES, end - at)) throw new FileGoneError('The file has become shorter.');
    yield piece;
  }
}
