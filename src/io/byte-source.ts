import { InputError } from '../errors.ts';
import { concatenate } from './bytes.ts';
import { assertWithinLimit, damagedFile, type ReadLimits } from './read-limits.ts';
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
  return openGzipOnce(bytes, name, limits, gunzip);
}

/** Streams what is read piece by piece, and unpacks at once where the rest of the content is asked for in one piece. */
function openGzipOnce(
  bytes: Uint8Array,
  name: string,
  limits: ReadLimits,
  gunzip: NonNullable<SourceFile['gunzip']>,
): ByteSource {
  const stream = openGzip(bytes, name, limits);
  let position = 0;
  return {
    async take(byteLength) {
      const end = position + byteLength;
      if (byteLength >= MIN_AT_ONCE && endsAt(bytes, end) && isWithinLimits(end, bytes, limits)) {
        const content = gunzip(bytes, end);
        if (content?.length === end) {
          const taken = content.subarray(position);
          position = end;
          return taken;
        }
      }
      const taken = await stream.take(byteLength);
      position = end;
      return taken;
    },
    async skip(byteLength) {
      await stream.skip(byteLength);
      position += byteLength;
    },
  };
}

const MIN_AT_ONCE = 2 ** 16;

/** Whether the content is as long, by its last four bytes (RFC 1952 2.3.1): not so where members follow each other. */
function endsAt(bytes: Uint8Array, end: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length >= 18 && view.getUint32(bytes.length - 4, true) === end % 2 ** 32;
}

function isWithinLimits(end: number, bytes: Uint8Array, { inflatedBytes, inflateRatio }: ReadLimits): boolean {
  return end <= inflatedBytes && end / bytes.length <= inflateRatio;
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
  const chunks = inflating(bytes, 'gzip');
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

/** Raw Deflate data (PS3.5 A.5), unpacked as far as is asked for. */
export interface DeflatedBytes {
  /** @param most bytes from the beginning; a second call goes on where the first ended
   * @returns as many, fewer where there are not so many
   * @throws InputError `damaged-file`; `limit-exceeded` as soon as more comes out than the limits allow */
  unpack(most: number): Promise<{ readonly content: Uint8Array; readonly isWhole: boolean }>;
  /** Gives back what the unpacking holds. */
  close(): void;
}

/** @param name for messages */
export function openDeflated(bytes: Uint8Array, name: string, limits: ReadLimits): DeflatedBytes {
  let reader = inflating(bytes, 'deflate-raw');
  let chunks: Uint8Array[] = [];
  let length = 0;
  let isWhole = false;
  // The data are padded to even length; browsers refuse a byte after the end, Node does not.
  let mayBePadded = bytes.at(-1) === 0;
  const next = async (): Promise<void> => {
    const { done, value } = await reader.read();
    isWhole = done;
    if (done) return;
    chunks.push(value);
    length += value.length;
    assertWithinLimit(length, 'inflatedBytes', limits, { name, what: 'bytes of deflated content' });
    const ratio = Math.floor(length / bytes.length);
    assertWithinLimit(ratio, 'inflateRatio', limits, { name, what: 'bytes from one deflated byte' });
  };
  return {
    async unpack(most) {
      while (!isWhole && length < most) {
        try {
          await next();
        } catch (error) {
          if (error instanceof InputError) throw error;
          if (!mayBePadded) throw damagedFile(name, 'its deflated data set cannot be unpacked', error);
          mayBePadded = false;
          [reader, chunks, length] = [inflating(bytes.subarray(0, -1), 'deflate-raw'), [], 0];
        }
      }
      const content = concatenate(chunks);
      chunks = [content];
      return { content: content.subarray(0, Math.min(most, length)), isWhole: isWhole && length <= most };
    },
    close() {
      reader.cancel().catch(() => undefined); // what follows is not wanted, and may be damaged
    },
  };
}

/** Unpacks bytes as far as they are read. */
export function inflating(bytes: Uint8Array, format: 'gzip' | 'deflate-raw'): ReadableStreamDefaultReader<Uint8Array> {
  const inflated: ReadableStream<Uint8Array> = streamOf(bytes).pipeThrough(new DecompressionStream(format));
  return inflated.getReader();
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
