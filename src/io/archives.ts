import { InputError } from '../errors.ts';
import { inflating } from './byte-source.ts';
import { concatenate } from './bytes.ts';
import { assertWithinLimit, damagedFile, type ReadLimits } from './read-limits.ts';
import type { SourceFile } from './reader.ts';
import type { Entry, FileEntry } from '@zip.js/zip.js';

// A gzipped file as the file within: unpacked no further than it is read, and within the limits.

/** Of the packed file, for a head of the content: gzip's own header may hold a name and a comment. */
const MIN_PACKED_HEAD_BYTES = 4096;

/** Opens the content of a gzipped file; nothing is unpacked before it is read. */
export function openGzipFile(file: SourceFile, limits: ReadLimits): SourceFile {
  return {
    name: file.name,
    byteLength: Infinity,
    container: file,
    // Content that compresses well needs less, content that does not hardly more, and a deflated block at most 64 KB.
    readHead: async (byteLength) => {
      const packed = await file.readHead(Math.max(MIN_PACKED_HEAD_BYTES, byteLength + 2 ** 16));
      return unpack(packed, { most: byteLength, isWhole: packed.length >= file.byteLength, name: file.name });
    },
    read: async () => {
      const packed = await file.read();
      const most = Math.min(limits.inflatedBytes, packed.length * limits.inflateRatio);
      const unpacked = file.gunzip
        ? orDamaged(file.name, () => file.gunzip?.(packed, most))
        : await unpack(packed, { most: most + 1, isWhole: true, name: file.name });
      const length = unpacked?.length ?? most + 1;
      assertWithinLimit(length, 'inflatedBytes', limits, { name: file.name, what: 'unpacked bytes' });
      const ratio = Math.ceil(length / packed.length);
      assertWithinLimit(ratio, 'inflateRatio', limits, { name: file.name, what: 'bytes from one gzipped byte' });
      return unpacked ?? new Uint8Array(0);
    },
  };
}

interface Unpacking {
  /** Bytes to unpack at the most. */
  readonly most: number;
  /** Whether the packed bytes are all there are: else it is no fault that they end in the middle. */
  readonly isWhole: boolean;
  readonly name: string;
}

async function unpack(packed: Uint8Array, { most, isWhole, name }: Unpacking): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = inflating(packed, 'gzip');
  try {
    while (length < most) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
    }
  } catch (error) {
    if (isWhole || length === 0) throw damaged(name, error);
  } finally {
    reader.cancel().catch(() => undefined); // the rest is not wanted, and may be damaged
  }
  return concatenate(chunks).subarray(0, most);
}

function orDamaged<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw damaged(name, error);
  }
}

function damaged(name: string, cause: unknown): InputError {
  return damagedFile(name, 'its gzipped content cannot be unpacked', cause);
}

// A zip archive as the files within, by zip.js. Nothing is written anywhere: an entry's name serves to tell it by, and to
// group files by folder, and loses what would lead out of the archive all the same.

const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04] as const;

export function isZip(head: Uint8Array): boolean {
  return ZIP_MAGIC.every((byte, at) => head[at] === byte);
}

/** Lists the files of an archive; nothing of them is unpacked before it is read.
 * @returns files named "archive.zip/folder/file"
 * @throws InputError `damaged-file`, `limit-exceeded`; EnvironmentError `file-not-readable` */
