import { readVolume, type Notice, type SourceFile, type Volume } from '../src/index.ts';

/** Reads the one image among some files of the user's computer.
 * @throws InputError with a remedy */
export async function readFiles(
  files: Iterable<File>,
): Promise<{ readonly volume: Volume; readonly warnings: readonly Notice[] }> {
  return readVolume(Array.from(files, sourceFile));
}

function sourceFile(file: File): SourceFile {
  const bytes = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());
  return {
    name: file.webkitRelativePath || file.name,
    byteLength: file.size,
    readHead: (byteLength) => bytes(file.slice(0, byteLength)),
    readRange: (start, byteLength) => bytes(file.slice(start, start + byteLength)),
    read: () => bytes(file),
  };
}
