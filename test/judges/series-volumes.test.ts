import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openFiles } from '../../src/node/files.ts';
import { dicomReader } from '../../src/series/dicom.ts';
import type { FoundSeries, SourceFile } from '../../src/io/reader.ts';
import { indexToWorld, type IndexPoint } from '../../src/volume/geometry.ts';
import type { Volume } from '../../src/volume/volume.ts';
import { testUid } from '../support/labelled-series.ts';
import { memoryFile } from '../support/memory-file.ts';
import { mosaicPhantom } from '../support/mosaic.ts';
import { encodePart10, type DicomAttributes } from '../support/part10.ts';
import { enhancedPhantom, phantom, sliceAttributes } from '../support/phantom.ts';
import { describeWithPython, runJudge } from '../support/python.ts';
import { temporaryFolder } from './judged-series.ts';

const dcm2niixSaid = z.array(
  z.object({
    name: z.string(),
    shape: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    affine: z.array(z.array(z.number())),
    voxels: z.string(),
  }),
);

interface JudgedVolume {
  readonly shape: readonly [number, number, number];
  /** To RAS, mm. */
  readonly affine: readonly (readonly number[])[];
  /** i fastest. */
  readonly voxels: Float32Array;
}

/** Every volume that dcm2niix makes of a folder, by the Series Instance UID. */
async function convert(folder: string): Promise<(seriesInstanceUID: string) => JudgedVolume[]> {
  const images = dcm2niixSaid.parse(await runJudge('read_with_dcm2niix.py', [folder, temporaryFolder()]));
  return (uid) =>
    images
      .filter(({ name }) => name.startsWith(uid))
      .flatMap(({ shape: [i, j, k, volumes], affine, voxels: path }) => {
        const bytes = readFileSync(path);
        const voxels = new Float32Array(bytes.buffer, bytes.byteOffset, i * j * k * volumes);
        return Array.from({ length: volumes }, (_, t): JudgedVolume => ({
          shape: [i, j, k],
          affine,
          voxels: voxels.subarray(t * i * j * k, (t + 1) * i * j * k),
        }));
      });
}

async function readVolumes(series: FoundSeries): Promise<Volume[]> {
  const phases = series.description.volumes?.map(({ phase }) => ({ phase })) ?? [{}];
  const volumes: Volume[] = [];
  for (const phase of phases) volumes.push((await series.read(phase)).volume);
  return volumes;
}

/** Positions are floats in NIfTI, and dcm2niix takes the first gap for all: GE's are rounded to a micrometre or so. */
const TOLERANCE_MM = 0.02;

/** Whether a volume has the voxels of one of dcm2niix at the same places: axes may run the other way. */
function areSame({ geometry, voxels }: Volume, judged: JudgedVolume): boolean {
  const [width, height, depth] = geometry.dimensions;
  if (voxels.length !== judged.voxels.length) return false;
  const inverse = inverted(judged.affine);
  const indexOf = (index: IndexPoint): number[] => {
    const [x, y, z] = indexToWorld(geometry, index);
    return inverse.map((row) => dot4(row, [-x, -y, z, 1]));
  };
  const corner = indexOf([0, 0, 0]).map(Math.round);
  const steps = (
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ] as const
  ).map((unit) => indexOf(unit).map((n, axis) => Math.round(n - (indexOf([0, 0, 0])[axis] ?? 0))));
  const opposite: IndexPoint = [width - 1, height - 1, depth - 1];
  const place = ([a = 0, b = 0, c = 0]: readonly number[]): number => (c * judged.shape[1] + b) * judged.shape[0] + a;
  const [start, ...strides] = [corner, ...steps].map(place);
  for (const index of [[0, 0, 0] as const, opposite]) {
    const there = corner.map((n, axis) => n + index.reduce((sum, m, own) => sum + m * (steps[own]?.[axis] ?? 0), 0));
    const ras = judged.affine.slice(0, 3).map((row) => dot4(row, [...there, 1]));
    const [x, y, z] = indexToWorld(geometry, index);
    if (Math.hypot(x + (ras[0] ?? NaN), y + (ras[1] ?? NaN), z - (ras[2] ?? NaN)) > TOLERANCE_MM) return false;
  }
  const [right = 0, down = 0, up = 0] = strides;
  for (let k = 0, at = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++, at++) {
        if (voxels[at] !== judged.voxels[(start ?? NaN) + i * right + j * down + k * up]) return false;
      }
    }
  }
  return true;
}

function dot4(row: readonly number[], point: readonly number[]): number {
  return row.reduce((sum, value, n) => sum + value * (point[n] ?? 0), 0);
}

/** The first three rows of an affine's inverse. */
function inverted(affine: readonly (readonly number[])[]): number[][] {
  const at = (row: number, column: number): number => affine[row % 3]?.[column % 3] ?? NaN;
  const cofactor = (r: number, c: number): number =>
    at(r + 1, c + 1) * at(r + 2, c + 2) - at(r + 1, c + 2) * at(r + 2, c + 1);
  const determinant = [0, 1, 2].reduce((sum, c) => sum + at(0, c) * cofactor(0, c), 0);
  return [0, 1, 2].map((row) => {
    const linear = [0, 1, 2].map((column) => cofactor(column, row) / determinant);
    return [...linear, -linear.reduce((sum, value, n) => sum + value * (affine[n]?.[3] ?? 0), 0)];
  });
}

