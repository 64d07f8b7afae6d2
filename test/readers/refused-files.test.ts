import { expect, it } from 'vitest';
import { InputError, type ErrorCode } from '../../src/errors.ts';
import { openFiles } from '../../src/node/files.ts';
import { describeVolumes, readVolume } from '../../src/readers/read-volume.ts';
import { dataPath, describeWithData } from '../support/data.ts';

const ODD = 'dicom/odd-series';
const FAILING = `${ODD}/dicom2nifti/failing`;
const SYNTAXES = 'dicom/transfer-syntaxes';
const CT_IMAGE = `${SYNTAXES}/cornerstone_wadoimageloader/CTImage.dcm`;
const PYDICOM = `${SYNTAXES}/pydicom_test_files`;

const refused: readonly (readonly [path: string, code: ErrorCode])[] = [
  [`${ODD}/ge_ct_gantry_tilt_variable_spacing`, 'gantry-tilt'],
  [`${FAILING}/gantrytilting/001`, 'gantry-tilt'],
  // Tilted as well as incomplete.
  [`${FAILING}/sliceincrement/002`, 'gantry-tilt'],
  [`${FAILING}/sliceincrement/001`, 'irregular-slices'],
  [`${FAILING}/sliceorientation/001`, 'mixed-orientations'],
  [`${FAILING}/notavolume/001`, 'several-volumes'],
  [`${ODD}/dicom2nifti/philips_enhanced/fmri/001`, 'several-volumes'],
  [`${ODD}/dicom2nifti/generic/rgb/001`, 'unsupported-image'],
  ['dicom/brain-tumour-progression', 'several-series'],
  ['dicom/ct-abdomen', 'several-volumes'],
  [`${CT_IMAGE}_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm`, 'unsupported-transfer-syntax'],
  [`${CT_IMAGE}_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm`, 'unsupported-transfer-syntax'],
  [`${SYNTAXES}/dicomparser/deflate/image_dfl`, 'missing-attribute'],
  [`${SYNTAXES}/cornerstone_wadoimageloader/no-pixel-data.dcm`, 'no-pixel-data'],
  [`${SYNTAXES}/cornerstone_wadoimageloader/no-pixel-spacing.dcm`, 'unsupported-image'],
  [`${SYNTAXES}/cornerstone_wadoimageloader/US-YBR_FULL_422-EVRLE.dcm`, 'unsupported-image'],
  [`${PYDICOM}/MR_truncated.dcm`, 'damaged-file'],
  [`${PYDICOM}/rtplan_truncated.dcm`, 'damaged-file'],
  [`${PYDICOM}/GDCMJ2K_TextGBR.dcm`, 'unsupported-image'],
  [`${PYDICOM}/SC_rgb_rle.dcm`, 'unsupported-image'],
  [`${PYDICOM}/examples_palette.dcm`, 'unsupported-image'],
  [`${PYDICOM}/JPEG2000.dcm`, 'missing-attribute'],
  [`${PYDICOM}/rtdose.dcm`, 'no-pixel-data'],
  [`${PYDICOM}/no_meta.dcm`, 'no-images'],
  [`${PYDICOM}/README.txt`, 'no-images'],
  ['dicom/seg-objects/dcmqi/segmentations/liver.dcm', 'no-pixel-data'],
  ['nifti/nibabel/example4d.nii.gz', 'several-volumes'],
  ['nifti/nibabel/example_nifti2.nii.gz', 'several-volumes'],
  ['nifti/reader-samples/5D_small.nii', 'several-volumes'],
  ['nifti/reader-samples/5D_zeros.nii.gz', 'several-volumes'],
  ['nifti/reader-samples/not-nifti.nii', 'not-nifti'],
];

describeWithData('what cannot be read as one volume ends in its typed error, never in a wrong volume', () => {
  it.each(refused)('%s: %s', async (path, code) => {
    const files = openFiles([dataPath(path)]);
    const error = await readVolume(files).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ code });
    expect((error as InputError).remedy).toMatch(/\w{3}/);
    if (code !== 'no-images') await expect(describeVolumes(files)).resolves.toBeDefined();
  });

  it('every file of every public set is read or refused, and described', async () => {
    for (const file of openFiles([dataPath(SYNTAXES), dataPath('nifti'), dataPath('dicom/seg-objects')])) {
      try {
        await readVolume([file]);
      } catch (error) {
        if (!(error instanceof InputError)) throw new Error(`${file.name}: ${String(error)}`, { cause: error });
      }
    }
    const { series } = await describeVolumes(openFiles([dataPath('dicom')]));
    expect(series.length).toBeGreaterThan(50);
    for (const { problem, geometry } of series) expect(problem ?? geometry).toBeDefined();
  });
});
