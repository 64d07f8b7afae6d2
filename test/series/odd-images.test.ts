import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFiles } from '../../src/node/files.ts';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { encapsulatedFrames, nativeFrameBytes } from '../../src/dicom/pixel-data.ts';
import { frameCount } from '../../src/dicom/functional-groups.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { type DicomAttributes, elementHeader, encodePart10, joined } from '../support/part10.ts';

// Headers that say something else than their bytes; the bytes are right.

it.each<[string, DicomAttributes, number]>([
  ['absent', {}, 1],
  ['empty', { NumberOfFrames: '' }, 1],
  ['0 over the pixels of one frame', { NumberOfFrames: '0' }, 1],
  ['0 over padded pixels', { NumberOfFrames: '0', PixelData: new Uint8Array(30) }, 1],
  ['0 over the pixels of two frames', { NumberOfFrames: '0', PixelData: new Uint8Array(48) }, 0],
  ['0 over no pixels', { NumberOfFrames: '0', PixelData: undefined }, 0],
  ['3', { NumberOfFrames: '3' }, 3],
])('a Number of Frames that is %s', (_, attributes, expected) => {
  const image = { Rows: 3, Columns: 4, BitsAllocated: 16, PixelData: new Uint8Array(24), ...attributes };
  expect(frameCount(parseDicom(encodePart10(image), 'a.dcm'))).toBe(expected);
});

it.each([
  ['grey', { bitsAllocated: 16 }, 24],
  ['single bits', { bitsAllocated: 1 }, 1.5],
  ['RGB', { bitsAllocated: 8, samplesPerPixel: 3, photometricInterpretation: 'RGB' }, 36],
  [
    'YBR_FULL_422 (PS3.3 C.7.6.3.1.2)',
    { bitsAllocated: 8, samplesPerPixel: 3, photometricInterpretation: 'YBR_FULL_422' },
    24,
  ],
] as const)('a frame of %s has its bytes', (_, image, expected) => {
  expect(nativeFrameBytes({ rows: 3, columns: 4, ...image })).toBe(expected);
});

const jpeg = (n: number): Uint8Array => Uint8Array.of(0xff, 0xd8, n, n);
const rest = (n: number): Uint8Array => Uint8Array.of(n, n);

/** Three frames of two fragments each, or of one. */
function frames(table: readonly number[], isOne = false) {
  const fragments = [1, 2, 3].flatMap((n) => (isOne ? [jpeg(n)] : [jpeg(n), rest(n)]));
  const item = (bytes: Uint8Array) => {
    const head = new Uint8Array(8);
    head.set([0xfe, 0xff, 0x00, 0xe0]);
    head[4] = bytes.length;
    return joined([head, bytes]);
  };
  const offsets = new Uint8Array(Uint32Array.from(table).buffer);
  const file = joined([
    elementHeader('x7fe00010', 'OB', 0xffffffff),
    ...[offsets, ...fragments].map(item),
    Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0),
  ]);
  return encapsulatedFrames(file, 12, 3, 'a.dcm');
}

it.each<[string, readonly number[], boolean, readonly string[]]>([
  ['no table', [], false, []],
  ['a right table', [0, 22, 44], false, []],
  ['a table of zeroes', [0, 0, 0], false, ['offset-table-wrong']],
  ['a table that names fragments within frames', [0, 12, 44, 56], false, ['offset-table-wrong']],
  ['a table of other places', [7, 7, 7], false, ['offset-table-wrong']],
  ['a table that goes back', [0, 44, 22], false, ['offset-table-wrong']],
  ['a right table, one fragment a frame', [0, 12, 24], true, []],
  ['a wrong table, one fragment a frame', [0, 4, 8], true, ['offset-table-wrong']],
])('frames are found with %s', (_, table, isOne, codes) => {
  const found = frames(table, isOne);
  const whole = (n: number): Uint8Array => (isOne ? jpeg(n) : joined([jpeg(n), rest(n)]));
  expect(found.frames).toEqual([whole(1), whole(2), whole(3)]);
  expect(found.notices.map(({ code }) => code)).toEqual(codes);
});

describeWithData('cases of strangers', () => {
  const read = async (name: string) => {
    const folder = dataPath('..', 'cases', name);
    const { volume, warnings } = await readVolume(openFiles(readdirSync(folder).map((file) => join(folder, file))));
    return { dimensions: volume.geometry.dimensions, codes: warnings.map(({ code }) => code) };
  };

  it.each<[string, readonly number[], readonly string[]]>([
    ['c01_nopreamble_all', [16, 12, 6], []],
    ['c01b_nometa_all', [16, 12, 6], ['transfer-syntax-assumed']],
    ['c01c_nopreamble_last2', [16, 12, 6], ['transfer-syntax-assumed']],
    ['c02a_says_implicit_is_explicit', [16, 12, 6], ['transfer-syntax-wrong']],
    ['c05_nof_0', [16, 12, 6], []],
    ['c06_comma_decimal', [16, 12, 6], ['decimal-comma']],
    ['c07_UN_undef_explicit_items', [16, 12, 6], []],
    ['c18_mlut_noitem', [16, 12, 6], []],
    ['f09_wrongbot_frag', [16, 12, 6], ['offset-table-wrong']],
    ['f09_wrongbot_plain', [16, 12, 6], ['offset-table-wrong']],
  ])('%s is read', async (name, dimensions, codes) => {
    expect(await read(name)).toEqual({ dimensions, codes });
  });
});
