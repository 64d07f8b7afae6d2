import { describe, expect, it } from 'vitest';
import { labelmapOnSourceSlices } from '../../src/labelmap/source-slices.ts';
import type { SourceFile } from '../../src/io/reader.ts';
import { indexToWorld, type Vector3 } from '../../src/volume/geometry.ts';
import type { SourceSeries, Volume } from '../../src/volume/volume.ts';
import { testUid } from '../support/labelled-series.ts';
import { textContaining } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { encodePart10 } from '../support/part10.ts';
import { phantom, sliceAttributes } from '../support/phantom.ts';
import { dicomReader } from '../support/whole-reader.ts';

const base = phantom([12, 10, 1]);
const { direction, spacing, origin } = base.geometry;
const [row, column] = direction;
const normal = direction[2];

/** A linear function of the place in the patient, which linear interpolation gives back. */
const rampAt = ([x, y, z]: Vector3): number => Math.round(300 + 40 * x - 30 * y + 50 * z);

/** Slices at depths along the normal, each shifted down its columns by `lean` times its depth; voxels are the ramp. */
function seriesAt(depths: readonly number[], lean = 0): SourceFile[] {
  return depths.map((depth, n) => {
    const first = origin.map((x, axis) => x + depth * ((normal[axis] ?? 0) + lean * (column[axis] ?? 0)));
    const voxels = Int16Array.from({ length: 120 }, (_, at) => {
      const [i, j] = [(at % 12) * spacing[0], Math.floor(at / 12) * spacing[1]];
      return rampAt(first.map((x, axis) => x + i * (row[axis] ?? 0) + j * (column[axis] ?? 0)) as unknown as Vector3);
    });
    const attributes = {
      ...sliceAttributes(base, 0),
      SOPInstanceUID: testUid(500 + n),
      ImagePositionPatient: first.map((x) => x.toFixed(9).slice(0, 16)),
      PixelData: new Uint8Array(voxels.buffer),
    };
    return memoryFile(`${n}.dcm`, encodePart10(attributes));
  });
}

/** Every voxel that the slices surround is the ramp at its place, to the rounding of the slices' own values. */
function expectRamp({ geometry, voxels }: Volume, padding = 0): number {
  const [width, height, depth] = geometry.dimensions;
  let checked = 0;
  for (let k = 0; k < depth; k++) {
    for (let j = padding; j < height - padding; j++) {
      for (let i = 0; i < width; i++) {
        const value = voxels[(k * height + j) * width + i] ?? NaN;
        expect(Math.abs(value - rampAt(indexToWorld(geometry, [i, j, k])))).toBeLessThanOrEqual(2);
        checked++;
      }
    }
  }
  return checked;
}

describe('a series with unequal gaps', () => {
  const files = seriesAt([0, 2.5, 5, 10, 12.5]);

  it('is interpolated onto even ones, and says so', async () => {
    await expect(dicomReader.read(files)).rejects.toMatchObject({
      code: 'irregular-slices',
      details: expect.objectContaining({ option: 'resample' }) as object,
    });
    const { volume, warnings } = await dicomReader.read(files, { resample: true });
    expect(volume.geometry.dimensions).toEqual([12, 10, 6]);
    expect(volume.geometry.spacing[2]).toBeCloseTo(2.5, 6);
    expect(expectRamp(volume)).toBe(720);
    expect(warnings.map(({ code }) => code)).toEqual(['resampled']);
    expect(warnings[0]?.message).toContain('12 × 10 × 6');
  });

  it('gives the voxels of its images unchanged where the grid meets them', async () => {
    const { volume } = await dicomReader.read(files, { resample: true });
    const { volume: regular } = await dicomReader.read(seriesAt([0, 2.5, 5]));
    expect(volume.voxels.slice(0, 360)).toEqual(regular.voxels);
  });

  it('keeps its finest gap, unless that is less than a quarter of the usual one', async () => {
    const { volume } = await dicomReader.read(seriesAt([0, 2, 4, 6, 11, 16, 21, 26]), { resample: true });
    expect(volume.geometry.dimensions[2]).toBe(14);
    expectRamp(volume);
    const outlier = await dicomReader.read(seriesAt([0, 0.02, 4, 8, 12]), { resample: true });
    expect(outlier.volume.geometry.dimensions[2]).toBe(13);
  });

  it.each([
    ['so far away that no memory could hold the gap', 1e9, 'voxels'],
    ['so far away that most of the grid were invented', 1000, 'resampleRatio'],
  ])('with a slice %s is refused', async (_, depth, limit) => {
    await expect(dicomReader.read(seriesAt([0, 2.5, 5, depth]), { resample: true })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: textContaining(`limit ${limit}`),
    });
  });

  it('takes a labelmap back: every image the slice at its place', async () => {
    const { volume } = await dicomReader.read(files, { resample: true });
    const source = sourceOf(volume);
    expect(source.interpolated).toEqual({ columns: 12, rows: 10 });
    const voxels = Uint8Array.from({ length: 720 }, (_, at) => Math.floor(at / 120) + 1);
    const placed = labelmapOnSourceSlices({ geometry: volume.geometry, voxels, segments: [] }, source);
    expect(placed.geometry.dimensions).toEqual([12, 10, 5]);
    expect([0, 1, 2, 3, 4].map((n) => placed.voxels[120 * n + 60])).toEqual([1, 2, 3, 5, 6]);
  });
});

describe('a series of a tilted gantry', () => {
  const files = seriesAt([0, 4, 8, 12], 0.5);

  it('is interpolated onto an upright grid that holds every slice', async () => {
    await expect(dicomReader.read(files)).rejects.toMatchObject({
      code: 'gantry-tilt',
      details: expect.objectContaining({ option: 'resample' }) as object,
    });
    const { volume } = await dicomReader.read(files, { resample: true });
    const reach = Math.ceil((0.5 * 12) / spacing[1]);
    expect(volume.geometry.dimensions).toEqual([12, 10 + reach, 4]);
    expect(expectRamp(volume, reach)).toBeGreaterThan(100);
  });

  it('takes a labelmap back pixel by pixel, half a voxel off at most', async () => {
    const { volume } = await dicomReader.read(files, { resample: true });
    const source = sourceOf(volume);
    const { geometry } = volume;
    // Labels rise along the columns: a label tells where its voxel is.
    const [width, height] = geometry.dimensions;
    const voxels = Uint8Array.from({ length: volume.voxels.length }, (_, at) => 1 + (Math.floor(at / width) % height));
    const placed = labelmapOnSourceSlices({ geometry, voxels, segments: [] }, source);
    source.instances.forEach(({ imagePositionPatient }, n) => {
      const first = imagePositionPatient.map(Number);
      for (let j = 0; j < 10; j++) {
        const label = placed.voxels[(n * 10 + j) * 12] ?? NaN;
        const there = indexToWorld(geometry, [0, label - 1, 0]);
        const own = first.map((x, axis) => x + j * spacing[1] * (column[axis] ?? 0));
        const alongColumn = own.reduce((sum, x, axis) => sum + (x - (there[axis] ?? 0)) * (column[axis] ?? 0), 0);
        expect(Math.abs(alongColumn)).toBeLessThanOrEqual(0.51 * spacing[1]);
      }
    });
  });
});

function sourceOf({ source }: Volume): SourceSeries {
  if (source === undefined) throw new Error('The series has an identity.');
  return source;
}
