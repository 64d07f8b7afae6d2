import { describe, expect, test } from 'vitest';
import { encodeNiftiImage, encodeNiftiLabelmap } from '../../src/nifti/encode-nifti.ts';
import { openFiles } from '../../src/node/files.ts';
import { summariseNifti } from '../../src/nifti/nifti-head.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { testLabelmap } from '../support/labelled-series.ts';
import { memoryFile } from '../support/memory-file.ts';

describe('summariseNifti', () => {
  test.each([true, false])('a labelmap says that it is one, an image does not (gzip: %s)', async (gzip) => {
    const labelmap = testLabelmap([0, 1, 2]);
    const name = gzip ? 'a.nii.gz' : 'a.nii';
    const labels = memoryFile(name, await encodeNiftiLabelmap(labelmap, { gzip }));
    const image = memoryFile(name, await encodeNiftiImage(labelmap, { gzip }));
    expect(await summariseNifti(labels)).toEqual({ volumes: 1, isLabelmap: true });
    expect(await summariseNifti(image)).toEqual({ volumes: 1, isLabelmap: false });
  });

  test.each([
    ['too short', new Uint8Array(100), 'damaged-file'],
    ['of another kind', new Uint8Array(400), 'not-nifti'],
    ['gzip that is none', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3), 'damaged-file'],
  ])('a file that is %s is refused', async (_, bytes, code) => {
    await expect(summariseNifti(memoryFile('a.nii.gz', bytes))).rejects.toMatchObject({ code });
  });
});

describeWithData('files of other writers', () => {
  test('a NIfTI-2 file has its volumes', async () => {
    const [file] = openFiles([dataPath('nifti/nibabel/example_nifti2.nii.gz')]);
    if (file === undefined) throw new RangeError('no file');
    expect(await summariseNifti(file)).toEqual({ volumes: 2, isLabelmap: false });
  });
});
