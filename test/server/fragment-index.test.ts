import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inMemory, type ObjectFile } from '../../server/dicom-web/object-file.ts';
import { indexFrames } from '../../server/dicom-web/fragment-index.ts';
import { encapsulatedFrames } from '../../src/dicom/pixel-data.ts';
import { joined } from '../support/part10.ts';

const START = 12;

/** Items as PS3.5 A.4 has them, behind some bytes of a header. */
function pixelData(items: readonly Uint8Array[]): Uint8Array {
  const head = (tag: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, tag, true);
    view.setUint32(4, length, true);
    return bytes;
  };
  return joined([
    new Uint8Array(START),
    ...items.flatMap((item) => [head(0xe000fffe, item.length), item]),
    head(0xe0ddfffe, 0),
  ]);
}

function tableOf(offsets: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(offsets).buffer);
}

/** Frames of one to three fragments, each frame beginning as a JPEG does. */
const anyFrames = fc.array(
  fc
    .array(fc.uint8Array({ minLength: 0, maxLength: 40 }), { minLength: 1, maxLength: 3 })
    .map((fragments) =>
      fragments.map((bytes, n) => (n === 0 ? Uint8Array.of(0xff, 0xd8, ...bytes) : Uint8Array.of(0, ...bytes))),
    ),
  { minLength: 1, maxLength: 6 },
);

async function framesBy(bytes: Uint8Array, count: number): Promise<Uint8Array[]> {
  const frames = await indexFrames(inMemory(bytes), START, count);
  return frames.map((own) =>
    joined(own.map(({ dataOffset, byteLength }) => bytes.subarray(dataOffset, dataOffset + byteLength))),
  );
}

test('the frames are those that a reader of the whole file finds, with a table and without, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(anyFrames, fc.boolean(), fc.nat(60), async (frames, hasTable, cut) => {
      const offsets: number[] = [];
      let at = 0;
      for (const own of frames) {
        offsets.push(at);
        at += own.reduce((sum, { length }) => sum + 8 + length, 0);
      }
      const whole = pixelData([hasTable ? tableOf(offsets) : new Uint8Array(), ...frames.flat()]);
      const bytes = whole.subarray(0, whole.length - cut);
      let expected: readonly Uint8Array[] | Error;
      try {
        expected = encapsulatedFrames(bytes, START, frames.length, 'The file').frames;
      } catch (error) {
        expected = error as Error;
      }
      if (expected instanceof Error) {
        await expect(framesBy(bytes, frames.length)).rejects.toMatchObject({ message: expected.message });
      } else {
        expect((await framesBy(bytes, frames.length)).map(String)).toEqual(expected.map(String));
      }
    }),
    { numRuns: 300 },
  );
});

/** A file of many gigabytes that is nowhere: large fragments, of which only the heads are made. */
function largeFile(count: number, fragmentBytes: number): ObjectFile & { readonly readBytes: () => number } {
  let readBytes = 0;
  const stride = 8 + fragmentBytes;
  const head = pixelData([Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0)]).subarray(START, START + 13);
  new DataView(head.buffer, head.byteOffset).setUint32(4, fragmentBytes, true);
  return {
    byteLength: START + 8 + count * stride + 8,
    readBytes: () => readBytes,
    read: (start, byteLength) => {
      readBytes += byteLength;
      const bytes = new Uint8Array(byteLength);
      const put = (at: number, from: Uint8Array): void => {
        for (let n = 0; n < from.length; n++) {
          if (at + n >= start && at + n < start + byteLength) bytes[at + n - start] = from[n] ?? 0;
        }
      };
      put(START, pixelData([new Uint8Array()]).subarray(START, START + 8));
      const first = Math.max(0, Math.floor((start - START - 8) / stride));
      for (let n = first; n < Math.min(count, first + 2); n++) put(START + 8 + n * stride, head);
      put(START + 8 + count * stride, pixelData([]).subarray(START));
      return Promise.resolve(bytes);
    },
  };
}

test('of 1.5 GB in 3,000 frames a part of a megabyte is read', async () => {
  const file = largeFile(3000, 500_000);
  expect(await indexFrames(file, START, 3000)).toHaveLength(3000);
  expect(file.readBytes()).toBeLessThan(2 ** 20);
});

test('more fragments than an index holds, and a table of gigabytes, are refused before they are read', async () => {
  const many = pixelData(Array.from({ length: 2 ** 18 + 2 }, () => new Uint8Array()));
  await expect(indexFrames(inMemory(many), START, 1)).rejects.toMatchObject({ code: 'limit-exceeded' });
  const table = { ...largeFile(0, 0), byteLength: 2 ** 33 };
  const claimed: ObjectFile = {
    ...table,
    read: (start, byteLength) => {
      if (byteLength > 2 ** 20) throw new RangeError('too much is read');
      const bytes = new Uint8Array(byteLength);
      if (start === START) bytes.set([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0x70]);
      return Promise.resolve(bytes);
    },
  };
  await expect(indexFrames(claimed, START, 1)).rejects.toMatchObject({ code: 'limit-exceeded' });
});
