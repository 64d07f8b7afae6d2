import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import dcmjs from 'dcmjs';
import { describe, expect, test } from 'vitest';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomPhase } from '../../sample-data/write-dicom.ts';
import { tagOf } from '../../server/dicom-web/attribute-dictionary.ts';
import { datasetToJson, valueAt } from '../../server/dicom-web/dataset-json.ts';
import { bulkValue } from '../../server/dicom-web/bulk-value.ts';
import { withDataset } from '../../server/dicom-web/dicom-file.ts';
import { inMemory, type ObjectFile } from '../../server/dicom-web/object-file.ts';
import type { JsonDataset } from '../../server/dicom-web/dicom-json.ts';
import { openFrameSource } from '../../server/dicom-web/frame-source.ts';
import { concatenate } from '../../src/io/bytes.ts';
import { datasetOfAttributes } from '../../src/dicom/write-dicom.ts';
import { dicomInstanceOf, readDicomInstance } from '../../src/series/dicom-instance.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { memoryFile } from '../support/memory-file.ts';
import {
  BIG_ENDIAN,
  elementHeader,
  encodePart10,
  EXPLICIT,
  IMPLICIT,
  latin1,
  type DicomAttributes,
} from '../support/part10.ts';
import { allFrames, wholeFrame } from './whole-frames.ts';

const REPORT: DicomAttributes = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.11',
  SOPInstanceUID: '1.2.3.1',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.4',
};

async function jsonOf(bytes: Uint8Array): Promise<JsonDataset> {
  return withDataset(inMemory(bytes), ({ dataset }) => datasetToJson(dataset, (path) => `bulk/${path}`));
}

function element(tag: string, vr: string, value: Uint8Array, isImplicit = false): Uint8Array {
  return concatenate([elementHeader(tag, vr, value.length, isImplicit), value]);
}

function withElements(...elements: readonly Uint8Array[]): Uint8Array {
  return concatenate([encodePart10({ StudyInstanceUID: '1.2.3' }), ...elements]);
}

const ascii = (text: string): number[] => [...latin1(text)];

/** A value as it is sent for its address. */
async function bulkOf(file: ObjectFile, path: string): Promise<Uint8Array> {
  const frame = await withDataset(file, async ({ dataset, placeOf }) => {
    const value = valueAt(dataset, path.split('/'));
    return value && (await bulkValue(file, value, placeOf(value.bytes)));
  });
  if (frame === undefined) throw new RangeError(`there is no value at ${path}`);
  return wholeFrame(frame, file);
}

function itemHead(byteLength: number): Uint8Array {
  const head = Uint8Array.of(0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0);
  new DataView(head.buffer).setUint32(4, byteLength, true);
  return head;
}

