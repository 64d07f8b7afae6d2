import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inflateDicom, isDicom, parseDicom, readDicomHeader } from '../../src/dicom/read-dicom.ts';
import { openFrames } from '../../src/series/dicom.ts';
import { sliceHeaders } from '../../src/series/slice-header.ts';
import { memoryFile } from '../support/memory-file.ts';
import {
  BIG_ENDIAN,
  DEFLATED,
  elementHeader,
  encodePart10,
  EXPLICIT,
  IMPLICIT,
  joined,
  latin1,
  type DicomAttributes,
} from '../support/part10.ts';

// What a file is, is told by its bytes: PS3.10 7.1 and PS3.5 annex A say how they should be.

const PIXELS = Uint8Array.from({ length: 24 }, (_, n) => n);
const image: DicomAttributes = {
  SpecificCharacterSet: 'ISO_IR 100',
  ImageType: ['ORIGINAL', 'PRIMARY'],
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
  SOPInstanceUID: '1.2.3',
  Modality: 'MR',
  SourceImageSequence: [{ ReferencedSOPInstanceUID: '1.2.9' }],
  ImagePositionPatient: ['1', '2', '3.5'],
  ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
  Rows: 3,
  Columns: 4,
  PixelSpacing: ['1.5', '0.75'],
  BitsAllocated: 16,
  BitsStored: 16,
  HighBit: 15,
  PixelRepresentation: 0,
  PixelData: PIXELS,
};

const syntaxes = [
  ['explicit little endian', EXPLICIT],
  ['implicit little endian', IMPLICIT],
  ['explicit big endian', BIG_ENDIAN],
] as const;

/** The file without preamble and prefix, and its data set alone. */
function partsOf(transferSyntaxUID: string, attributes = image) {
  const whole = encodePart10(attributes, { transferSyntaxUID });
  const end = 132 + 8 + transferSyntaxUID.length + (transferSyntaxUID.length % 2);
  return { meta: whole.subarray(132, end), body: whole.subarray(end) };
}

/** As it is read; pixels are the same in either order once they are read in the file's. */
async function expectImage(bytes: Uint8Array): Promise<readonly string[]> {
  expect(isDicom(bytes.subarray(0, 352))).toBe(true);
  const header = await readDicomHeader(memoryFile('a.dcm', bytes));
  expect(header.strings('PixelSpacing')).toEqual(['1.5', '0.75']);
  expect(header.items('SourceImageSequence')[0]?.string('ReferencedSOPInstanceUID')).toBe('1.2.9');
  const [slice] = sliceHeaders(header, 'a.dcm', Infinity);
  const file = await inflateDicom(bytes, 'a.dcm');
  const frame = openFrames(file, header.transferSyntaxUID, slice, 'a.dcm')(0);
  const littleEndian = header.transferSyntaxUID !== BIG_ENDIAN;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const values = Array.from({ length: 12 }, (_, n) => view.getUint16(2 * n, littleEndian));
  expect(values).toEqual(Array.from({ length: 12 }, (_, n) => 2 * n + 256 * (2 * n + 1)));
  return header.warnings.map(({ code }) => code);
}

describe.each(syntaxes)('an image in %s', (_, syntax) => {
  it('is read without preamble', async () => {
    const { meta, body } = partsOf(syntax);
    expect(await expectImage(joined([meta, body]))).toEqual([]);
  });

  it('is read with a prefix and no preamble', async () => {
    const { meta, body } = partsOf(syntax);
    expect(await expectImage(joined([latin1('DICM'), meta, body]))).toEqual([]);
  });

  it('is read with a preamble and no prefix', async () => {
    const { meta, body } = partsOf(syntax);
    // Group 2 says that it is there by more than one element.
    const version = joined([elementHeader('x00020001', 'OB', 2), Uint8Array.of(0, 1)]);
    const sopClass = joined([elementHeader('x00020002', 'UI', 26), latin1('1.2.840.10008.5.1.4.1.1.4\0')]);
    expect(await expectImage(joined([new Uint8Array(128), version, sopClass, meta, body]))).toEqual([]);
  });

  it('is read without file meta information, and says what was assumed', async () => {
    expect(await expectImage(partsOf(syntax).body)).toEqual(['transfer-syntax-assumed']);
  });

  it('is read with a prefix and no file meta information', async () => {
    const { body } = partsOf(syntax);
    expect(await expectImage(joined([new Uint8Array(128), latin1('DICM'), body]))).toEqual(['transfer-syntax-assumed']);
  });

  it.each(syntaxes.filter(([, other]) => other !== syntax))('is read under the name of %s', async (__, other) => {
    const bytes = joined([new Uint8Array(128), latin1('DICM'), partsOf(other).meta, partsOf(syntax).body]);
    expect(await expectImage(bytes)).toEqual(['transfer-syntax-wrong']);
  });

  it('is read under the name of the deflated syntax, though it is not deflated', async () => {
    if (syntax !== EXPLICIT) return;
    const bytes = joined([new Uint8Array(128), latin1('DICM'), partsOf(DEFLATED).meta, partsOf(syntax).body]);
    expect(await expectImage(bytes)).toEqual(['transfer-syntax-wrong']);
  });
});

it('a deflated image without preamble is read', async () => {
  const { meta } = partsOf(DEFLATED);
  const deflated = new Uint8Array(deflateRawSync(partsOf(EXPLICIT).body));
  expect(await expectImage(joined([meta, deflated]))).toEqual([]);
});