/** Each volume is one of dcm2niix's, and each of those is one of ours. Volumes may be alike: some sets have blank ones. */
function expectSameVolumes(ours: readonly Volume[], judged: readonly JudgedVolume[]): void {
  const rest = new Set(judged);
  const matched = ours.map((volume) => {
    const match = [...rest].find((other) => areSame(volume, other));
    if (match !== undefined) rest.delete(match);
    return match !== undefined;
  });
  expect(judged.length).toBeGreaterThan(0);
  expect(matched).toEqual(judged.map(() => true));
}

const image = phantom([8, 6, 5]);

/** Copies of the phantom in one series, as GE writes an EPI; values of copy n are n larger. */
function timePoints(count: number, change: (n: number, k: number) => DicomAttributes): SourceFile[] {
  return Array.from({ length: count }, (_, n) => n).flatMap((n) =>
    [0, 1, 2, 3, 4].map((k) => {
      const voxels = image.voxels.map((value) => value + n);
      return memoryFile(
        `${n}-${k}.dcm`,
        encodePart10({
          ...sliceAttributes({ ...image, voxels }, k),
          Manufacturer: 'GE MEDICAL SYSTEMS',
          SOPInstanceUID: testUid(1000 + 5 * n + k),
          SeriesNumber: '1',
          AcquisitionNumber: '1',
          InstanceNumber: String(1 + 5 * n + k),
          ...change(n, k),
        }),
      );
    }),
  );
}

const generated: Readonly<Record<string, () => SourceFile[]>> = {
  'one volume': () => timePoints(1, () => ({})),
  'volumes told apart by nothing but their order': () => timePoints(3, () => ({})),
  'volumes told apart by content time': () => timePoints(3, (n) => ({ ContentTime: `12000${n}` })),
  'volumes told apart by frame reference time': () => timePoints(3, (n) => ({ FrameReferenceTime: String(1000 * n) })),
  'volumes told apart by tube voltage': () => timePoints(3, (n) => ({ KVP: String(80 + 20 * n) })),
  'volumes told apart by the b-value that GE keeps to itself': () =>
    timePoints(3, (n) => ({ PrivateCreator0043: 'GEMS_PARM_01', GEBValues: [500 * n, 8, 0, 0] })),
  'volumes told apart by trigger times that differ from slice to slice': () =>
    timePoints(3, (n, k) => ({ TriggerTime: String(100 * n + 7 * k) })),
  'one enhanced image': () => [enhancedPhantom(image)],
  'a mosaic': () => [mosaicPhantom(image)],
  'a mosaic of CSA1': () => [mosaicPhantom(image, { csa: 'CSA1' })],
  'a mosaic from its last slice to its first': () => [mosaicPhantom(image, { isReversed: true })],
  'a mosaic that does not say to which side its slices follow': () => [mosaicPhantom(image, { csa: 'none' })],
  'mosaics, one a time point': () =>
    ['1', '2'].map((n) =>
      mosaicPhantom(
        { ...image, voxels: image.voxels.map((value) => value + Number(n)) },
        {
          name: `${n}.dcm`,
          change: { SOPInstanceUID: testUid(50 + Number(n)), AcquisitionNumber: n, InstanceNumber: n },
        },
      ),
    ),
};

describeWithPython('dcm2niix', ['dcm2niix', 'nibabel'], () => {
  test.each(Object.keys(generated))('makes the same volumes of %s', async (name) => {
    const folder = temporaryFolder();
    for (const file of generated[name]?.() ?? []) writeFileSync(join(folder, file.name), await file.read());
    const series = await dicomReader.find(openFiles([folder]));
    expect(series).toHaveLength(1);
    const judged = await convert(folder);
    for (const found of series) {
      expectSameVolumes(await readVolumes(found), judged(found.description.seriesInstanceUID ?? ''));
    }
  });

  describeFolder();
});

/** Real series below SLICEWISE_SERIES, as those of the repositories neurolabusc/dcm_qa_ge and dcm_qa_nih. */
function describeFolder(): void {
  const root = process.env['SLICEWISE_SERIES'];
  if (root === undefined) {
    describe.skip('makes the same volumes of real series (set SLICEWISE_SERIES to a folder of them)', () => undefined);
    return;
  }
  test.each(foldersWithFiles(root))('makes the same volumes of the series in %s', async (folder) => {
    const found = await dicomReader.find(openFiles(filesIn(folder)));
    const series = found.filter(({ description }) => description.contents === 'image');
    const judged = series.length === 0 ? undefined : await convert(folder);
    for (const one of series) {
      expectSameVolumes(await readVolumes(one), judged?.(one.description.seriesInstanceUID ?? '') ?? []);
    }
  });
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(folder, name));
}

function foldersWithFiles(folder: string): string[] {
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const deeper = below.flatMap(({ name }) => foldersWithFiles(join(folder, name)));
  return filesIn(folder).length > 0 ? [folder, ...deeper] : deeper;
}