export async function openZipArchive(archive: SourceFile, limits: ReadLimits): Promise<SourceFile[]> {
  const zip = await loadZip();
  const reader = new zip.ZipReader(await createByteReader(zip, archive), { filenameValidation: 'tolerant' });
  const last: LastRead = {};
  const files: SourceFile[] = [];
  try {
    let count = 0;
    for await (const entry of reader.getEntriesGenerator()) {
      assertWithinLimit(++count, 'archiveFiles', limits, { name: archive.name, what: 'files' });
      if (isFileEntry(entry)) files.push(openEntry(archive, entry, limits, last));
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw damagedFile(archive.name, 'its directory of files cannot be read', error);
  }
  return files;
}

type ZipLibrary = Awaited<ReturnType<typeof loadZip>>;

/** Loaded with the first archive; in this thread, where nothing can be left running. */
async function loadZip() {
  const zip = await import('@zip.js/zip.js');
  zip.configure({ useWebWorkers: false });
  return zip;
}

async function createByteReader({ Reader, Uint8ArrayReader }: ZipLibrary, archive: SourceFile) {
  const { readRange } = archive;
  if (readRange === undefined) return new Uint8ArrayReader(await archive.read());
  class RangeReader extends Reader<SourceFile> {
    override size = archive.byteLength;
    override readUint8Array(start: number, byteLength: number): Promise<Uint8Array> {
      return readRange?.(start, byteLength) ?? Promise.resolve(new Uint8Array(0));
    }
  }
  return new RangeReader(archive);
}

/** A link within an archive points to nothing that was given. */
function isFileEntry(entry: Entry): entry is FileEntry {
  return !entry.directory && !entry.symlink;
}

/** The entry that was read last: a reader asks for its head, then for more of it, then for all. */
interface LastRead {
  entry?: FileEntry;
  content?: Promise<Uint8Array>;
}

function openEntry(archive: SourceFile, entry: FileEntry, limits: ReadLimits, last: LastRead): SourceFile {
  const name = `${archive.name}/${withinArchive(entry.filename)}`;
  const read = (): Promise<Uint8Array> => {
    if (last.entry !== entry || last.content === undefined) {
      last.entry = entry;
      last.content = unpackEntry(entry, name, limits);
    }
    return last.content;
  };
  return {
    name,
    byteLength: entry.uncompressedSize,
    container: archive,
    // A large entry that is no image is not unpacked to its end for that.
    readHead: async (byteLength) =>
      entry.uncompressedSize > LARGE_ENTRY_BYTES && last.entry !== entry
        ? unpackEntry(entry, name, limits, byteLength)
        : (await read()).subarray(0, byteLength),
    read,
    ...(archive.gunzip && { gunzip: archive.gunzip }),
  };
}

const LARGE_ENTRY_BYTES = 2 ** 22;

/** A name that is absolute, has a drive or climbs (`..`) keeps only what lies below. */
function withinArchive(filename: string): string {
  const parts = filename.split(/[/\\]/).filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.map((part) => part.replace(/:$/, '')).join('/');
}

/** @param most bytes, if not all are wanted
 * @throws InputError `damaged-file`, `limit-exceeded` as soon as more comes out than the limits allow */
async function unpackEntry(entry: FileEntry, name: string, limits: ReadLimits, most = Infinity): Promise<Uint8Array> {
  if (entry.encrypted) throw encrypted(name);
  const assertSize = (byteLength: number): void => {
    assertWithinLimit(byteLength, 'inflatedBytes', limits, { name, what: 'unpacked bytes' });
    const ratio = Math.ceil(byteLength / Math.max(1, entry.compressedSize));
    assertWithinLimit(ratio, 'inflateRatio', limits, { name, what: 'bytes from one packed byte' });
  };
  if (most === Infinity) assertSize(entry.uncompressedSize);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const enough = new AbortController();
  const writable = new WritableStream<Uint8Array>({
    write(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      assertSize(Math.min(length, most));
      if (length >= most) enough.abort();
    },
  });
  try {
    await entry.getData(writable, { signal: enough.signal, checkCrc32: most === Infinity });
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (length < most) throw damagedFile(name, 'it cannot be unpacked', error);
  }
  return concatenate(chunks).subarray(0, Math.min(most, length));
}

function encrypted(name: string): InputError {
  return new InputError('damaged-file', `${name} is encrypted.`, {
    remedy: 'Unpack the archive with its password, and pass the folder.',
    details: { file: name },
  });
}
