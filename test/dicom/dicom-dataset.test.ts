import { describe, expect, it } from 'vitest';
import { isDicom, parseDicom, readDicomHeader } from '../../src/dicom/read-dicom.ts';
import { errorWith, textContaining } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import {
  elementHeader,
  encodePart10,
  EXPLICIT,
  IMPLICIT,
  joined,
  latin1,
  type DicomAttributes,
} from '../support/part10.ts';

const dataset: DicomAttributes = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
  PatientID: ' 42 ',
  PixelSpacing: ['1.50', ' 0.750 '],
  Rows: 512,
  DiffusionBValue: 12.5,
  DimensionIndexValues: [1, 70_000],
  DimensionIndexPointer: 0x0062000b,
  InstanceNumber: '7',
  SegmentSequence: [
    { SegmentNumber: 1, SegmentLabel: 'Liver', SegmentedPropertyTypeCodeSequence: [{ CodeValue: '10200004' }] },
    { SegmentNumber: 2, SegmentLabel: 'Spleen' },
  ],
  PixelData: Uint8Array.of(1, 2, 3, 4),
};

describe.each([
  ['explicit', { transferSyntaxUID: EXPLICIT }],
  ['implicit', { transferSyntaxUID: IMPLICIT }],
  ['explicit, undefined lengths', { transferSyntaxUID: EXPLICIT, undefinedLengths: true }],
  ['implicit, undefined lengths', { transferSyntaxUID: IMPLICIT, undefinedLengths: true }],
])('a data set in little endian, %s', (_, options) => {
  const bytes = encodePart10(dataset, options);
  const parsed = parseDicom(bytes, 'a.dcm');

  it('gives strings without padding, digits as stored', () => {
    expect(parsed.string('SOPClassUID')).toBe('1.2.840.10008.5.1.4.1.1.4');
    expect(parsed.text('PatientID')).toBe('42');
    expect(parsed.strings('PixelSpacing')).toEqual(['1.50', '0.750']);
  });

  it('gives numbers of every representation', () => {
    expect(parsed.numbers('PixelSpacing')).toEqual([1.5, 0.75]);
    expect(parsed.number('Rows')).toBe(512);
    expect(parsed.number('DiffusionBValue')).toBe(12.5);
    expect(parsed.numbers('DimensionIndexValues')).toEqual([1, 70_000]);
    expect(parsed.number('DimensionIndexPointer')).toBe(0x0062000b);
    expect(parsed.number('InstanceNumber')).toBe(7);
  });

  it('gives sequences as data sets', () => {
    const [first, second, ...others] = parsed.items('SegmentSequence');
    expect(others).toEqual([]);
    expect(first?.string('SegmentLabel')).toBe('Liver');
    expect(first?.items('SegmentedPropertyTypeCodeSequence')[0]?.string('CodeValue')).toBe('10200004');
    expect(second?.number('SegmentNumber')).toBe(2);
  });

  it('gives nothing for what is absent', () => {
    expect(parsed.has('PatientName')).toBe(false);
    expect(parsed.text('PatientName')).toBeUndefined();
    expect(parsed.strings('PatientName')).toEqual([]);
    expect(parsed.number('Columns')).toBeUndefined();
    expect(parsed.items('SharedFunctionalGroupsSequence')).toEqual([]);
  });

  it('says where the pixel data lie', () => {
    expect(parsed.pixelData).toMatchObject({ keyword: 'PixelData', dataOffset: bytes.length - 4, byteLength: 4 });
  });
});