describe('a sequence of unknown representation', () => {
  const content = (syntax: string) => partsOf(syntax, { SegmentNumber: 7, SegmentLabel: 'Liver' }).body;
  const item = (bytes: Uint8Array, isOpen: boolean) => {
    const head = new Uint8Array(8);
    head.set([0xfe, 0xff, 0x00, 0xe0]);
    new DataView(head.buffer).setUint32(4, isOpen ? 0xffffffff : bytes.length, true);
    return joined([head, bytes, isOpen ? Uint8Array.of(0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0) : new Uint8Array(0)]);
  };
  const delimiter = Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);

  it.each([
    ['implicit items (PS3.5 6.2.2)', IMPLICIT],
    ['explicit items', EXPLICIT],
  ])('is read with %s, of known and of undefined length', (_, syntax) => {
    for (const isOpen of [false, true]) {
      const items = item(content(syntax), isOpen);
      const value = isOpen ? joined([items, delimiter]) : items;
      const bytes = joined([
        encodePart10({ Modality: 'SEG' }),
        elementHeader('x00620002', 'UN', isOpen ? 0xffffffff : value.length),
        value,
        elementHeader('x00700080', 'CS', 4),
        latin1('SEGS'),
      ]);
      const parsed = parseDicom(bytes, 'a.dcm');
      const [segment] = parsed.items('SegmentSequence');
      expect(segment?.number('SegmentNumber')).toBe(7);
      expect(segment?.string('SegmentLabel')).toBe('Liver');
      expect(parsed.string('ContentLabel')).toBe('SEGS');
    }
  });

  it('is read with items of both kinds, each as it is', () => {
    const value = joined([
      item(content(EXPLICIT), true),
      item(content(IMPLICIT), false),
      item(content(EXPLICIT), false),
    ]);
    const bytes = joined([encodePart10({}), elementHeader('x00620002', 'UN', value.length), value]);
    const segments = parseDicom(bytes, 'a.dcm').items('SegmentSequence');
    expect(segments.map((segment) => segment.string('SegmentLabel'))).toEqual(['Liver', 'Liver', 'Liver']);
  });
});

describe('a decimal comma', () => {
  it('is read as a point in every DS attribute, with one warning an attribute', () => {
    const bytes = encodePart10({
      PixelSpacing: ['1,5', '0,75'],
      RescaleSlope: '1,0e1',
      MRTimingAndRelatedParametersSequence: [{ FlipAngle: '12,5' }],
    });
    const parsed = parseDicom(bytes, 'a.dcm');
    expect(parsed.strings('PixelSpacing')).toEqual(['1.5', '0.75']);
    expect(parsed.numbers('PixelSpacing')).toEqual([1.5, 0.75]);
    expect(parsed.number('RescaleSlope')).toBe(10);
    expect(parsed.items('MRTimingAndRelatedParametersSequence')[0]?.number('FlipAngle')).toBe(12.5);
    expect(parsed.warnings.map(({ code }) => code)).toEqual(['decimal-comma', 'decimal-comma', 'decimal-comma']);
  });

  it.each(['1,234.5', '1,0,0', ','])('is not made of %s', (text) => {
    const parsed = parseDicom(encodePart10({ SliceThickness: text }), 'a.dcm');
    expect(parsed.number('SliceThickness')).toBeUndefined();
    expect(parsed.warnings).toEqual([]);
  });

  it('stays in text', () => {
    const parsed = parseDicom(encodePart10({ SeriesDescription: '1,5 mm' }), 'a.dcm');
    expect(parsed.text('SeriesDescription')).toBe('1,5 mm');
    expect(parsed.warnings).toEqual([]);
  });
});

describe('what is not DICOM', () => {
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['zeroes', new Uint8Array(512)],
    ['text', latin1('DICM is a prefix, says this text. '.repeat(20))],
    ['a NIfTI header', Uint8Array.from({ length: 352 }, (_, n) => [0x5c, 1, 0, 0][n] ?? 0)],
    ['a PNG image', latin1(`\x89PNG\r\n\x1a\n${'\0'.repeat(400)}`)],
    ['a zip archive', latin1(`PK\x03\x04\x14\0\x08\0\x08\0${'\0'.repeat(400)}`)],
    ['a gzipped file', latin1(`\x1f\x8b\x08\0${'\0'.repeat(400)}`)],
    ['a group 8 tag and zeroes', latin1(`\x08\0\x05\0${'\0'.repeat(400)}`)],
    ['a group 2 tag and zeroes', latin1(`\x02\0\0\0UL\x04\0${'\0'.repeat(400)}`)],
    ['bytes that count', Uint8Array.from({ length: 512 }, (_, n) => n)],
    ['words that count', new Uint8Array(Uint16Array.from({ length: 256 }, (_, n) => n + 8).buffer)],
  ])('is not taken for it: %s', (_, bytes) => {
    expect(isDicom(bytes)).toBe(false);
  });

  it('is not taken for it, whatever the bytes after the first tag', () => {
    const starts = [
      [8, 0, 5, 0],
      [8, 0, 8, 0],
      [0, 8, 0, 5],
      [2, 0, 0, 0],
    ];
    const tail = fc.uint8Array({ minLength: 348, maxLength: 348 });
    fc.assert(
      fc.property(
        fc.constantFrom(...starts),
        tail,
        (start, bytes) => !isDicom(joined([Uint8Array.from(start), bytes])),
      ),
      { numRuns: 5000, seed: 7 },
    );
  });
});
