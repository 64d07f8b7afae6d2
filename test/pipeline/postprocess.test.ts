import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelManifest } from '../../src/models/manifest.ts';
import { postprocess } from '../../src/pipeline/postprocess.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { createManifest } from './fake-session.ts';

type Rule = ModelManifest['postProcess'][number];
const NOTHING = { keepLargestComponent: false, fillHoles: false, minimumVolumeMl: 0 };

/** Slices of rows of digits; a voxel is 10 × 10 × 10 mm, 1 ml. */
function clean(slices: readonly (readonly string[])[], rules: readonly (Partial<Rule> & { segmentNumber: number })[]) {
  const [rows = [], columns = ''] = [slices[0], slices[0]?.[0]];
  const geometry = createGeometry({
    dimensions: [columns.length, rows.length, slices.length],
    spacing: [10, 10, 10],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  });
  const voxels = Uint8Array.from(slices.flat().join(''), Number);
  const manifest = createManifest({ postProcess: rules.map((rule) => ({ ...NOTHING, ...rule })) });
  const notices = postprocess(voxels, geometry, manifest);
  const digits = [...voxels].join('');
  const row = (k: number, j: number): string => {
    const start = (k * rows.length + j) * columns.length;
    return digits.slice(start, start + columns.length);
  };
  return { slices: slices.map((_, k) => rows.map((_row, j) => row(k, j))), notices };
}

describe('postProcess', () => {
  test('without rules nothing changes', () => {
    const slices = [['101', '020', '300']];
    expect(clean(slices, [])).toEqual({ slices, notices: [] });
  });

  test('keepLargestComponent keeps the largest piece of its segment and leaves others alone', () => {
    const result = clean([['1100', '1102', '0000', '0201']], [{ segmentNumber: 1, keepLargestComponent: true }]);
    expect(result.slices).toEqual([['1100', '1102', '0000', '0200']]);
    expect(result.notices.map((notice) => notice.code)).toEqual(['pieces-removed']);
  });

  test('pieces that touch by a corner, also from slice to slice, are one', () => {
    const slices = [
      ['100', '000', '000'],
      ['000', '010', '001'],
    ];
    expect(clean(slices, [{ segmentNumber: 1, keepLargestComponent: true }])).toEqual({ slices, notices: [] });
  });

  test('minimumVolumeMl removes pieces below it and says when nothing is left', () => {
    const rule = { segmentNumber: 1, minimumVolumeMl: 3 };
    expect(clean([['1110', '0000', '1100']], [rule]).slices).toEqual([['1110', '0000', '0000']]);
    const result = clean([['1100']], [rule]);
    expect(result.slices).toEqual([['0000']]);
    expect(result.notices).toEqual([
      { code: 'segment-removed', message: 'All 2.0 ml found of "Part 1" were removed as too small.' },
    ]);
  });

  test('losing less than a fifth of a segment is not worth a notice', () => {
    const result = clean(
      [['111111', '111100', '000000', '000001']],
      [{ segmentNumber: 1, keepLargestComponent: true }],
    );
    expect(result.slices[0]?.at(-1)).toBe('000000');
    expect(result.notices).toEqual([]);
  });

  const shell = [
    ['0000', '0110', '0110', '0000'],
    ['0110', '1001', '1001', '0110'],
    ['0000', '0110', '0110', '0000'],
  ];

  test('fillHoles fills background that is enclosed in 3D', () => {
    const filled = clean(shell, [{ segmentNumber: 1, fillHoles: true }]).slices;
    expect(filled[1]).toEqual(['0110', '1111', '1111', '0110']);
    expect([filled[0], filled[2]]).toEqual([shell[0], shell[2]]);
  });

  test('a tunnel to the border is no hole', () => {
    const open = shell.map((slice, k) => (k === 2 ? ['0000', '0100', '0110', '0000'] : slice));
    expect(clean(open, [{ segmentNumber: 1, fillHoles: true }]).slices).toEqual(open);
  });

  test('another segment inside is no hole, and a pocket between two goes to the one it touches more', () => {
    const slices = [['11111', '12221', '12011', '11111']];
    const pocket = (label: number): string[][] => [['11111', '12221', `12${label}11`, '11111']];
    const fill = [1, 2].map((segmentNumber) => ({ segmentNumber, fillHoles: true }));
    expect(clean(slices, fill).slices).toEqual(pocket(1)); // two faces each: the lower number
    const nearer = [['11111', '12221', '12021', '11111']];
    expect(clean(nearer, fill).slices).toEqual([['11111', '12221', '12221', '11111']]);
    expect(clean(slices, [{ segmentNumber: 2, fillHoles: true }]).slices).toEqual(slices);
  });

  test('in a single slice the border is that of the plane', () => {
    const fill = [{ segmentNumber: 1, fillHoles: true }];
    expect(clean([['111', '101', '111']], fill).slices).toEqual([['111', '111', '111']]);
    expect(clean([['111', '101', '101']], fill).slices).toEqual([['111', '101', '101']]);
  });

  test('doing it twice changes no more than doing it once', () => {
    const anySlices = fc.array(
      fc.array(
        fc.array(fc.constantFrom('0', '1', '1', '2'), { minLength: 5, maxLength: 5 }).map((row) => row.join('')),
        { minLength: 5, maxLength: 5 },
      ),
      { minLength: 4, maxLength: 4 },
    );
    const rules = [
      { segmentNumber: 1, keepLargestComponent: true, fillHoles: true },
      { segmentNumber: 2, minimumVolumeMl: 3 },
    ];
    fc.assert(
      fc.property(anySlices, (slices) => {
        const once = clean(slices, rules).slices;
        expect(clean(once, rules).slices).toEqual(once);
      }),
    );
  });
});
