import { expect, test } from 'vitest';
import { exportFormat, fileName } from '../../../../extension/ohif/store/export-format.ts';

const description = { name: 'Cardiac MR', provenance: { softwareVersion: '0.1.0' }, now: new Date(2024, 1, 29) };
const predecessor = { sopClassUID: '1.2', sopInstanceUID: '1.3', seriesInstanceUID: '1.4' };

test('a series says that it is for research, also where its name is long or says so already', () => {
  const of = (name: string) =>
    (exportFormat('seg-binary', { ...description, name }) as { seriesDescription: string }).seriesDescription;
  expect(of('Cardiac MR')).toBe('Cardiac MR (research use only)');
  expect(of('Cardiac MR (research use only)')).toBe('Cardiac MR (research use only)');
  expect(of('')).toBe('Segmentation (research use only)');
  expect(of('A very long name of a segmentation that goes on and on')).toHaveLength(64);
});

test('a correction is numbered after what it corrects', () => {
  const corrected = { ...predecessor, seriesNumber: 300, contentLabel: 'HEART' };
  expect(exportFormat('seg-binary', { ...description, predecessor: corrected })).toMatchObject({
    predecessor: corrected,
    seriesNumber: 301,
    contentLabel: 'HEART',
  });
  expect(exportFormat('seg-binary', { ...description, predecessor })).not.toHaveProperty('seriesNumber');
});

test('a file is called after the segmentation, in plain letters', () => {
  expect(fileName('Cardiac MR 1.0', 'seg-binary')).toBe('cardiac-mr-1-0.seg.dcm');
  expect(fileName('Müller/../x', 'nifti')).toBe('muller-x.nii.gz');
  expect(fileName('???', 'seg-labelmap')).toBe('segmentation.seg.dcm');
});
