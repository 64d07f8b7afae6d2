import { describe, expect, it } from 'vitest';
import {
  isDicomName,
  isNiftiHeaderName,
  isNiftiName,
  isNiftiVoxelName,
  isSingleNiftiName,
  withoutNiftiExtension,
} from '../../src/io/file-names.ts';

/** The kinds that NIfTI-1.1 and PS3.10 (6.2, 8.5) and the scanners' makers give files. */
const KINDS = {
  single: ['scan.nii', 'a/SCAN.NII', 'scan.nii.gz', 'scan.NII.GZ'],
  header: ['scan.hdr', 'a\\scan.HDR', 'scan.hdr.gz'],
  voxels: ['scan.img', 'scan.IMG.GZ'],
  dicom: ['slice.dcm', 'slice.DICOM', 'slice.dic', 'slice.IMA', 'slice.dcm.gz', 'slice.dic.gz', 'slice.ima.GZ'],
  none: ['IM0001', '1.2.840.10008', 'scan.nii.txt', 'niigz', 'notes.txt', 'scan.gz', 'x.hdr.bak', 'dcm', 'scan.zip'],
} as const;

type Kind = keyof typeof KINDS;

const rows = (Object.keys(KINDS) as Kind[]).flatMap((kind) => KINDS[kind].map((name) => [name, kind] as const));

describe('the kind of a file by its name', () => {
  it.each(rows)('%s: %s', (name, kind) => {
    const claims = {
      single: isSingleNiftiName(name),
      header: isNiftiHeaderName(name),
      voxels: isNiftiVoxelName(name),
      dicom: isDicomName(name),
    };
    const claimed = Object.entries(claims).flatMap(([claim, holds]) => (holds ? [claim] : []));
    expect(claimed).toEqual(kind === 'none' ? [] : [kind]);
    expect(isNiftiName(name)).toBe(['single', 'header', 'voxels'].includes(kind));
    expect(withoutNiftiExtension(name) === name).toBe(kind === 'dicom' || kind === 'none');
  });
});
