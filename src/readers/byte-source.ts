import { InputError } from '../errors.ts';
import { concatenate } from './concatenate.ts';
import { damagedFile } from './damaged-file.ts';
import { assertWithinLimit, type ReadLimits } from './read-limits.ts';
import type { SourceFile } from './reader.ts';

/** Bytes read in order; of a compressed file no more is unpacked than asked for. */
export interface ByteSource {
  /** @returns the next `byteLength` bytes
   * @throws Error if there are fewer, or if the compressed data are damaged */
  take(byteLength: number): Promise<Uint8Array>;
  /** Passes over bytes, which are not kept. */
  skip(byteLength: number): Promise<void>;
}

const GZIP_MAGIC = [0x1f, 0x8b] as const;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
}

/** The content of a file that may be gzipped. */
export function openBytes(
  bytes: Uint8Array,
  { name, gunzip }: Pick<SourceFile, 'name' | 'gunzip'>,
  limits: ReadLimits,
): ByteSource {
  if (!isGzip(bytes)) return openPlain(bytes);
  if (gunzip === undefined) return openGzip(bytes, name, limits);
  let content: ByteSource | undefined;
  const open = (): ByteSource => {
    const most = Math.min(limits.inflatedBytes, bytes.length * limits.inflateRatio);
    const unpacked = gunzip(bytes, most);
    if (unpacked !== undefined) return openPlain(unpacked);
    const limit = most === limits.inflatedBytes ? 'inflatedBytes' : 'inflateRatio';
    assertWithinLimit(limits[limit] + 1, limit, limits, { name, what: 'unpacked bytes' });
    throw new RangeError('The limit was exceeded.');
  };
  return {
    take: async (byteLength) => (content ??= open()).take(byteLength),
    skip: async (byteLength) => (content ??= open()).skip(byteLength),
  };
}

function openPlain(bytes: Uint8Array): ByteSource {
  let position = 0;
  const advance = (byteLength: number): void => {
    if (position + byteLength > bytes.length) {
      throw new Error(`it ends after ${bytes.length} of ${position + byteLength} bytes`);
    }
    position += byteLength;
  };
  return {
    take: (byteLength) =>
      Promise.resolve(byteLength)
        .then(advance)
        .then(() => bytes.subarray(position - byteLength, position)),
    skip: (byteLength) => Promise.resolve(byteLength).then(advance),
  };
}

function openGzip(bytes: Uint8Array, name: string, limits: ReadLimits): ByteSource {
  const unzipped: ReadableStream<Uint8Array> = streamOf(bytes).pipeThrough(new DecompressionStream('gzip'));
  const chunks = unzipped.getReader();
  let rest: Uint8Array = new Uint8Array(0);
  let total = 0;
  const pass = async (byteLength: number, onPart: (part: Uint8Array, position: number) => void): Promise<void> => {
    for (let position = 0; position < byteLength;) {
      if (rest.length === 0) {
        const { done, value } = await chunks.read();
        if (done) throw new Error(`its content ends ${byteLength - position} bytes early`);
        rest = value;
      }
      const part = rest.subarray(0, byteLength - position);
      onPart(part, position);
      position += part.length;
      rest = rest.subarray(part.length);
    }
  };
  // Checked before memory is allocated: a header of 352 bytes can claim terabytes.
  const claim = (byteLength: number): void => {
    total += byteLength;
    assertWithinLimit(total, 'inflatedBytes', limits, { name, what: 'unpacked bytes' });
    assertWithinLimit(Math.floor(total / bytes.length), 'inflateRatio', limits, {
      name,
      what: 'bytes from one gzipped byte',
    });
  };
  return {
    async take(byteLength) {
      claim(byteLength);
      const taken = new Uint8Array(byteLength);
      await pass(byteLength, (part, position) => {
        taken.set(part, position);
      });
      return taken;
    },
    async skip(byteLength) {
      claim(byteLength);
      await pass(byteLength, () => undefined);
    },
  };
}

/** Unpacks raw Deflate data (PS3.5 A.5).
 * @param name for messages
 * @throws InputError `damaged-file`; `limit-exceeded` as soon as more comes out than the limits allow */
export async function inflateRaw(bytes: Uint8Array, name: string, limits: ReadLimits): Promise<Uint8Array> {
  // The data are padded to even length; browsers refuse a byte after the end, Node does not.
  const attempts = bytes.at(-1) === 0 ? [bytes, bytes.subarray(0, -1)] : [bytes];
  let problem: unknown;
  for (const attempt of attempts) {
    try {
      return await inflateWithin(attempt, name, limits);
    } catch (error) {
      if (error instanceof InputError) throw error;
      problem = error;
    }
  }
  throw damagedFile(name, 'its deflated data set cannot be unpacked', problem);
}

async function inflateWithin(bytes: Uint8Array, name: string, limits: ReadLimits): Promise<Uint8Array> {
  const inflated: ReadableStream<Uint8Array> = streamOf(bytes).pipeThrough(new DecompressionStream('deflate-raw'));
  const reader = inflated.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatenate(chunks);
    chunks.push(value);
    length += value.length;
    assertWithinLimit(length, 'inflatedBytes', limits, { name, what: 'bytes of deflated content' });
    assertWithinLimit(length / bytes.length, 'inflateRatio', limits, { name, what: 'bytes from one deflated byte' });
  }
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      // A stream's type wants no shared memory; files are never in any.
      controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
}
