import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BatchSeries, nameOutputs } from '../../../src/cli/batch/find-series.ts';

const dicom = (seriesInstanceUID: string, more: Partial<BatchSeries> = {}): BatchSeries => ({
  path: 'scan',
  files: [],
  format: 'DICOM',
  seriesInstanceUID,
  hasIdentity: true,
  leftOutFiles: [],
  ...more,
});
const nifti = (path: string, more: Partial<BatchSeries> = {}): BatchSeries => ({
  path,
  files: [],
  format: 'NIfTI',
  hasIdentity: false,
  leftOutFiles: [],
  ...more,
});
const segmentations = (...series: BatchSeries[]): string[] => nameOutputs(series).map((names) => names.segmentation);

describe('nameOutputs', () => {
  test('a series has the name of its UID, an image that of its path', () => {
    expect(nameOutputs([dicom('1.2.3'), nifti('a/b.nii')])).toEqual([
      { format: 'dicom-seg', segmentation: '1.2.3.dcm', report: '1.2.3.json' },
      { format: 'nifti-gzip', segmentation: 'a/b_labels.nii.gz', report: 'a/b_labels.json' },
    ]);
  });

  test('of several volumes each has its number', () => {
    expect(segmentations(dicom('1.2', { phase: 3 }), nifti('b.nii.gz', { phase: 12 }))).toEqual([
      '1.2_phase-03.dcm',
      'b_phase-12_labels.nii.gz',
    ]);
  });

  test('images without UIDs become NIfTI, by the folder they lie in', () => {
    const unnamed = { path: 'ct/abdomen', files: [], format: 'DICOM', hasIdentity: false, leftOutFiles: [] } as const;
    expect(segmentations(unnamed, { ...unnamed, path: '.' })).toEqual([
      'ct/abdomen_labels.nii.gz',
      'series_labels.nii.gz',
    ]);
  });

  test('every name fits into the 255 bytes of a file system, and names that were cut differ', () => {
    const long = (sign: string, last: string): BatchSeries =>
      nifti(`sub/${sign.repeat(240 / Buffer.byteLength(sign))}${last}.nii.gz`);
    const all = [
      long('a', '1'),
      long('a', '2'),
      long('心', '1'),
      long('😀', 'x'),
      long('😀', 'x'),
      nifti(`${'b'.repeat(235)}.nii`),
    ];
    const names = nameOutputs(all).flatMap(({ segmentation, report }) => [segmentation, report]);
    for (const name of names) expect(Buffer.byteLength(name.replace(/^sub\//, ''))).toBeLessThanOrEqual(255);
    expect(new Set(names).size).toBe(names.length);
    expect(names.slice(0, 2).every((name) => name.startsWith('sub/aaaa'))).toBe(true);
    expect(names.filter((name) => /\p{Cs}/u.test(name))).toEqual([]); // no halves of signs
    expect(nameOutputs(all)).toEqual(nameOutputs(all));
  });

  test('one format may be that of all', () => {
    const names = nameOutputs([dicom('1.2'), nifti('b.hdr')], 'nifti');
    expect(names.map(({ segmentation }) => segmentation)).toEqual(['1.2.nii', 'b_labels.nii']);
  });

  test('no two outputs have one name, also where a file system does not tell letters apart', () => {
    expect(segmentations(nifti('b.nii'), nifti('B.nii.gz'), nifti('b.img.gz'))).toEqual([
      'b_labels.nii.gz',
      'B_labels_2.nii.gz',
      'b_labels_3.nii.gz',
    ]);
  });

  test('no Series Instance UID leads out of the folder', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('../../x', '/etc/x', '..', 'C:\\x')), (uid) => {
        const [name = ''] = segmentations(dicom(uid));
        expect(name).toMatch(/^[^./\\:][^/\\:]*$/);
      }),
    );
  });
});
