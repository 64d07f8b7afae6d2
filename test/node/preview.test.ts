import { Jimp } from 'jimp';
import { expect, test } from 'vitest';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { cielabToColour } from '../../src/labelmap/display-colour.ts';
import { renderPreview } from '../../src/node/preview.ts';
import { chooseSlices, chooseView, radiologicalOrientation, screenLetters } from '../../src/node/preview-view.ts';
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
  const { bitmap } = await Jimp.read(Buffer.from(png));
  const green: [number, number][] = [];
  for (let y = 140; y < bitmap.height - 60; y++) {
    for (let x = 0; x < 24 + 288; x++) {
      const at = (y * bitmap.width + x) * 4;
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
