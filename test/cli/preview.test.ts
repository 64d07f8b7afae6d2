import { decode } from 'fast-png';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cielabToColour, type Labelmap } from '../../src/labelmap/labelmap.ts';
import { renderPreview } from '../../src/cli/preview/preview.ts';
import { openPreviewFont, openTypesetter } from '../../src/cli/preview/preview-canvas.ts';
import {
  chooseSlices,
  chooseView,
  coverageOf,
  radiologicalOrientation,
  screenLetters,
} from '../../src/cli/preview/preview-view.ts';
import { visibleText } from '../../src/visible-text.ts';
import { createGeometry, type Direction, type Vector3 } from '../../src/volume/geometry.ts';
import type { Volume } from '../../src/volume/volume.ts';

const LPS: Direction = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** A ball of label 1 in the middle of a grey box. */
function phantom(dimensions: [number, number, number], spacing: Vector3): { volume: Volume; labelmap: Labelmap } {
  const geometry = createGeometry({ dimensions, spacing, origin: [0, 0, 0], direction: LPS });
  const [columns, rows, slices] = dimensions;
  const labels = new Uint8Array(columns * rows * slices);
  const image = new Int16Array(labels.length);
  for (let k = 0, at = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, at++) {
        const inside = Math.hypot((i - columns / 2) * spacing[0], (j - rows / 2) * spacing[1], k - slices / 2) < 12;
        labels[at] = inside ? 1 : 0;
        image[at] = inside ? 200 : 50 + (i % 7);
      }
    }
  }
  const segment = {
    segmentNumber: 1,
    segmentLabel: 'Ball',
    segmentedPropertyCategory: {
      codeValue: '91723000',
      codingSchemeDesignator: 'SCT',
      codeMeaning: 'Anatomical Structure',
    },
    segmentedPropertyType: { codeValue: '10200004', codingSchemeDesignator: 'SCT', codeMeaning: 'Liver' },
    recommendedDisplayCIELab: [34249, 19769, 44921],
    algorithmType: 'AUTOMATIC',
    algorithmName: 'Test',
    trackingID: 'Ball',
    trackingUID: '2.25.1',
  } as const;
  return { volume: { geometry, voxels: image }, labelmap: { geometry, voxels: labels, segments: [segment] } };
}

// RGB and CIELab of the same colours from dcmqi's and TotalSegmentator's tables.
test.each([
  [
    [41984, 41604, 40995],
    [221, 130, 101],
  ],
  [
    [37989, 27960, 23039],
    [0, 151, 206],
  ],
  [
    [27920, 50230, 45964],
    [200, 0, 20],
  ],
  [
    [34249, 19769, 44921],
    [0, 145, 30],
  ],
] as const)('CIELab %j is sRGB %j', (cielab, rgb) => {
  expect(cielabToColour(cielab)).toEqual(rgb);
});

test('up to twenty slices are all shown, of more twenty evenly over the labelled range and one beyond', () => {
  expect(chooseSlices(20)).toHaveLength(20);
  expect(chooseSlices(1, [0, 0])).toEqual([0]);
  const chosen = chooseSlices(300, [100, 139]);
  expect(chosen).toHaveLength(20);
  expect([chosen[0], chosen.at(-1)]).toEqual([99, 140]);
  expect(new Set(chosen.slice(1).map((k, n) => k - (chosen[n] ?? 0))).size).toBeLessThanOrEqual(2);
  expect(chooseSlices(300, [4, 6])).toEqual([3, 4, 5, 6, 7]);
  expect(chooseSlices(300)).toHaveLength(20);
});

test('the part shown holds every label and some of its surroundings', () => {
  const { volume, labelmap } = phantom([120, 80, 5], [1, 1.5, 8]);
  const { crop, isCropped, window } = chooseView(volume, labelmap);
  expect(isCropped).toBe(true);
  expect(crop.i[0]).toBeLessThan(60 - 12 - 20);
  expect(crop.i[1]).toBeGreaterThan(60 + 12 + 20);
  expect(crop.i[0]).toBeGreaterThan(0);
  expect(window.low).toBeLessThan(window.high);
});

const RAS: Direction = [
  [-1, 0, 0],
  [0, -1, 0],
  [0, 0, 1],
];
const SAGITTAL: Direction = [
  [0, 1, 0],
  [0, 0, 1],
  [1, 0, 0],
];
const OBLIQUE: Direction = [
  [0.8, 0.6, 0],
  [-0.6, 0.8, 0],
  [0, 0, 1],
];
const SAGITTAL_TRANSPOSED: Direction = [
  [0, 0, -1],
  [0, 1, 0],
  [1, 0, 0],
];

test.each([
  ['LPS', LPS, { left: 'R', top: 'A' }],
  ['RAS', RAS, { left: 'R', top: 'A' }],
  ['oblique', OBLIQUE, { left: 'RA', top: 'AL' }],
  ['sagittal', SAGITTAL, { left: 'A', top: 'H' }],
  ['sagittal, rows down', SAGITTAL_TRANSPOSED, { left: 'A', top: 'H' }],
] as const)('a NIfTI volume stored as %s is shown as radiologists expect', (_, direction, letters) => {
  const geometry = { dimensions: [2, 2, 2], spacing: [1, 1, 1], origin: [0, 0, 0], direction } as const;
  expect(screenLetters(geometry, radiologicalOrientation(geometry))).toEqual(letters);
});

