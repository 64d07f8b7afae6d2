import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findEarlierOutput, type EarlierOutput } from '../../../src/cli/batch/batch-request.ts';
import type { OutputNames } from '../../../src/cli/batch/find-series.ts';
import { encodeNiftiLabelmap } from '../../../src/nifti/encode-nifti.ts';
import type { Labelmap } from '../../../src/labelmap/labelmap.ts';
import { createGeometry } from '../../../src/volume/geometry.ts';
import { testLabelmap, testSegments } from '../../support/labelled-series.ts';
import { overlappingSegFile, segFile } from '../../support/seg-files.ts';

const FINGERPRINT = 'a'.repeat(64);

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-earlier-'));
});
afterEach(() => rm(folder, { recursive: true }));

const labelmap = testLabelmap([0, 0, 1, 1, 2, 0, 2], { segments: testSegments(2) });
/** The same with one voxel of label 1 more, as a brush would leave it. */
const corrected: Labelmap = {
  ...labelmap,
  voxels: labelmap.voxels.map((label, at) => (at === labelmap.voxels.indexOf(0) ? 1 : label)),
};
const countOf = ({ voxels }: Labelmap, label: number): number => voxels.filter((voxel) => voxel === label).length;

const seg: OutputNames = { format: 'dicom-seg', segmentation: '1.2.dcm', report: '1.2.json' };
const nifti: OutputNames = { format: 'nifti-gzip', segmentation: 'a_labels.nii.gz', report: 'a_labels.json' };

/** What an earlier run left, in the parts of a report that every version has.
 * @param input what the report says of it, if it does */
async function leave(
  names: OutputNames,
  written: Uint8Array,
  now: Uint8Array = written,
  input?: object,
): Promise<void> {
  const sha256 = createHash('sha256').update(written).digest('hex');
  const report = {
    outputs: { segmentation: { path: join('some/where', names.segmentation), sha256 } },
    segments: [
      { segmentNumber: 1, segmentLabel: 'Left' },
      { segmentNumber: 2, segmentLabel: 'Right' },
    ],
    fingerprint: FINGERPRINT,
    ...(input && { input }),
  };
  await writeFile(join(folder, names.report), JSON.stringify(report));
  await writeFile(join(folder, names.segmentation), now);
}

const find = (names: OutputNames, fingerprint = FINGERPRINT): Promise<EarlierOutput | undefined> =>
  findEarlierOutput(folder, names, fingerprint);

describe('an output that is not as its report says', () => {
  test('is kept with its own figures where it is a DICOM-SEG, whatever it would be made of now', async () => {
    await leave(seg, await segFile(labelmap), await segFile(corrected));
    for (const fingerprint of [FINGERPRINT, 'b'.repeat(64)]) {
      const found = await find(seg, fingerprint);
      expect(found).toMatchObject({ kind: 'changed' });
      const segments = found?.kind === 'changed' ? found.output.segments : [];
      expect(segments.map(({ voxelCount }) => voxelCount)).toEqual([countOf(labelmap, 1) + 1, countOf(labelmap, 2)]);
    }
  });

  test('is kept where it is a NIfTI labelmap, whose segments have the names of the report', async () => {
    const [written, now] = [
      await encodeNiftiLabelmap(labelmap, { gzip: true }),
      await encodeNiftiLabelmap(corrected, { gzip: true }),
    ];
    await leave(nifti, written, now);
    expect(await find(nifti)).toMatchObject({
      kind: 'changed',
      output: {
        segments: [
          { segmentNumber: 1, segmentLabel: 'Left', voxelCount: countOf(labelmap, 1) + 1 },
          { segmentNumber: 2, segmentLabel: 'Right', voxelCount: countOf(labelmap, 2) },
        ],
      },
    });
  });

  // The file of a DICOM-SEG ends where its last label does: that is no border of the images.
  test.each([
    ['inside the images', [[3, 2, 1]], [], { isLowerBound: false, touchesBorder: [] }],
    [
      'at the first row and the last slice',
      [[3, 0, 3]],
      [],
      { isLowerBound: true, touchesBorder: ['anterior', 'superior'] },
    ],
    ['inside an incomplete series', [[3, 2, 1]], [{}], { isLowerBound: true, touchesBorder: [] }],
  ] as const)('says whether a segment %s is whole', async (_, voxels, leftOutFiles, expected) => {
    const geometry = createGeometry({
      dimensions: [7, 5, 4],
      spacing: [1, 1, 2],
      origin: [0, 0, 0],
      direction: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    });
    const few = testLabelmap([0], { geometry, segments: testSegments(1) });
    for (const [i, j, k] of voxels) few.voxels[(k * 5 + j) * 7 + i] = 1;
    await leave(seg, await segFile(labelmap), await segFile(few), { geometry, leftOutFiles });
    expect(await find(seg)).toMatchObject({
      kind: 'changed',
      output: { segments: [{ segmentNumber: 1, ...expected }] },
    });
  });

  test('says nothing of whole segments where the report has no grid, or another', async () => {
    const { geometry } = testLabelmap([0]);
    for (const input of [undefined, { geometry: { ...geometry, origin: [500, 0, 0] }, leftOutFiles: [] }]) {
      await leave(seg, await segFile(labelmap), await segFile(corrected), input);
      const found = await find(seg);
      expect(found?.kind === 'changed' && found.output.segments[0]).not.toHaveProperty('isLowerBound');
    }
  });

  test('is kept where its segments overlap, as another program may store them', async () => {
    await leave(seg, await segFile(labelmap), await overlappingSegFile());
    expect(await find(seg)).toMatchObject({ kind: 'changed' });
  });

  test.each([
    ['empty', () => new Uint8Array()],
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1)],
    ['zeroes', (bytes: Uint8Array) => new Uint8Array(bytes.length)],
    ['text', () => new TextEncoder().encode('labels: none')],
  ])('is made again where it is %s', async (_, damage) => {
    const bytes = await segFile(labelmap);
    await leave(seg, bytes, damage(bytes));
    expect(await find(seg)).toBeUndefined();
    const zipped = await encodeNiftiLabelmap(labelmap, { gzip: true });
    await leave(nifti, zipped, damage(zipped));
    expect(await find(nifti)).toBeUndefined();
  });
});

test.each([
  ['without its report', async () => rm(join(folder, seg.report))],
  ['with a report that is no JSON', async () => writeFile(join(folder, seg.report), '{')],
  ['that is gone', async () => rm(join(folder, seg.segmentation))],
])('an output %s is made again', async (_, change) => {
  await leave(seg, await segFile(labelmap), await segFile(corrected));
  await change();
  expect(await find(seg)).toBeUndefined();
});

test('a report of another format says nothing of this one', async () => {
  await leave(seg, await segFile(labelmap), await segFile(corrected));
  expect(await find({ ...seg, segmentation: '1.2.nii' })).toBeUndefined();
});

test('an unchanged output whose report this version does not know is made again', async () => {
  await leave(seg, await segFile(labelmap));
  expect(await find(seg)).toBeUndefined();
});
