import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFiles } from '../../src/node/files.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { textContaining } from '../support/matchers.ts';
import { dicomReader } from '../support/whole-reader.ts';

const filesOf = (name: string) => {
  const folder = dataPath('..', 'cases', name);
  return openFiles(readdirSync(folder).map((file) => join(folder, file)));
};

// Sizes, number of volumes and voxels are those of dcm2niix 1.0.20260724.
describeWithData('series that ended wrongly elsewhere', () => {
  it.each([
    ['b02_0.625_1', 0.625],
    ['b02_0.625_2', 0.625],
    ['b02_1.25_1', 1.25],
  ])('%s, with rounded positions, is regular', async (name, gap) => {
    const { volume, warnings } = await dicomReader.read(filesOf(name));
    expect(volume.geometry.dimensions).toEqual([16, 12, 20]);
    expect(volume.geometry.spacing[2]).toBeCloseTo(gap, 2);
    expect(warnings).toEqual([]);
  });

  it.each(['c21a_only_instance_number', 'c21b_content_time', 'c21c_ge_bvalue', 'c21e_framereftime_pet', 'c21i_kvp'])(
    '%s is three volumes of four slices',
    async (name) => {
      for (const phase of [1, 2, 3]) {
        const { volume } = await dicomReader.read(filesOf(name), { phase });
        expect(volume.geometry.dimensions).toEqual([16, 12, 4]);
        expect(volume.source?.instances).toHaveLength(4);
      }
      await expect(dicomReader.read(filesOf(name), { phase: 4 })).rejects.toMatchObject({ code: 'phase-not-found' });
    },
  );

  it.each([
    ['f03', 3],
    ['f05b', 2],
  ])('%s, enhanced, is %i volumes of six slices', async (name, count) => {
    for (let phase = 1; phase <= count; phase++) {
      const { volume } = await dicomReader.read(filesOf(name), { phase });
      expect(volume.geometry.dimensions).toEqual([16, 12, 6]);
    }
    await expect(dicomReader.read(filesOf(name))).rejects.toMatchObject({
      code: 'several-volumes',
      message: textContaining(`${count} volumes`),
    });
  });

  it('f04: stacks that interleave are one volume', async () => {
    const { volume } = await dicomReader.read(filesOf('f04_interleaved_stacks'));
    expect(volume.geometry.dimensions).toEqual([16, 12, 6]);
    expect(volume.geometry.spacing[2]).toBeCloseTo(2.5, 6);
  });

  it('c20d: one repeated slice is an error that names the place and both files', async () => {
    await expect(dicomReader.read(filesOf('c20d_one_repeat'))).rejects.toMatchObject({
      code: 'duplicate-slices',
      message: textContaining('im002.dcm and zrepeat.dcm lie at (-10, -20, 35) mm'),
    });
  });

  it('c24a: one garbage position names its own file, and is not interpolated', async () => {
    for (const resample of [false, true]) {
      await expect(dicomReader.read(filesOf('c24a_garbage'), { resample })).rejects.toMatchObject({
        code: 'irregular-slices',
        message: textContaining('im003.dcm lies'),
        details: { file: 'im003.dcm' },
      });
    }
  });

  it('c27: two slices far apart give a warning', async () => {
    const { volume, warnings } = await dicomReader.read(filesOf('c27_two_slices_300mm'));
    expect(volume.geometry.spacing[2]).toBe(300);
    expect(warnings).toMatchObject([{ code: 'slices-far-apart', message: textContaining('300 mm apart') }]);
  });

  it('a01: a mosaic is its nine slices', async () => {
    const { volume } = await dicomReader.read(filesOf('a01_mosaic'));
    expect(volume.geometry).toMatchObject({ dimensions: [16, 12, 9], origin: [10, -2, 30] });
    expect(volume.geometry.spacing[2]).toBe(2);
  });

  it('j05: a tilted series is refused unless it is interpolated', async () => {
    await expect(dicomReader.read(filesOf('j05_tilt'))).rejects.toMatchObject({ code: 'gantry-tilt' });
    const { warnings } = await dicomReader.read(filesOf('j05_tilt'), { resample: true });
    expect(warnings.map(({ code }) => code)).toContain('resampled');
  });
});