test('a sheet has square millimetres, the outline in the segment’s colour and the image inside it', async () => {
  const { volume, labelmap } = phantom([120, 60, 3], [1, 2, 8]);
  const png = await renderPreview({
    volume,
    labelmap,
    title: 'A phantom',
    subtitle: 'Research use only',
    volumesMl: new Map([[1, 12.3]]),
    uncertaintyPerSlice: [0, 0.5, 1],
  });
  const bitmap = decode(png);
  const green: [number, number][] = [];
  for (let y = 140; y < bitmap.height - 60; y++) {
    for (let x = 0; x < 24 + 288; x++) {
      const at = (y * bitmap.width + x) * bitmap.channels;
      const [r = 0, g = 0, b = 0] = bitmap.data.subarray(at, at + 3);
      if (g > r + 60 && g > b + 60) green.push([x, y]);
    }
  }
  const width = Math.max(...green.map(([x]) => x)) - Math.min(...green.map(([x]) => x));
  const height = Math.max(...green.map(([, y]) => y)) - Math.min(...green.map(([, y]) => y));
  expect(green.length).toBeGreaterThan(100);
  // A ball is as wide as tall although its voxels are not: two pixels for the line and the voxels' corners.
  expect(Math.abs(width - height)).toBeLessThanOrEqual(8);
});

test('a labelmap without any label still has a sheet', async () => {
  const { volume, labelmap } = phantom([40, 40, 2], [1, 1, 8]);
  const png = await renderPreview({
    volume,
    labelmap: { ...labelmap, voxels: new Uint8Array(labelmap.voxels.length) },
    title: 'Nothing',
    subtitle: 'Research use only',
    volumesMl: new Map(),
    uncertaintyPerSlice: [0, 0],
  });
  expect(new TextDecoder().decode(png.subarray(1, 4))).toBe('PNG');
});

/** Signs of scripts that the font has, one that it lacks, and what would be obeyed or hidden. */
const names = ['Сердце', 'Αριστερή', 'חדר שמאלי', 'القلب', 'Łódź', '心臓', 'a\u202eb', 'a\nb', '😀', ''];

test('text of any script is set, and no two names look alike', async () => {
  const type = await openTypesetter();
  const pictures = names.map((name) => {
    const canvas = type.createCanvas(300, 40, [0, 0, 0]);
    canvas.text(4, 4, visibleText(name), { size: 16, colour: [255, 255, 255] });
    return Buffer.from(canvas.toPng()).toString('base64');
  });
  expect(new Set(pictures).size).toBe(names.length);
});

test.each([
  ['A', 1401],
  ['W', 2025],
  ['0', 1303],
  ['Ж', 2206],
])('the width of %s is that of DejaVu Sans', async (sign, units) => {
  // Advance widths of DejaVu Sans 2.37 by fontTools, of 2048 to the em square.
  const font = await openPreviewFont();
  expect(font.widthOf(sign.repeat(100), 20)).toBe(Math.ceil((units * 100 * 20) / 2048));
});

test('a square of half a pixel covers a quarter of each pixel that it touches, wherever its outline begins', () => {
  const square = [
    [0.5, 0.5],
    [1.5, 0.5],
    [1.5, 1.5],
    [0.5, 1.5],
  ] as const;
  for (const outline of [square, square.toReversed()]) {
    const covered: number[] = [];
    coverageOf([outline], (x, y, alpha) => covered.push(x, y, alpha));
    expect(covered).toEqual([0, 0, 0.25, 1, 0, 0.25, 0, 1, 0.25, 1, 1, 0.25]);
  }
});

test('a hole of the other direction is left out, and the whole area of any outline is covered', () => {
  const rectangle = (x0: number, y0: number, x1: number, y1: number): [number, number][] => [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
  const areaOf = (outlines: [number, number][][]): number => {
    let area = 0;
    coverageOf(outlines, (_x, _y, alpha) => (area += alpha));
    return area;
  };
  expect(areaOf([rectangle(0, 0, 10, 10), rectangle(2.5, 2.5, 7.25, 8).toReversed()])).toBeCloseTo(100 - 4.75 * 5.5, 3);
  fc.assert(
    fc.property(fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 6, maxLength: 6 }), (corners) => {
      const [ax = 0, ay = 0, bx = 0, by = 0, cx = 0, cy = 0] = corners;
      const triangle: [number, number][] = [
        [ax, ay],
        [bx, by],
        [cx, cy],
      ];
      const exact = Math.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2;
      // Single precision, and pixels of less than 1/512 that are left out.
      expect(Math.abs(areaOf([triangle]) - exact)).toBeLessThan(0.3);
    }),
  );
});

test('no name makes a sheet wider than its slices or 1200 pixels, and a name that is cut ends in …', async () => {
  const { volume, labelmap } = phantom([40, 40, 2], [1, 1, 8]);
  const long = 'ventricle '.repeat(5000);
  const [segment] = labelmap.segments;
  if (segment === undefined) throw new Error('the phantom has a segment');
  const png = await renderPreview({
    volume,
    labelmap: { ...labelmap, segments: [{ ...segment, segmentLabel: long }] },
    title: long,
    subtitle: long,
    volumesMl: new Map(),
    uncertaintyPerSlice: [0, 0],
  });
  expect(decode(png).width).toBeLessThanOrEqual(1200 + 2 * 24);
  const type = await openTypesetter();
  const shortened = type.shorten(long, 16, 200);
  expect(shortened).toMatch(/^ventricle.*…$/);
  expect(type.widthOf(shortened, 16)).toBeLessThanOrEqual(200);
  expect(type.widthOf(`${shortened.slice(0, -1)}ent…`, 16)).toBeGreaterThan(200);
  expect(type.shorten('short', 16, 200)).toBe('short');
});
