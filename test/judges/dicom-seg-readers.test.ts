import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { metaData } from '@cornerstonejs/core';
import { adaptersSEG } from '@cornerstonejs/adapters';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { worldToIndex, type Vector3 } from '../../src/volume/geometry.ts';
import { readWithDcmqi } from '../support/dcmqi.ts';
import { describeWithProgram, describeWithPython, runJudge } from '../support/python.ts';
import { imageId, sourceMetadata } from './source-metadata.ts';
import { EMPTY, judgedSeries, ODD_LENGTH, readVoxels, testEachSeries, type JudgedSeries } from './judged-series.ts';

/** Where two labelmaps differ: far more telling than two megabytes of voxels. */
function differences(actual: ArrayLike<number>, { labelmap }: JudgedSeries): number[] {
  expect(actual.length).toBe(labelmap.voxels.length);
  return [...labelmap.voxels.keys()].filter((at) => actual[at] !== labelmap.voxels[at]).slice(0, 10);
}

const pythonSaid = z.object({
  pydicom: z.object({ frames: z.number(), segments: z.number() }),
  highdicom: z.object({
    affine: z.array(z.array(z.number())),
    shape: z.array(z.number()),
    voxels: z.number(),
    labels: z.array(z.string()),
    laterality: z.array(z.string()),
  }),
});

describeWithPython('pydicom and highdicom', ['pydicom', 'highdicom'], () => {
  testEachSeries('every voxel is read as it was', async (judged) => {
    const { folder, labelmap, source, segFile } = judged;
    const uids = join(folder, 'uids.json');
    writeFileSync(uids, JSON.stringify(source.instances.map((instance) => instance.sopInstanceUID)));
    const said = pythonSaid.parse(await runJudge('read_segmentation.py', [segFile, uids, folder]));
    expect(differences(readVoxels(join(folder, 'pydicom.bin')), judged)).toEqual([]);
    expect(differences(readVoxels(join(folder, 'highdicom.bin')), judged)).toEqual([]);

    const { affine, shape, voxels, labels, laterality } = said.highdicom;
    expect(labels).toEqual(labelmap.segments.map((segment) => segment.segmentLabel));
    expect(laterality).toEqual(Array(3).fill('24028007'));
    expect(voxels).toBe(labelmap.voxels.filter((voxel) => voxel !== 0).length);
    // Both ends of highdicom's grid are on ours: positions are written with the source's digits, gaps as their mean.
    const [slices = 0, rows = 0, columns = 0] = shape;
    for (const [k, j, i] of [
      [0, 0, 0],
      [slices - 1, rows - 1, columns - 1],
    ] as const) {
      const point = affine
        .slice(0, 3)
        .map((row) => (row[0] ?? 0) * k + (row[1] ?? 0) * j + (row[2] ?? 0) * i + (row[3] ?? 0));
      const index = worldToIndex(labelmap.geometry, point as unknown as Vector3);
      expect(Math.abs(index[0] - i)).toBeLessThan(0.01);
      expect(Math.abs(index[1] - j)).toBeLessThan(0.01);
      expect(Math.abs(index[2] - Math.round(index[2]))).toBeLessThan(0.01);
    }
  });
});

const labelmapSaid = z.object({
  pydicom: z.object({ bits: z.number(), segments: z.array(z.number()), syntax: z.string() }),
  highdicom: z.object({ numbers: z.array(z.number()), labels: z.array(z.string()) }),
});

describeWithPython('pydicom and highdicom, LABELMAP', ['pydicom', 'highdicom'], () => {
  for (const encoding of ['raw', 'RLE'] as const) {
    testEachSeries(`every voxel is read as it was, ${encoding}`, async (judged) => {
      const { folder, labelmap, source, labelmapFiles } = judged;
      const uids = join(folder, 'uids.json');
      writeFileSync(uids, JSON.stringify(source.instances.map((instance) => instance.sopInstanceUID)));
      const said = labelmapSaid.parse(await runJudge('read_labelmap.py', [labelmapFiles[encoding], uids, folder]));
      expect(differences(readVoxels(join(folder, 'pydicom.bin')), judged)).toEqual([]);
      expect(differences(readVoxels(join(folder, 'highdicom.bin')), judged)).toEqual([]);
      const numbers = labelmap.segments.map((segment) => segment.segmentNumber);
      expect(said.pydicom).toMatchObject({ bits: 8, segments: [...numbers, 0] });
      expect(said.pydicom.syntax).toMatch(encoding === 'RLE' ? /\.5$/ : /\.1$/);
      expect(said.highdicom.numbers).toEqual(numbers);
      expect(said.highdicom.labels).toEqual(labelmap.segments.map((segment) => segment.segmentLabel));
    });
  }
});