describe('the DICOM JSON model', () => {
  // The examples of PS3.5 annexes H to K.
  test.each([
    ['GB18030', Uint8Array.of(...ascii('Wang^XiaoDong='), 0xcd, 0xf5, 0x5e, 0xd0, 0xa1, 0xb6, 0xab), '王^小东'],
    [
      '\\ISO 2022 IR 87',
      Uint8Array.of(
        ...ascii('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B='),
        ...ascii('\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B'),
      ),
      '山田^太郎',
    ],
    [
      '\\ISO 2022 IR 149',
      Uint8Array.of(...ascii('Hong^Gildong=\x1b$)C'), 0xfb, 0xf3, 0x5e, ...ascii('\x1b$)C'), 0xd1, 0xce, 0xd4, 0xd7),
      '洪^吉洞',
    ],
    ['ISO_IR 192', new TextEncoder().encode('Wang^XiaoDong=王^小東'), '王^小東'],
  ])('has text of %s in UTF-8, names by group', async (characterSet, name, ideographic) => {
    const json = await jsonOf(encodePart10({ ...REPORT, SpecificCharacterSet: characterSet, PatientName: name }));
    expect(json['00100010']).toMatchObject({ vr: 'PN', Value: [{ Ideographic: ideographic }] });
    expect(json['00080005']).toEqual({ vr: 'CS', Value: ['ISO_IR 192'] });
  });

  test('has a known sequence that is stored as UN, of defined length, anywhere', async () => {
    const item = concatenate([element('xfffee000', '', element('x00080100', 'SH', latin1('T-32000 '), true), true)]);
    const json = await jsonOf(withElements(element('x0040a730', 'UN', item)));
    expect(json['0040A730']).toEqual({ vr: 'SQ', Value: [{ '00080100': { vr: 'SH', Value: ['T-32000'] } }] });
  });

  test('has what says that it is a sequence and is none as the bytes that it is', async () => {
    const json = await jsonOf(withElements(element('x0040a730', 'UN', latin1('none'))));
    expect(json['0040A730']).toEqual({ vr: 'UN', InlineBinary: Buffer.from('none').toString('base64') });
  });

  test.each([
    [
      'several values of a text',
      [element('x00081030', 'LO', latin1('A\\B '))],
      { '00081030': { vr: 'LO', Value: ['A', 'B'] } },
    ],
    [
      'text that may have backslashes as one value',
      [element('x00204000', 'LT', latin1('A\\B '))],
      { '00204000': { vr: 'LT', Value: ['A\\B'] } },
    ],
    [
      'an empty value among others as null',
      [element('x00081030', 'LO', latin1('A\\\\B'))],
      { '00081030': { vr: 'LO', Value: ['A', null, 'B'] } },
    ],
    ['no value as none', [element('x00081030', 'LO', latin1('  '))], { '00081030': { vr: 'LO' } }],
    [
      'decimals as numbers',
      [element('x00181020', 'DS', latin1(' 1.50\\-2e1 '))],
      { '00181020': { vr: 'DS', Value: [1.5, -20] } },
    ],
    [
      'what is no decimal as text',
      [element('x00181020', 'DS', latin1('1,5 '))],
      { '00181020': { vr: 'DS', Value: ['1,5'] } },
    ],
    [
      '64 bits as numbers, or text where a number cannot hold them',
      [element('x00720082', 'SV', Uint8Array.of(...Array<number>(8).fill(0xff), 1, 0, 0, 0, 0, 0, 0, 0x40))],
      { '00720082': { vr: 'SV', Value: [-1, '4611686018427387905'] } },
    ],
    [
      'tags as eight digits',
      [element('x00209165', 'AT', Uint8Array.of(0x18, 0, 0x60, 0x10))],
      { '00209165': { vr: 'AT', Value: ['00181060'] } },
    ],
    [
      'floats that are no numbers as null',
      [element('x00189087', 'FD', Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f))],
      { '00189087': { vr: 'FD', Value: [null, 1] } },
    ],
    [
      'UIDs as they are written',
      [element('x00080018', 'UI', latin1('1.02.A77\0'.padEnd(10, '\0')))],
      { '00080018': { vr: 'UI', Value: ['1.02.A77'] } },
    ],
    [
      'private attributes, unknown ones as bytes',
      [element('x00290010', 'LO', latin1('ACME')), element('x00291001', 'UN', latin1('ab'))],
      { '00290010': { vr: 'LO', Value: ['ACME'] }, '00291001': { vr: 'UN', InlineBinary: 'YWI=' } },
    ],
  ])('has %s', async (_, elements, expected) => {
    expect(await jsonOf(withElements(...elements))).toMatchObject(expected);
  });

  test('gives values above a mebibyte by their address', async () => {
    const json = await jsonOf(withElements(element('x00420011', 'OB', new Uint8Array((1 << 20) + 2))));
    expect(json['00420011']).toEqual({ vr: 'OB', BulkDataURI: 'bulk/00420011' });
  });

  test('a long text and long lists of numbers are told by their address, and given in UTF-8 and little endian', async () => {
    const text = 'ü'.repeat(2 ** 19 + 1);
    const numbers = new Uint8Array(2 ** 20 + 8).map((_, at) => at % 4);
    const bytes = concatenate([
      encodePart10({ SpecificCharacterSet: 'ISO_IR 192', StudyInstanceUID: '1.2.3' }),
      element('x00420010', 'UT', new TextEncoder().encode(text)),
      element('x00720082', 'SV', numbers),
    ]);
    const json = await jsonOf(bytes);
    expect(json['00420010']).toEqual({ vr: 'UT', BulkDataURI: 'bulk/00420010' });
    expect(json['00720082']).toEqual({ vr: 'SV', BulkDataURI: 'bulk/00720082' });
    expect(new TextDecoder().decode(await bulkOf(inMemory(bytes), '00420010'))).toBe(text);
    expect(await bulkOf(inMemory(bytes), '00720082')).toEqual(numbers);
  });

  test.each([
    ['explicit', EXPLICIT],
    ['implicit', IMPLICIT],
    ['big-endian', BIG_ENDIAN],
  ])('long values of a file in %s are not read for its attributes', async (_, transferSyntaxUID) => {
    const [isImplicit, isBig] = [transferSyntaxUID === IMPLICIT, transferSyntaxUID === BIG_ENDIAN];
    const own = (tag: string, vr: string, value: Uint8Array): Uint8Array =>
      concatenate([elementHeader(tag, vr, value.length, isImplicit, !isBig), value]);
    const document = new Uint8Array(3 * 2 ** 20 + 2).map((_, at) => at % 251);
    const words = new Uint8Array(2 ** 21).map((_, at) => (at >> 8) + at);
    const bytes = concatenate([
      encodePart10({ ...REPORT, PatientID: 'SYNTHETIC' }, { transferSyntaxUID }),
      own('x00420011', 'OB', document),
      own('x00720069', 'OW', words),
      own('x00880130', 'SH', latin1('LAST')),
    ]);
    let read = 0;
    const file: ObjectFile = {
      byteLength: bytes.length,
      read: (start, byteLength) => {
        const piece = bytes.subarray(start, start + byteLength);
        read += piece.length;
        return Promise.resolve(piece);
      },
    };
    const json = await withDataset(file, ({ dataset }) => datasetToJson(dataset, (path) => `bulk/${path}`));
    expect(json).toMatchObject({
      '00100020': { Value: ['SYNTHETIC'] },
      '00420011': { vr: 'OB', BulkDataURI: 'bulk/00420011' },
      '00880130': { vr: 'SH', Value: ['LAST'] },
    });
    expect(read).toBeLessThan(2 ** 18);
    expect(Buffer.compare(await bulkOf(file, '00420011'), document)).toBe(0);
    const swapped = words.map((_, at) => words[at ^ 1] ?? 0);
    expect(Buffer.compare(await bulkOf(file, '00720069'), isBig ? swapped : words)).toBe(0);
  });

  test('a long sequence is read, for its items are told', async () => {
    const item = element('x00081150', 'UI', latin1('1.2.840.10008.5.1.4.1.1.88.11\0'));
    const items = Array.from({ length: 40_000 }, () => concatenate([itemHead(item.length), item]));
    const sequence = concatenate(items);
    const json = await jsonOf(withElements(element('x00081140', 'SQ', sequence)));
    expect(json['00081140']?.Value).toHaveLength(40_000);
  });

  test('long text of another character set is translated', async () => {
    const bytes = concatenate([
      encodePart10({ SpecificCharacterSet: 'ISO_IR 100', StudyInstanceUID: '1.2.3' }),
      element('x00420010', 'UT', new Uint8Array(2 ** 20 + 2).fill(0xfc)),
    ]);
    expect(new TextDecoder().decode(await bulkOf(inMemory(bytes), '00420010'))).toBe('ü'.repeat(2 ** 20 + 2));
  });

  test('of many values the first 2 MiB are in the answer', async () => {
    const values = Array.from({ length: 20 }, (_, n) =>
      element(`x0043${(0x1010 + n).toString(16)}`, 'OB', new Uint8Array(2 ** 20)),
    );
    const json = await jsonOf(withElements(...values));
    const all = Object.entries(json).filter(([tag]) => tag.startsWith('004310'));
    expect(all.filter(([, { InlineBinary }]) => InlineBinary !== undefined)).toHaveLength(1);
    expect(all.filter(([, { BulkDataURI }]) => BulkDataURI !== undefined)).toHaveLength(19);
  });

  test.each([
    ['x60003000', 'OW', 2],
    ['x60020010', 'US', 2],
    ['x00280106', 'SS', 2],
    ['x00283006', 'OW', 4],
    ['x00089999', 'UN', 2],
    ['x00290010', 'LO', 2],
    ['x00291001', 'UN', 2],
    ['x00720082', 'SV', 8],
    ['x00203101', 'CS', 2],
  ])('knows %s of implicit VR as %s', async (tag, vr, byteLength) => {
    const signed = encodePart10({ ...REPORT, PixelRepresentation: 1 }, { transferSyntaxUID: IMPLICIT });
    const json = await jsonOf(concatenate([signed, element(tag, '', new Uint8Array(byteLength).fill(0x41), true)]));
    expect(json[tag.slice(1).toUpperCase()]?.vr).toBe(vr);
  });
});

