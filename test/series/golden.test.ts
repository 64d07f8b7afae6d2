import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { openFiles } from '../../src/node/files.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import { indexToWorld, type IndexPoint } from '../../src/volume/geometry.ts';
import { dataPath, describeWithData } from '../support/data.ts';

/** test/goldens/make_goldens.py wrote these with pydicom and nibabel. */
const goldens = z
  .object({
    images: z
      .array(
        z.object({
          path: z.string(),
          phase: z.number().optional(),
          shape: z.array(z.number()).length(3),
          type: z.string(),
          affine: z.array(z.array(z.number()).length(4)).length(3),
          sha256: z.string(),
        }),
      )
      .min(50),
  })
  .parse(JSON.parse(readFileSync(new URL('../goldens/readers.json', import.meta.url), 'utf8')));

describeWithData('values and geometry are those of pydicom and nibabel', () => {
  it.each(goldens.images)('$path $phase', async ({ path, phase, shape, type, affine, sha256 }) => {
    const { volume } = await readVolume(openFiles([dataPath(path)]), phase === undefined ? {} : { phase });
    const { geometry, voxels } = volume;
    expect(geometry.dimensions).toEqual(shape);
    expect(voxels.constructor.name.toLowerCase()).toBe(`${type}array`);

    // 1e-4 mm: NIfTI stores its affine in float32, and pydicom's is built from 6-digit cosines.
    const origin = indexToWorld(geometry, [0, 0, 0]);
    const steps: readonly IndexPoint[] = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
    for (const [axis, index] of steps.entries()) {
      const step = indexToWorld(geometry, index).map((x, n) => x - (origin[n] ?? NaN));
      step.forEach((x, n) => {
        expect(Math.abs(x - (affine[n]?.[axis] ?? NaN))).toBeLessThan(1e-4);
      });
    }
    origin.forEach((x, n) => {
      expect(Math.abs(x - (affine[n]?.[3] ?? NaN))).toBeLessThan(1e-4);
    });

    const bytes = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  });
});
