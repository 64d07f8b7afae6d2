import type { InputError } from '../errors.ts';
import { inflating } from './byte-source.ts';
import { concatenate } from './concatenate.ts';
import { damagedFile } from './damaged-file.ts';
import { assertWithinLimit, type ReadLimits } from './read-limits.ts';
import type { SourceFile } from './reader.ts';

// A gzipped file as the file within: unpacked no further than it is read, and within the limits.

/** Of the packed file, for a head of the content: gzip's own header may hold a name and a comment. */
const LEAST_PACKED_HEAD_BYTES = 4096;

/** Opens the content of a gzipped file; nothing is unpacked before it is read. */
export function openGzipFile(file: SourceFile, limits: ReadLimits): SourceFile {
  return {
    name: file.name,
    byteLength: Infinity,
    container: file,
    // Content that compresses well needs less, content that does not hardly more, and a deflated block at most 64 KB.
    readHead: async (byteLength) => {
      const packed = await file.readHead(Math.max(LEAST_PACKED_HEAD_BYTES, byteLength + 2 ** 16));
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