describe('frames', () => {
  const image = { ...REPORT, Rows: 3, Columns: 3, SamplesPerPixel: 1, BitsAllocated: 1, NumberOfFrames: '2' };

  test('of one bit a pixel begin at bytes', async () => {
    // 9 pixels a frame: 1 0 1 0 1 0 1 0 1, then 0 1 1 1 0 1 1 1 0; the first is the lowest bit (PS3.5 8.1.1).
    const file = inMemory(encodePart10({ ...image, PixelData: Uint8Array.of(0x55, 0xdd, 0x01, 0) }));
    const frames = await allFrames(await openFrameSource(file), file);
    expect(frames.map((frame) => [...frame])).toEqual([
      [0x55, 0x01],
      [0xee, 0x00],
    ]);
  });

  test('with colour that pixels share have two bytes a pixel', async () => {
    const colour = {
      SamplesPerPixel: 3,
      PhotometricInterpretation: 'YBR_FULL_422',
      BitsAllocated: 8,
      Rows: 2,
      Columns: 2,
    };
    const file = inMemory(
      encodePart10({ ...image, ...colour, PixelData: Uint8Array.from({ length: 16 }, (_, at) => at) }),
    );
    const { count, frame } = await openFrameSource(file);
    expect([count, [...(await wholeFrame(frame(1), file))]]).toEqual([2, [8, 9, 10, 11, 12, 13, 14, 15]]);
  });

  test('in big endian are given in little endian, and say so', async () => {
    const wide = { ...image, BitsAllocated: 16, Rows: 1, Columns: 2, NumberOfFrames: '1' };
    const file = inMemory(
      encodePart10({ ...wide, PixelData: Uint8Array.of(1, 2, 3, 4) }, { transferSyntaxUID: BIG_ENDIAN }),
    );
    const source = await openFrameSource(file);
    expect(source.transferSyntaxUID).toBe(EXPLICIT);
    expect([...(await wholeFrame(source.frame(0), file))]).toEqual([1, 2, 3, 4]);
  });
});