describeWithProgram('dcmdrle', 'dcmdrle', () => {
  testEachSeries('the RLE frames unpack to the pixels of the raw file', async ({ folder, labelmapFiles }) => {
    const unpacked = join(folder, 'unpacked.dcm');
    await promisify(execFile)('dcmdrle', [labelmapFiles.RLE, unpacked]);
    const [ours, theirs] = [labelmapFiles.raw, unpacked].map((file) => pixelsOf(readFileSync(file)));
    expect(ours?.length).toBeGreaterThan(0);
    expect(theirs && ours && Buffer.compare(theirs, ours)).toBe(0);
  });
});

function pixelsOf(file: Buffer): Buffer {
  const { dataOffset = 0, byteLength = 0 } = parseDicom(file, 'judged').pixelData ?? {};
  return file.subarray(dataOffset, dataOffset + byteLength);
}

describe('dcmqi', () => {
  testEachSeries(
    'every voxel is read as it was, at its place',
    async (judged) => {
      const found = await readWithDcmqi(judged.segFile, judged.labelmap.geometry);
      expect(differences(found, judged)).toEqual([]);
    },
    // dcmqi has nothing to place then.
    { except: [EMPTY] },
  );
});

describe('@cornerstonejs/adapters', () => {
  testEachSeries(
    'every voxel of BINARY is read as it was',
    async (judged) => {
      await expectReadByAdapters(judged, judged.segFile);
    },
    { except: [ODD_LENGTH] },
  );

  test('adapters 5.6 refuse the even length that PS3.5 8.1.1 demands of an odd number of bytes', async () => {
    // Theirs to mend; when this fails, the series can join the others above.
    const judged = await judgedSeries(ODD_LENGTH);
    await expect(readWithAdapters(judged, judged.segFile)).rejects.toThrow(/Unexpected 1-bit SEG PixelData length/);
  });

  for (const encoding of ['raw', 'RLE'] as const) {
    testEachSeries(`every voxel of LABELMAP (${encoding}) is read as it was`, async (judged) => {
      await expectReadByAdapters(judged, judged.labelmapFiles[encoding]);
    });
  }
});

async function expectReadByAdapters(judged: JudgedSeries, file: string): Promise<void> {
  const { labelMapImages, overlappingSegments } = adaptersSaid.parse(await readWithAdapters(judged, file));
  expect(overlappingSegments).toBe(false);
  const [images = []] = labelMapImages;
  expect(images).toHaveLength(judged.labelmap.geometry.dimensions[2]);
  expect(
    differences(
      images.flatMap((image) => [...image.voxelManager.getScalarData()]),
      judged,
    ),
  ).toEqual([]);
}

async function readWithAdapters(judged: JudgedSeries, file: string): Promise<unknown> {
  const provider = { get: sourceMetadata(judged), addCustomMetadata: () => undefined };
  const imageIds = judged.source.instances.map((instance) => imageId(instance.sopInstanceUID));
  const bytes = new Uint8Array(readFileSync(file));
  metaData.addProvider(provider.get, 10_000);
  try {
    const { Segmentation } = adaptersSEG.Cornerstone3D;
    return await Segmentation.createFromDICOMSegBuffer(imageIds, bytes.buffer, { metadataProvider: provider });
  } finally {
    metaData.removeProvider(provider.get);
  }
}

const adaptersSaid = z.object({
  labelMapImages: z.array(
    z.array(
      z.object({
        voxelManager: z.custom<{ getScalarData(): Uint8Array }>(
          (value) => typeof value === 'object' && value !== null && 'getScalarData' in value,
        ),
      }),
    ),
  ),
  overlappingSegments: z.boolean(),
});
