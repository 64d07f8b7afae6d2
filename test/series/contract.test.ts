import { describeReaderContract } from '../contracts/reader-contract.ts';
import { BIG_ENDIAN, DEFLATED, IMPLICIT } from '../support/part10.ts';
import { dicomPhantom, enhancedPhantom, niftiPairPhantom, niftiPhantom } from '../support/phantom.ts';
import { dicomReader, niftiReader } from '../support/whole-reader.ts';

describeReaderContract('DICOM, explicit', { reader: dicomReader, filesOf: (image) => dicomPhantom(image) });
describeReaderContract('DICOM, implicit', {
  reader: dicomReader,
  filesOf: (image) => dicomPhantom(image, () => ({}), { transferSyntaxUID: IMPLICIT }),
});
describeReaderContract('DICOM, enhanced multi-frame', {
  reader: dicomReader,
  filesOf: (image) => [enhancedPhantom(image)],
});
describeReaderContract('DICOM, enhanced multi-frame, undefined lengths', {
  reader: dicomReader,
  filesOf: (image) => [enhancedPhantom(image, { options: { undefinedLengths: true } })],
});
describeReaderContract('DICOM, big endian', {
  reader: dicomReader,
  filesOf: (image) => dicomPhantom(image, () => ({}), { transferSyntaxUID: BIG_ENDIAN }),
});
describeReaderContract('DICOM, deflated', {
  reader: dicomReader,
  filesOf: (image) => dicomPhantom(image, () => ({}), { transferSyntaxUID: DEFLATED }),
});
describeReaderContract('NIfTI', { reader: niftiReader, filesOf: (image) => [niftiPhantom(image)] });
describeReaderContract('NIfTI, gzipped', {
  reader: niftiReader,
  filesOf: (image) => [niftiPhantom(image, { gzip: true })],
});
describeReaderContract('NIfTI-2', { reader: niftiReader, filesOf: (image) => [niftiPhantom(image, { version: 2 })] });
describeReaderContract('NIfTI-2, big endian, gzipped', {
  reader: niftiReader,
  filesOf: (image) => [niftiPhantom(image, { version: 2, littleEndian: false, gzip: true })],
});
describeReaderContract('NIfTI, a pair', { reader: niftiReader, filesOf: (image) => niftiPairPhantom(image) });
describeReaderContract('NIfTI-2, a gzipped pair', {
  reader: niftiReader,
  filesOf: (image) => niftiPairPhantom(image, { version: 2, gzip: true }),
});
describeReaderContract('NIfTI, big endian', {
  reader: niftiReader,
  filesOf: (image) => [niftiPhantom(image, { littleEndian: false })],
});