describe('text', () => {
  const nameIn = (SpecificCharacterSet: string | undefined, bytes: Uint8Array): string | undefined =>
    parseDicom(encodePart10({ SpecificCharacterSet, PatientName: bytes }), 'a.dcm').text('PatientName');

  it.each<[string, string | undefined, Uint8Array, string]>([
    ['Latin-1', 'ISO_IR 100', latin1('M\u00fcller^J\u00f6rg'), 'Müller^Jörg'],
    ['Cyrillic', 'ISO_IR 144', Uint8Array.of(0xbb, 0xee, 0xda, 0x63, 0x65, 0xdc, 0xd1, 0xe3, 0xe0, 0xd3), 'Люкceмбург'],
    ['UTF-8', 'ISO_IR 192', new TextEncoder().encode('王^小东'), '王^小东'],
    [
      'Japanese with escape sequences (PS3.5 H.3.1)',
      '\\ISO 2022 IR 87',
      latin1('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B'),
      'Yamada^Tarou=山田^太郎',
    ],
    ['UTF-8 under no character set', undefined, new TextEncoder().encode('Łódź'), 'Łódź'],
    ['Latin-1 under no character set', undefined, latin1('J\u00f6rg'), 'Jörg'],
    ['an unknown character set', 'ISO-IR 100', latin1('J\u00f6rg'), 'Jörg'],
    ['a broken escape sequence', '\\ISO 2022 IR 87', latin1('A\x1b%%Z'), 'A\x1b%%Z'],
  ])('in %s is decoded', (_, characterSet, bytes, expected) => {
    expect(nameIn(characterSet, bytes)).toBe(expected);
  });

  it('of an item has the character set of the data set around it', () => {
    const bytes = encodePart10({
      SpecificCharacterSet: 'ISO_IR 192',
      SegmentSequence: [{ SegmentLabel: new TextEncoder().encode('肝臓') }],
    });
    expect(parseDicom(bytes, 'a.dcm').items('SegmentSequence')[0]?.string('SegmentLabel')).toBe('肝臓');
  });
});

describe('a file that cannot be parsed', () => {
  it('is no DICOM without a preamble', () => {
    expect(isDicom(new Uint8Array(131))).toBe(false);
    expect(() => parseDicom(new TextEncoder().encode('x'.repeat(500)), 'a.txt')).toThrow(
      errorWith({ code: 'not-dicom' }),
    );
  });

  it('because sequences are nested without end, names the limit', () => {
    const nested = Array.from({ length: 20_000 }, () => [
      elementHeader('x00081115', 'SQ', 0xffffffff),
      Uint8Array.of(0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff),
    ]).flat();
    expect(() => parseDicom(joined([encodePart10({}), ...nested]), 'a.dcm')).toThrow(
      errorWith({ code: 'limit-exceeded', message: textContaining('limit sequenceDepth') }),
    );
  });

  it('because of millions of empty items, names the limit', () => {
    const items = new Uint8Array(8 * 4_200_000);
    for (let at = 0; at < items.length; at += 8) items.set([0xfe, 0xff, 0x00, 0xe0], at);
    const bytes = joined([encodePart10({}), elementHeader('x00081115', 'SQ', items.length), items]);
    expect(() => parseDicom(bytes, 'a.dcm').items('ReferencedSeriesSequence')).toThrow(
      errorWith({ code: 'limit-exceeded', message: textContaining('limit elements') }),
    );
  });
});

describe('a sequence', () => {
  it('whose items are cut off is damaged, and so are the rest of its file', () => {
    const whole = encodePart10({ SegmentSequence: [{ SegmentLabel: 'Liver' }] }, { undefinedLengths: true });
    for (let cut = 1; cut <= 30; cut++) {
      expect(() => parseDicom(whole.slice(0, whole.length - cut), 'a.dcm').items('SegmentSequence')).toThrow(
        errorWith({ code: 'damaged-file' }),
      );
    }
  });

  it('of unknown representation is read as implicit VR', () => {
    const [whole, head] = [
      encodePart10({ SegmentSequence: [{ SegmentNumber: 7 }] }, { transferSyntaxUID: IMPLICIT }),
      encodePart10({}, { transferSyntaxUID: IMPLICIT }),
    ];
    const value = whole.subarray(head.length + 8);
    const bytes = joined([encodePart10({}), elementHeader('x00620002', 'UN', value.length), value]);
    expect(parseDicom(bytes, 'a.dcm').items('SegmentSequence')[0]?.number('SegmentNumber')).toBe(7);
  });
});

it('an element with a 64-bit representation does not lead the parser astray', () => {
  const extendedOffsetTable = joined([elementHeader('x7fe00001', 'OV', 8), new Uint8Array(8).fill(9)]);
  const bytes = joined([
    encodePart10({ Rows: 3 }),
    extendedOffsetTable,
    elementHeader('x7fe00010', 'OW', 2),
    Uint8Array.of(5, 0),
  ]);
  expect(parseDicom(bytes, 'a.dcm').pixelData).toMatchObject({ dataOffset: bytes.length - 2, byteLength: 2 });
});

it('a header longer than the first bytes read is read all the same', async () => {
  const long = memoryFile('a.dcm', encodePart10({ ...dataset, DerivationDescription: 'x'.repeat(60_000) }));
  const header = await readDicomHeader(long);
  expect(header.number('Rows')).toBe(512);
  expect(long.wholeReads).toBe(1);
});
