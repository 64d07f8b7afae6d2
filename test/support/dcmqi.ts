import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { z } from 'zod';
import { indexToWorld, worldToIndex, type Vector3, type VolumeGeometry } from '../../src/volume/geometry.ts';

const PROGRAM = resolve(import.meta.dirname, '../judges/read-with-dcmqi.ts');

const answerSchema = z.object({
  size: z.tuple([z.number(), z.number(), z.number()]),
  origin: z.tuple([z.number(), z.number(), z.number()]),
  spacing: z.tuple([z.number(), z.number(), z.number()]),
  direction: z.array(z.number()).length(9),
  voxels: z.base64(),
});

/** The labels of a DICOM-SEG as dcmqi reads them, put on a grid by their places, which must be voxels of it. */
export async function readWithDcmqi(segFile: string, geometry: VolumeGeometry): Promise<Uint8Array> {
  const { size, origin, spacing, direction, voxels } = await askDcmqi(segFile);
  const read = Buffer.from(voxels, 'base64');
  // Cropped to the frames that are there. ITK's direction has the axes as columns.
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
  return found;
}

async function askDcmqi(segFile: string): Promise<z.infer<typeof answerSchema>> {
  const folder = mkdtempSync(join(tmpdir(), 'slicewise-dcmqi-'));
  try {
    const answer = join(folder, 'answer.json');
    await promisify(execFile)(process.execPath, ['--import', 'tsx', PROGRAM, segFile, answer]);
    return answerSchema.parse(JSON.parse(readFileSync(answer, 'utf8')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
