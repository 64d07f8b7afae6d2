import { describe, expect, it } from 'vitest';
import type { ReadLimits } from '../../src/io/read-limits.ts';
import { textContaining } from '../support/matchers.ts';
import { BIG_ENDIAN, DEFLATED, type DicomAttributes } from '../support/part10.ts';
import { dicomPhantom, enhancedPhantom, niftiPhantom, phantom } from '../support/phantom.ts';
import { encodeRle } from '../support/rle.ts';
import { dicomReader, niftiReader } from '../support/whole-reader.ts';

const flat = phantom([3, 2, 1]);
const read = async (change: DicomAttributes, options?: Parameters<typeof dicomPhantom>[2]) =>
  (await dicomReader.read(dicomPhantom(flat, () => change, options))).volume.voxels;

describe('pixels', () => {
  it('of floats and doubles are kept, and rescaled as Float32', async () => {
    const floats = Float32Array.of(1.5, -2, 3, 4, 5, 6e5);
    const doubles = Float64Array.of(1.5, -2, 3, 4, 5, 6e5);
    const none = { PixelData: undefined, BitsAllocated: undefined, BitsStored: undefined, HighBit: undefined };
    expect(await read({ ...none, FloatPixelData: new Uint8Array(floats.buffer) })).toEqual(floats);
    expect(await read({ ...none, DoubleFloatPixelData: new Uint8Array(doubles.buffer) })).toEqual(doubles);
    const scaled = { RescaleSlope: '2', RescaleIntercept: '1' };
    expect(await read({ ...none, ...scaled, FloatPixelData: new Uint8Array(floats.buffer) })).toEqual(
      floats.map((value) => 2 * value + 1),
    );
  });

  it('of padding are values like others, as pydicom has them', async () => {
    const values = Int16Array.of(-2000, -2000, 1, 2, 3, -2000);
    const change = { PixelPaddingValue: 0xf830, PixelData: new Uint8Array(values.buffer) };
    expect(await read(change)).toEqual(values);
    const rescaled = await read({ ...change, RescaleSlope: '1', RescaleIntercept: '-1024' });
    expect(rescaled).toEqual(values.map((value) => value - 1024));
  });

  it('of 32 bits keep their sign', async () => {
    const format = { BitsAllocated: 32, BitsStored: 32, HighBit: 31 };
    const signed = Int32Array.of(-(2 ** 31), -1, 0, 1, 65_536, 2 ** 31 - 1);
    expect(await read({ ...format, PixelData: new Uint8Array(signed.buffer) })).toEqual(signed);
    const unsigned = Uint32Array.from(signed);
    const asUnsigned = { ...format, PixelRepresentation: 0, PixelData: new Uint8Array(unsigned.buffer) };
    expect(await read(asUnsigned)).toEqual(unsigned);
  });

  it('of a modality table take its entries, those outside it the first and the last', async () => {
    const PixelData = new Uint8Array(Int16Array.of(-5, -2, -1, 0, 1, 900).buffer);
    const table = {
      LUTDescriptor: [4, 0xfffe, 16],
      LUTData: new Uint8Array(Uint16Array.of(10, 20, 30, 65_000).buffer),
    };
    expect(await read({ PixelData, ModalityLUTSequence: [table] })).toEqual(
      Int32Array.of(10, 10, 20, 30, 65_000, 65_000),
    );
  });

  it('of bytes in words of big endian come in the right order', async () => {
    const bytes = { BitsAllocated: 8, BitsStored: 8, HighBit: 7, PixelRepresentation: 0 };
    const voxels = await read(
      { ...bytes, PixelData: Uint8Array.of(1, 2, 3, 4, 5, 6) },
      { transferSyntaxUID: BIG_ENDIAN },
    );
    expect(voxels).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  });

  it('of the caller are not changed, though unused bits are', async () => {
    const [file] = dicomPhantom(flat, () => ({ BitsStored: 12, HighBit: 11 }));
    if (file === undefined) throw new Error('The phantom has a file.');
    const bytes = await file.read();
    const before = bytes.slice();
    await dicomReader.read([{ ...file, byteLength: bytes.length, read: () => Promise.resolve(bytes) }]);
    expect(bytes).toEqual(before);
  });
});

describe('a limit that is passed is named in the error', () => {
  const rle = dicomPhantom(phantom([40, 30, 1]), () => ({ PixelData: undefined }), {
    transferSyntaxUID: '1.2.840.10008.1.2.5',
    fragments: [encodeRle(new Int16Array(1200))],
  });
  const deflated = dicomPhantom(flat, () => ({}), { transferSyntaxUID: DEFLATED });
  const gzipped = [niftiPhantom(flat, { gzip: true })];
  const enhanced = [enhancedPhantom(flat)];

  it.each<[keyof ReadLimits, number, typeof dicomReader, typeof rle]>([
    ['voxels', 5, dicomReader, dicomPhantom(flat)],
    ['voxels', 5, niftiReader, [niftiPhantom(flat)]],
    ['compressionRatio', 10, dicomReader, rle],
    ['inflatedBytes', 100, dicomReader, deflated],
    ['inflateRatio', 0.5, dicomReader, deflated],
    ['inflatedBytes', 300, niftiReader, gzipped],
    ['inflateRatio', 1, niftiReader, gzipped],
    ['sequenceDepth', 1, dicomReader, enhanced],
    ['elements', 20, dicomReader, enhanced],
  ])('%s', async (limit, most, reader, files) => {
    await expect(reader.read(files, { limits: { [limit]: most } })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: textContaining(`limit ${limit}`),
    });
    await expect(reader.read(files)).resolves.toBeDefined();
  });
});
