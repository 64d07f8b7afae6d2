import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encapsulatedFrames,
  type EncodedFrame,
  type PixelFormat,
  storedArray,
  type StoredValues,
} from '../../src/dicom/pixel-data.ts';
import { EnvironmentError, InputError } from '../../src/errors.ts';
import { type CodecOptions, createWasmDecoder, readJpeg2000Frame } from '../../src/codecs/wasm-codec.ts';
import { pixelDecoders } from '../../src/codecs/pixel-decoders.ts';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { encodeJpeg2000 } from '../support/jpeg-2000.ts';
import { errorWith, expectSameValues } from '../support/matchers.ts';
import { encodePart10 } from '../support/part10.ts';
import { encodeRle, littleEndianBytes } from '../support/rle.ts';

const NATIVE = '1.2.840.10008.1.2.1';
const RLE = '1.2.840.10008.1.2.5';
const JPEG_2000 = '1.2.840.10008.1.2.4.90';

async function decode(transferSyntaxUID: string, bytes: Uint8Array, format: PixelFormat) {
  const decoder = pixelDecoders.find(({ transferSyntaxUIDs }) => transferSyntaxUIDs.includes(transferSyntaxUID));
  if (decoder === undefined) throw new Error(`No decoder for ${transferSyntaxUID}`);
  const frame: EncodedFrame = { bytes, format, fileName: 'a.dcm' };
  return await decoder.decode(frame);
}

const formats = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  columns: fc.integer({ min: 1, max: 300 }),
  bits: fc.constantFrom<8 | 16 | 32>(8, 16, 32),
  isSigned: fc.boolean(),
  // Few different bytes make runs.
  bytes: fc.infiniteStream(fc.oneof(fc.constantFrom(0, 0, 0, 7), fc.nat({ max: 255 }))),
});

function imageOf({ rows, columns, bits, isSigned, bytes }: Parts) {
  const format: PixelFormat = { rows, columns, bitsAllocated: bits, bitsStored: bits, isSigned };
  const values = storedArray(format, rows * columns);
  new Uint8Array(values.buffer).set([...bytes.take(values.byteLength)]);
  return { format, values };
}

type Parts = typeof formats extends fc.Arbitrary<infer T> ? T : never;

describe('native pixels', () => {
  it('come back as they were, from any offset in a file', async () => {
    await fc.assert(
      fc.asyncProperty(formats, fc.nat({ max: 3 }), async (parts, offset) => {
        const { format, values } = imageOf(parts);
        const file = new Uint8Array(offset + values.byteLength);
        file.set(littleEndianBytes(values), offset);
        expectSameValues(await decode(NATIVE, file.subarray(offset), format), values);
      }),
      { numRuns: 30 },
    );
  });

  it('may be padded, but not short', async () => {
    const format: PixelFormat = { rows: 1, columns: 3, bitsAllocated: 8, bitsStored: 8, isSigned: false };
    expect(await decode(NATIVE, Uint8Array.of(1, 2, 3, 0), format)).toEqual(Uint8Array.of(1, 2, 3));
    await expect(decode(NATIVE, Uint8Array.of(1, 2), format)).rejects.toMatchObject({ code: 'damaged-file' });
  });
});

describe('RLE', () => {
  it('comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(formats, async (parts) => {
        const { format, values } = imageOf(parts);
        expectSameValues(await decode(RLE, encodeRle(values), format), values);
      }),
      { numRuns: 60 },
    );
  });

  it('that was cut off, or has a segment too many or too few, is damaged', async () => {
    const values = Uint16Array.from({ length: 600 }, (_, n) => (n * 977) % 65_536);
    const format: PixelFormat = { rows: 20, columns: 30, bitsAllocated: 16, bitsStored: 16, isSigned: false };
    const encoded = encodeRle(values);
    for (const byteLength of [0, 63, 64, 300, encoded.length - 40]) {
      await expect(decode(RLE, encoded.slice(0, byteLength), format)).rejects.toMatchObject({ code: 'damaged-file' });
    }
    await expect(decode(RLE, encodeRle(new Uint8Array(600)), format)).rejects.toMatchObject({ code: 'damaged-file' });
    await expect(decode(RLE, encoded, { ...format, rows: 21 })).rejects.toMatchObject({ code: 'damaged-file' });
  });

  it('never writes or reads out of bounds, whatever the bytes', async () => {
    const format: PixelFormat = { rows: 5, columns: 7, bitsAllocated: 16, bitsStored: 16, isSigned: false };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 0, maxLength: 200 }), async (body) => {
        const header = new Uint8Array(new Uint32Array([2, 64, 64 + (body.length >> 1)]).buffer);
        const bytes = new Uint8Array(64 + body.length);
        bytes.set(header);
        bytes.set(body, 64);
        const result = await decode(RLE, bytes, format).catch((error: unknown) => error);
        if (result instanceof Uint16Array) expect(result).toHaveLength(35);
        else expect(result).toMatchObject({ code: 'damaged-file' });
      }),
    );
  });
});

