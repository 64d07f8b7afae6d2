import { dicomReader } from '../../src/readers/dicom.ts';
import { niftiReader } from '../../src/readers/nifti.ts';
import { describeReaderContract } from '../contracts/reader-contract.ts';
import { IMPLICIT } from '../support/part10.ts';
import { dicomPhantom, niftiPhantom } from '../support/phantom.ts';

describeReaderContract('DICOM, explicit', { reader: dicomReader, filesOf: (image) => dicomPhantom(image) });
describeReaderContract('DICOM, implicit', {
  reader: dicomReader,
  filesOf: (image) => dicomPhantom(image, () => ({}), { transferSyntaxUID: IMPLICIT }),
});
describeReaderContract('NIfTI', { reader: niftiReader, filesOf: (image) => [niftiPhantom(image)] });
describeReaderContract('NIfTI, gzipped', {
  reader: niftiReader,
  filesOf: (image) => [niftiPhantom(image, { gzip: true })],
});
describeReaderContract('NIfTI, big endian', {
  reader: niftiReader,
  filesOf: (image) => [niftiPhantom(image, { littleEndian: false })],
});
