import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { openFiles } from '../../src/node/files.ts';
import { readNiftiLabelmap } from '../../src/nifti/read-nifti.ts';
import { indexToWorld, worldToIndex, type IndexPoint } from '../../src/volume/geometry.ts';
import { buildCli, runCli } from '../e2e/run-cli.ts';
import { tinyModel } from '../e2e/workspace.ts';
import { newDciodvfyErrors } from '../support/dciodvfy.ts';
import { testUid } from '../support/labelled-series.ts';
import { dicomPhantom } from '../support/phantom.ts';
import { describeWithPython, runJudge } from '../support/python.ts';

const SIZE = 64;
const folder = mkdtempSync(join(tmpdir(), 'slicewise-interpolated-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const ALL = [...Array(12).keys()];
const heart = createShortAxisHeart({ size: SIZE, slices: 12, phases: 1, supersampling: [1, 1, 1] });

/** Where the first voxel of slice k of the heart lies, as its image says. */
type Place = (k: number) => IndexPoint;
const upright: Place = (k) => [0, 0, k];
const leaning: Place = (k) => [0, 0.37 * k, k];

describeWithPython('a series that is interpolated is segmented on its own images', ['pydicom', 'highdicom'], () => {
  beforeAll(buildCli);

  test.each<[string, readonly number[], Place]>([
    ['a missing slice', ALL.filter((k) => k !== 5), upright],
    ['a tilted gantry', ALL, leaning],
  ])('with %s', async (name, slices, place) => {
    const own = join(folder, name);
    const files = await writeImages(join(own, 'images'), slices, place);
    const [seg, labels] = [join(own, 'seg.dcm'), join(own, 'labels.nii.gz')];
    const segment = (output: string, ...more: string[]) =>
      runCli(['segment', join(own, 'images'), '--model', tinyModel, '--output', output, ...more]);
    const refused = await segment(seg);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--resample');
    for (const output of [seg, labels]) {
      const { code, stderr } = await segment(output, '--resample');
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stderr).toContain('The volume was interpolated');
    }

    const [grid] = openFiles([labels]);
    if (grid === undefined) throw new Error('The labels are a file.');
    const expected = labelsOnImages(await readNiftiLabelmap(grid), slices.map(place));
    expect(expected.filter((label) => label > 0).length).toBeGreaterThan(1000);
    const uids = join(own, 'uids.json');
    writeFileSync(uids, JSON.stringify(slices.map((k) => testUid(100 + k))));
    await runJudge('read_segmentation.py', [seg, uids, own, '--no-volume']);
    for (const judge of ['pydicom', 'highdicom']) {
      expect(Buffer.compare(readFileSync(join(own, `${judge}.bin`)), expected), judge).toBe(0);
    }
    expect(newDciodvfyErrors(seg, files)).toEqual([]);
  });
});

/** @returns the paths of the images */
async function writeImages(images: string, slices: readonly number[], place: Place): Promise<string[]> {
  mkdirSync(images, { recursive: true });
  const voxels = Int16Array.from(heart.phases[0]?.voxels ?? []);
  const files = dicomPhantom({ geometry: heart.geometry, voxels }, (k) => ({
    ImagePositionPatient: indexToWorld(heart.geometry, place(k)).map((mm) => mm.toFixed(6)),
  }));
  const paths = [];
  for (const file of files.filter(({ name }) => slices.some((k) => name === `slice-${k}.dcm`))) {
    paths.push(join(images, file.name));
    writeFileSync(join(images, file.name), await file.read());
  }
  return paths;
}

/** The label of every pixel of images: that of the voxel which lies nearest to it. */
function labelsOnImages(
  { geometry, voxels }: Awaited<ReturnType<typeof readNiftiLabelmap>>,
  places: readonly IndexPoint[],
): Uint8Array {
  const [width, height, depth] = geometry.dimensions;
  return Uint8Array.from({ length: places.length * SIZE * SIZE }, (_, at) => {
    const [column = 0, row = 0, slice = 0] = places[Math.floor(at / SIZE ** 2)] ?? [];
    const pixel: IndexPoint = [column + (at % SIZE), row + (Math.floor(at / SIZE) % SIZE), slice];
    const [i, j, k] = worldToIndex(geometry, indexToWorld(heart.geometry, pixel)).map(Math.round) as [
      number,
      number,
      number,
    ];
    const isInside = i >= 0 && i < width && j >= 0 && j < height && k >= 0 && k < depth;
    return isInside ? (voxels[(k * height + j) * width + i] ?? 0) : 0;
  });
}