test('keywords and tags name the same attributes', () => {
  expect(['PatientName', '00100010', '0020000d', 'NotAKeyword', '0010001'].map(tagOf)).toEqual([
    '00100010',
    '00100010',
    '0020000D',
    undefined,
    undefined,
  ]);
});

/** What a SEG copies from its source: as the viewer has it, from metadata by way of dcmjs, and as the command line. */
async function copiedTwice(name: string, bytes: Uint8Array): Promise<{ viewer: unknown; commandLine: unknown }> {
  const file = memoryFile(name, bytes);
  const naturalised = dcmjs.data.DicomMetaDictionary.naturalizeDataset(await jsonOf(bytes));
  return {
    viewer: dicomInstanceOf(datasetOfAttributes(naturalised), file).copied,
    commandLine: (await readDicomInstance(file)).copied,
  };
}

describe('a SEG of the viewer has the patient and study of one of the command line', () => {
  test('for generated images', async () => {
    const heart = createShortAxisHeart({ seed: 1, size: 16, slices: 1, phases: 1, supersampling: [1, 1, 1] });
    const [file] = encodeDicomPhase(heart, 0);
    const { viewer, commandLine } = await copiedTwice('a.dcm', file?.bytes ?? new Uint8Array());
    expect(Object.keys(viewer ?? {}).length).toBeGreaterThan(5);
    expect(viewer).toEqual(commandLine);
  });

  describeWithData('for images of others', () => {
    test('with names in Japanese', async () => {
      const folder = dataPath('..', 'cases', 'archive', 'viewer_jp_series');
      const names = readdirSync(folder);
      expect(names).toHaveLength(5);
      for (const name of names) {
        const { viewer, commandLine } = await copiedTwice(name, readFileSync(join(folder, name)));
        expect(viewer).toEqual(commandLine);
        expect(JSON.stringify(viewer)).not.toMatch(/\\u001b/);
      }
    });
  });
});