describe('JPEG 2000', () => {
  const format: PixelFormat = { rows: 40, columns: 30, bitsAllocated: 16, bitsStored: 12, isSigned: false };
  const values = Uint16Array.from({ length: 1200 }, (_, n) => (n * n) % 4096);

  it.each<[string, PixelFormat, StoredValues]>([
    ['12 bits', format, values],
    [
      '16 signed bits',
      { ...format, bitsStored: 16, isSigned: true },
      Int16Array.from(values, (value) => 5 - 8 * value),
    ],
    ['8 bits', { ...format, bitsAllocated: 8, bitsStored: 8 }, Uint8Array.from(values)],
  ])('of %s comes back as it was', async (_, itsFormat, itsValues) => {
    expect(await decode(JPEG_2000, await encodeJpeg2000(itsValues, itsFormat), itsFormat)).toEqual(itsValues);
  });

  it('of 8 bits in a header of 16 is widened', async () => {
    const bytes = await encodeJpeg2000(Uint8Array.from(values), { ...format, bitsAllocated: 8, bitsStored: 8 });
    expect(await decode(JPEG_2000, bytes, format)).toEqual(Uint16Array.from(values, (value) => value & 255));
  });

  it('is decoded by the WebAssembly of its package in Node, by the bundle’s elsewhere, or says that there is none', async () => {
    const bytes = await encodeJpeg2000(values, format);
    const bundled = new URL('https://host/assets/codec.wasm');
    const located: string[] = [];
    const decode = createWasmDecoder({
      name: 'JPEG 2000',
      packageName: 'a-codec',
      load: ({ locateFile }: CodecOptions) => {
        for (const folder of ['/node_modules/codec/', '', 'https://host/assets/']) {
          located.push(locateFile('codec.wasm', folder));
        }
        return Promise.reject(new Error('no such file'));
      },
      wasmUrl: () => bundled,
      readFrame: readJpeg2000Frame,
    });
    await expect(decode({ bytes, format, fileName: 'a.dcm' })).rejects.toBeInstanceOf(EnvironmentError);
    expect(located).toEqual(['/node_modules/codec/codec.wasm', bundled.href, bundled.href]);
  });

  it('that is damaged, or of another size, is refused, and the next image still decodes', async () => {
    const sound = await encodeJpeg2000(values, format);
    const damaged = [
      new Uint8Array(0),
      new Uint8Array(100).fill(7),
      Uint8Array.of(0xff, 0x4f, 0xff, 0x51, 0, 41),
      sound.slice(0, 80),
      sound.slice(0, sound.length >> 1),
    ];
    for (const bytes of damaged) {
      await expect(decode(JPEG_2000, bytes, format)).rejects.toMatchObject({ code: 'damaged-file' });
      expect(await decode(JPEG_2000, sound, format)).toEqual(values);
    }
    await expect(decode(JPEG_2000, sound, { ...format, rows: 41 })).rejects.toMatchObject({ code: 'damaged-file' });
  });

  it('never fails but with a typed error, whichever byte is changed', async () => {
    const sound = await encodeJpeg2000(values, format);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: sound.length - 1 }), fc.integer({ min: 0, max: 255 }), async (at, value) => {
        const changed = sound.slice();
        changed[at] = value;
        const result = await decode(JPEG_2000, changed, format).catch((error: unknown) => error);
        if (result instanceof Uint16Array) expect(result).toHaveLength(1200);
        else expect(result).toBeInstanceOf(InputError);
      }),
      { numRuns: 150 },
    );
  });
});

describe('encapsulated pixel data', () => {
  const framesOf = (fragments: readonly Uint8Array[], count = 1, cut = 0): readonly Uint8Array[] => {
    const bytes = encodePart10({ Rows: 1 }, { transferSyntaxUID: RLE, fragments });
    const { pixelData } = parseDicom(bytes, 'a.dcm');
    if (pixelData === undefined) throw new Error('The file has no pixel data.');
    expect(pixelData.byteLength).toBeUndefined();
    return encapsulatedFrames(bytes.slice(0, bytes.length - cut), pixelData.dataOffset, count, 'a.dcm').frames;
  };
  const damaged = errorWith({ code: 'damaged-file' });

  it('are joined from their fragments, delimiters within a fragment left alone', () => {
    const tricky = Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);
    expect(framesOf([Uint8Array.of(1, 2), tricky, Uint8Array.of(3, 4)])).toEqual([
      Uint8Array.of(1, 2, ...tricky, 3, 4),
    ]);
    expect(framesOf([Uint8Array.of(9, 8)])).toEqual([Uint8Array.of(9, 8)]);
  });

  it('of several frames have a fragment each, or begin anew where an image does', () => {
    expect(framesOf([Uint8Array.of(1, 2), Uint8Array.of(3, 4)], 2)).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
    const [jpeg, rest, codeStream] = [
      Uint8Array.of(0xff, 0xd8, 0xff, 0xf7),
      Uint8Array.of(5, 6),
      Uint8Array.of(0xff, 0x4f, 0xff, 0x51),
    ];
    expect(framesOf([jpeg, rest, codeStream, rest, rest], 2)).toEqual([
      Uint8Array.of(...jpeg, ...rest),
      Uint8Array.of(...codeStream, ...rest, ...rest),
    ]);
    expect(() => framesOf([jpeg, rest, codeStream, rest, rest], 3)).toThrow(damaged);
    expect(() => framesOf([jpeg, rest], 3)).toThrow(damaged);
  });

  it('without a fragment, or cut off, are damaged', () => {
    expect(() => framesOf([])).toThrow(damaged);
    for (const cut of [8, 9, 12, 18]) expect(() => framesOf([Uint8Array.of(1, 2, 3, 4)], 1, cut)).toThrow(damaged);
  });
});
