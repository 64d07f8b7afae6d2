import { loadGolden, loadManifest } from '../../src/models/load-model.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import type { Volume } from '../../src/volume/volume.ts';
import { readTinyModel } from './models.ts';

const SIZE = 48;

/** The tiny model's golden input, three neighbouring slices of a drawn heart, as a volume.
 * @param copies beside and below each other
 * @param spacing in plane, in mm; the drawing has 3
 * @param slices the three, forwards and backwards in turn */
export async function drawnHeart({ copies = 1, spacing = 3, slices = 3 } = {}): Promise<Volume> {
  const { input } = await loadGolden(await loadManifest(readTinyModel), readTinyModel);
  const length = copies * SIZE;
  const geometry = createGeometry({
    dimensions: [length, length, slices],
    spacing: [spacing, spacing, 8],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  });
  const drawn = [0, 1, 2, 1];
  const voxels = Float32Array.from({ length: slices * length * length }, (_, at) => {
    const [i, j, k] = [at % length, Math.floor(at / length) % length, Math.floor(at / length / length)];
    return 1000 * (input[((drawn[k % 4] ?? 0) * SIZE + (j % SIZE)) * SIZE + (i % SIZE)] ?? NaN);
  });
  return { geometry, voxels, modality: 'MR', bodyPartExamined: 'HEART' };
}
