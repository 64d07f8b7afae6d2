import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HeartLabel } from '../../sample-data/heart-anatomy.ts';
import { createShortAxisHeart, type ShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { cross, voxelVolumeMl } from '../../src/volume/geometry.ts';

const fast = { size: 128, supersampling: [1, 1, 1] } as const;

describe('createShortAxisHeart', () => {
  const heart = createShortAxisHeart({ ...fast, phases: 8 });

  it('makes the same bytes on every machine', () => {
    const { geometry, phases } = createShortAxisHeart({ phases: 1 });
    expect(geometry.dimensions).toEqual([256, 256, 12]);
    expect(sha256(phases[0]?.voxels)).toBe('cafb13abadf9f4c4f422c6e3ee217a711e63f106f72d268815a7df306fdb9d4d');
    expect(sha256(phases[0]?.labels)).toBe('1729316b7fe95e59d289f74738c6e481461441a7b9cb78aa220a70daed64dc5f');
  });

  it('makes another image of another seed', () => {
    const other = createShortAxisHeart({ ...fast, phases: 1, seed: 2 });
    expect(sha256(other.phases[0]?.voxels)).not.toBe(sha256(heart.phases[0]?.voxels));
  });

  it('has a right-handed oblique grid with slices from apex to base', () => {
    const [i, j, k] = heart.geometry.direction;
    cross(i, j).forEach((value, axis) => {
      expect(value).toBeCloseTo(k[axis as 0 | 1 | 2], 5);
    });
    expect(Math.max(...heart.geometry.direction.flat().map(Math.abs))).toBeLessThan(0.95);
    const areas = sliceAreas(heart, 0);
    expect(areas[2]).toBeLessThan(areas[8] ?? 0);
    expect(areas[11]).toBe(0);
  });

  it('beats: the cavities are smallest at end-systole, the muscle keeps its volume', () => {
    const left = heart.phases.map((_, phase) => volumeMl(heart, phase, HeartLabel.leftVentricle));
    const right = heart.phases.map((_, phase) => volumeMl(heart, phase, HeartLabel.rightVentricle));
    const muscle = heart.phases.map((_, phase) => volumeMl(heart, phase, HeartLabel.leftVentricularMyocardium));
    expect(left.indexOf(Math.min(...left))).toBe(heart.endSystole);
    expect(right.indexOf(Math.min(...right))).toBe(heart.endSystole);
    // A healthy adult: ejection fractions of about 0.5 to 0.75, end-diastole above 80 ml.
    for (const cavity of [left, right]) {
      const [diastole = 0, systole = 0] = [cavity[0], cavity[heart.endSystole]];
      expect(diastole).toBeGreaterThan(80);
      expect(1 - systole / diastole).toBeGreaterThan(0.5);
      expect(1 - systole / diastole).toBeLessThan(0.75);
    }
    // Radii, not volumes, are interpolated between the two ends of the beat, and slices are 8 mm thick.
    expect(Math.max(...muscle) / Math.min(...muscle)).toBeLessThan(1.15);
  });

  it('keeps the left ventricle within its ring of muscle', () => {
    const [size] = heart.geometry.dimensions;
    const labels = heart.phases[0]?.labels ?? new Uint8Array();
    const closed = new Set<number>([HeartLabel.leftVentricle, HeartLabel.leftVentricularMyocardium]);
    for (const [voxel, label] of labels.entries()) {
      if (label !== HeartLabel.leftVentricle) continue;
      for (const neighbour of [voxel - 1, voxel + 1, voxel - size, voxel + size]) {
        expect(closed).toContain(labels[neighbour]);
      }
    }
  });

  it('lays the right ventricle on the septum', () => {
    const [size] = heart.geometry.dimensions;
    const labels = heart.phases[0]?.labels ?? new Uint8Array();
    const septum = Array.from(labels.keys()).filter(
      (voxel) =>
        labels[voxel] === HeartLabel.rightVentricle &&
        labels[voxel + 1] === HeartLabel.leftVentricularMyocardium &&
        voxel % size < size - 1,
    );
    expect(septum.length).toBeGreaterThan(100);
  });

  it('shows blood bright and muscle dark, as bSSFP does', () => {
    const full = createShortAxisHeart({ size: 128, phases: 1 });
    const blood = meanSignal(full, HeartLabel.leftVentricle);
    const muscle = meanSignal(full, HeartLabel.leftVentricularMyocardium);
    // ACDC's medians: 0.73 and 0.26 of the brightest; 0.61 in the right ventricle.
    expect(blood / muscle).toBeGreaterThan(2);
    expect(blood / muscle).toBeLessThan(4);
    expect(meanSignal(full, HeartLabel.rightVentricle)).toBeGreaterThan(1.5 * muscle);
  });

  it('is the same heart on any grid', () => {
    const fine = createShortAxisHeart({ ...fast, slices: 48, phases: 1 });
    for (const label of [1, 2, 3]) {
      // Slices of 8 mm against 2 mm: the ends of a cavity fall within one slice.
      expect(volumeMl(fine, 0, label) / volumeMl(heart, 0, label)).toBeCloseTo(1, 1);
    }
  });
});

function sha256(array: Uint16Array | Uint8Array | undefined): string {
  if (array === undefined) throw new Error('no voxels');
  return createHash('sha256').update(new Uint8Array(array.buffer)).digest('hex');
}

function volumeMl({ geometry, phases }: ShortAxisHeart, phase: number, label: number): number {
  const count = phases[phase]?.labels.reduce((sum, value) => sum + Number(value === label), 0) ?? NaN;
  return count * voxelVolumeMl(geometry);
}

function sliceAreas({ geometry, phases }: ShortAxisHeart, phase: number): number[] {
  const [columns, rows, slices] = geometry.dimensions;
  return Array.from(
    { length: slices },
    (_, k) =>
      phases[phase]?.labels.subarray(k * columns * rows, (k + 1) * columns * rows).filter((label) => label > 0)
        .length ?? NaN,
  );
}

function meanSignal({ phases }: ShortAxisHeart, label: number): number {
  const [phase] = phases;
  if (phase === undefined) throw new Error('no phase');
  const values = phase.voxels.filter((_, voxel) => phase.labels[voxel] === label);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
