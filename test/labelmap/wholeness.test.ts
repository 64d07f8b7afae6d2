import { expect, test } from 'vitest';
import { encodeDicomSeg, type DicomSegOptions } from '../../src/seg/encode-dicom-seg.ts';
import { wholenessOf, type WholenessOptions } from '../../src/labelmap/measure.ts';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { seriesOn, testProvenance, testSegments } from '../support/labelled-series.ts';

function labelled(
  dimensions: readonly [number, number, number],
  voxels: readonly (readonly [i: number, j: number, k: number, label: number])[],
) {
  const geometry = createGeometry({
    dimensions,
    spacing: [1, 1, 3],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  });
  const labels = new Uint8Array(dimensions[0] * dimensions[1] * dimensions[2]);
  for (const [i, j, k, label] of voxels) labels[i + dimensions[0] * (j + dimensions[1] * k)] = label;
  return { geometry, voxels: labels, segments: testSegments(2) };
}

const inside = labelled([16, 8, 6], [[3, 3, 2, 1], [5, 5, 3, 2]]); // prettier-ignore
const cut = labelled([16, 8, 6], [[15, 3, 5, 1], [5, 5, 3, 2]]); // prettier-ignore
const oneSlice = labelled([16, 8, 1], [[3, 3, 0, 1]]);
const someSlices: WholenessOptions = { slicesRun: { axis: 2, slices: [2, 3] } };

const cases: readonly (readonly [string, typeof inside, WholenessOptions, readonly string[], readonly string[]])[] = [
  ['inside the images', inside, {}, [], []],
  ['at two edges', cut, {}, ['cut at the left and superior edges'], []],
  [
    'in a run of some slices',
    inside,
    someSlices,
    ['cut at the inferior edge', 'in 2 of 6 slices'],
    ['cut at the superior edge', 'in 2 of 6 slices'],
  ],
  ['in a single slice', oneSlice, {}, ['in a single slice'], ['in a single slice']],
  [
    'in a series that lacks files',
    cut,
    { isSeriesIncomplete: true },
    ['cut at the left and superior edges', 'of an incomplete series'],
    ['of an incomplete series'],
  ],
];

test.each(cases)('a segment %s', (_, labelmap, options, first, second) => {
  expect(wholenessOf(labelmap, options).map(({ reasons }) => reasons)).toEqual([first, second]);
});

// PS3.3 table C.8.20-4: Segment Description (0062,0006), type 3.
test.each(['binary', 'labelmap'] as const)(
  'a DICOM-SEG says so of each such segment and no other, %s',
  async (segType) => {
    for (const [, labelmap, { slicesRun, isSeriesIncomplete = false }, ...reasons] of cases) {
      const options: DicomSegOptions = {
        provenance: { ...testProvenance, ...(slicesRun && { slicesRun }) },
        isSeriesIncomplete,
        segType,
        now: new Date(2026, 2, 4, 5, 6, 7),
      };
      const { parts } = await encodeDicomSeg(labelmap, seriesOn(labelmap.geometry), options);
      const items = parseDicom(Buffer.concat(parts), 'test').items('SegmentSequence');
      const described = items
        .filter((item) => item.text('SegmentLabel') !== 'Background')
        .map((item) => item.text('SegmentDescription'));
      expect(described).toEqual(
        reasons.map((own) => (own.length === 0 ? undefined : `May not be whole: ${own.join(', ')}.`)),
      );
    }
  },
);

test('of an interpolated volume the borders are those of the images', () => {
  // The gantry was tilted: a grid of 12 rows around images of 8, of which each lies a row lower than the one before.
  const { geometry } = labelled([16, 12, 5], []);
  const source = {
    ...seriesOn(labelled([16, 8, 5], []).geometry),
    instances: seriesOn(geometry).instances.map((instance, k) => ({
      ...instance,
      imagePositionPatient: ['0', String(k), String(3 * k)] as const,
    })),
    interpolated: { columns: 16, rows: 8 },
  };
  // Image 2 has the rows 2 to 9 of the grid.
  const labelmap = labelled([16, 12, 5], [[4, 2, 2, 1], [4, 5, 2, 2]]); // prettier-ignore
  expect(wholenessOf(labelmap, { source }).map(({ touchesBorder }) => touchesBorder)).toEqual([['anterior'], []]);
});
