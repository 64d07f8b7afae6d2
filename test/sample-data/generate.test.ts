import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateSample, isGenerated } from '../../sample-data/generate.ts';
import { closingLines } from '../../sample-data/demo.ts';
import { openFiles } from '../../src/node/files.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import { gridDistanceMm } from '../../src/volume/geometry.ts';

const options = { size: 48, slices: 4, phases: 2, supersampling: [1, 1, 1] } as const;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-sample-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('generateSample', () => {
  it('writes one image as DICOM and NIfTI, with labels on the same grid', async () => {
    const heart = await generateSample(folder, options);
    const read = async (...path: string[]) => (await readVolume(openFiles([join(folder, ...path)]))).volume;
    const dicom = await read('dicom', 'phase_02');
    const nifti = await read('nifti', 'phase_02', 'image.nii.gz');
    const labels = await read('nifti', 'phase_02', 'labels.nii.gz');
    expect(Array.from(nifti.voxels)).toEqual(Array.from(dicom.voxels));
    expect(Array.from(labels.voxels)).toEqual(Array.from(heart.phases[1]?.labels ?? []));
    // NIfTI has float32 in its header: 7 digits of some 200 mm.
    expect(gridDistanceMm(nifti.geometry, dicom.geometry)).toBeLessThan(0.001);
    expect(gridDistanceMm(labels.geometry, dicom.geometry)).toBeLessThan(0.001);
  });

  it('leaves nothing of an earlier, larger sample', async () => {
    await generateSample(folder, { ...options, phases: 3, slices: 6 });
    await generateSample(folder, options);
    expect(await readdir(join(folder, 'dicom'))).toEqual(['phase_01', 'phase_02']);
    expect(await readdir(join(folder, 'dicom', 'phase_01'))).toHaveLength(4);
  });

  it('is complete only when everything is written', async () => {
    expect(isGenerated(folder)).toBe(false);
    await generateSample(folder, options);
    expect(isGenerated(folder)).toBe(true);
  });
});

describe('the closing lines of npm run demo', () => {
  it('say how well it went, where to look, and that it is for research only', () => {
    const labels = [
      { label: 1, name: 'Right ventricle', dice: 0.912 },
      { label: 2, dice: 0.8 },
    ];
    const lines = closingLines('A model', { labels }, 'out/heart.png', 'out/heart.dcm');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('Right ventricle 0.91, label 2 0.80');
    expect(lines[1]).toContain('out/heart.png');
    expect(lines[2]).toContain('Research use only');
  });
});
