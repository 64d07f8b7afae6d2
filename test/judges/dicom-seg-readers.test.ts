import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { metaData } from '@cornerstonejs/core';
import { adaptersSEG } from '@cornerstonejs/adapters';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { indexToWorld, worldToIndex, type Vector3 } from '../../src/volume/geometry.ts';
import { describeWithPython, runJudge } from '../support/python.ts';
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

const dcmqiSaid = z.object({
  size: z.tuple([z.number(), z.number(), z.number()]),
  origin: z.tuple([z.number(), z.number(), z.number()]),
  spacing: z.tuple([z.number(), z.number(), z.number()]),
  direction: z.array(z.number()).length(9),
  voxels: z.base64(),
});

describe('dcmqi', () => {
  testEachSeries(
    'every voxel is read as it was, at its place',
    async (judged) => {
      const { labelmap, segFile, folder } = judged;
      const script = join(import.meta.dirname, 'read-with-dcmqi.ts');
      const answer = join(folder, 'dcmqi.json');
      await promisify(execFile)(process.execPath, ['--import', 'tsx', script, segFile, answer]);
      const { size, origin, spacing, direction, voxels } = dcmqiSaid.parse(JSON.parse(readFileSync(answer, 'utf8')));
      const read = Buffer.from(voxels, 'base64');
      const { geometry } = labelmap;
      // Cropped to the frames that are there: compared by place. ITK's direction has the axes as columns.
      const axis = (n: 0 | 1 | 2): Vector3 => [direction[n] ?? 0, direction[n + 3] ?? 0, direction[n + 6] ?? 0];
      const [columns, rows, slices] = geometry.dimensions;
      const found = new Uint8Array(columns * rows * slices);
      const grid = { dimensions: size, spacing, origin, direction: [axis(0), axis(1), axis(2)] as const };
      for (let k = 0; k < size[2]; k++) {
        const first = worldToIndex(geometry, indexToWorld(grid, [0, 0, k]));
        const last = worldToIndex(geometry, indexToWorld(grid, [size[0] - 1, size[1] - 1, k]));
        const slice = Math.round(first[2]);
        // dcmqi takes positions as stored; a hundredth of a voxel covers their rounding.
        expect(Math.max(Math.abs(first[0]), Math.abs(first[1]), Math.abs(first[2] - slice))).toBeLessThan(0.01);
        expect(Math.max(Math.abs(last[0] - columns + 1), Math.abs(last[1] - rows + 1))).toBeLessThan(0.01);
        found.set(read.subarray(k * columns * rows, (k + 1) * columns * rows), slice * columns * rows);
      }
      expect(differences(found, judged)).toEqual([]);
    },
    // dcmqi has nothing to place then.
    { except: [EMPTY] },
  );
});

describe('@cornerstonejs/adapters', () => {
  testEachSeries(
    'every voxel is read as it was',
    async (judged) => {
      const { labelMapImages, overlappingSegments } = adaptersSaid.parse(await readWithAdapters(judged));
      expect(overlappingSegments).toBe(false);
      const [images = []] = labelMapImages;
      expect(images).toHaveLength(judged.labelmap.geometry.dimensions[2]);
      const voxels = images.flatMap((image) => [...image.voxelManager.getScalarData()]);
      expect(differences(voxels, judged)).toEqual([]);
    },
    { except: [ODD_LENGTH] },
  );

  test('adapters 5.14 still refuse the even length that PS3.5 8.1.1 demands of an odd number of bytes', async () => {
    // Theirs to mend; when this fails, the series can join the others above.
    await expect(readWithAdapters(await judgedSeries(ODD_LENGTH))).rejects.toThrow(
      /Unexpected 1-bit SEG PixelData length/,
    );
  });
});

async function readWithAdapters(judged: JudgedSeries): Promise<unknown> {
  const provider = metadataProvider(judged);
  const imageIds = judged.source.instances.map((instance) => imageId(instance.sopInstanceUID));
  const bytes = new Uint8Array(readFileSync(judged.segFile));
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

function imageId(sopInstanceUID: string): string {
  return `judged:${sopInstanceUID}`;
}

/** What OHIF's provider would answer for the series. It answers one frame of reference, because the adapters leave
 * out slices whose own differs from the segmentation's (all but the first in Sunnybrook). */
function metadataProvider({ labelmap: { geometry }, source }: JudgedSeries) {
  const [columns, rows] = geometry.dimensions;
  const custom = new Map<string, unknown>();
  const get = (type: string, id: unknown): unknown => {
    const instance = source.instances.find((candidate) => imageId(candidate.sopInstanceUID) === id);
    if (instance === undefined) return custom.get(`${type} ${String(id)}`);
    const position = instance.imagePositionPatient.map(Number);
    const orientation = source.imageOrientationPatient.map(Number);
    const pixelSpacing = source.pixelSpacing.map(Number);
    const frameOfReferenceUID = source.frameOfReferenceUID;
    const answers: Record<string, unknown> = {
      generalImageModule: { sopInstanceUID: instance.sopInstanceUID },
      generalSeriesModule: { seriesInstanceUID: source.seriesInstanceUID, modality: 'MR' },
      imagePixelModule: { bitsAllocated: 16, bitsStored: 16, highBit: 15, samplesPerPixel: 1, pixelRepresentation: 0 },
      imagePlaneModule: {
        rows,
        columns,
        imageOrientationPatient: orientation,
        rowCosines: orientation.slice(0, 3),
        columnCosines: orientation.slice(3),
        imagePositionPatient: position,
        pixelSpacing,
        rowPixelSpacing: pixelSpacing[0],
        columnPixelSpacing: pixelSpacing[1],
        frameOfReferenceUID,
      },
      instance: {
        SOPInstanceUID: instance.sopInstanceUID,
        SOPClassUID: instance.sopClassUID,
        SeriesInstanceUID: source.seriesInstanceUID,
        FrameOfReferenceUID: frameOfReferenceUID,
        Rows: rows,
        Columns: columns,
        ImagePositionPatient: position,
        ImageOrientationPatient: orientation,
        PixelSpacing: pixelSpacing,
      },
    };
    return answers[type];
  };
  const addCustomMetadata = (id: string, type: string, metadata: unknown): void => {
    custom.set(`${type} ${id}`, metadata);
  };
  return { get, addCustomMetadata };
}
