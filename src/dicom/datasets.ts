/** What an archive needs of the readers: data sets as they lie in files, where readers of volumes want images. Not part of
 * the package's API; server is its one user. */
export { InputError, isSegmentationError } from '../errors.ts';
export { damagedFile } from '../io/read-limits.ts';
export { DicomDataset, type StoredAttribute } from './dicom-dataset.ts';
export { parseDicom } from './read-dicom.ts';
export { DICOM_DICTIONARY } from './dicom-dictionary.ts';
export { isPixelDataTag } from './dicom-elements.ts';
export { parseFileMeta } from './dicom-file-meta.ts';
export { CutOffError } from './element-stream.ts';
export { decodeText, isEncodedText, latin1, trimPadding } from './dicom-values.ts';
export { beginsImage, framesOfFragments, ITEM, SEQUENCE_DELIMITATION, type FragmentPlace } from './pixel-data.ts';
export { nativeFrameBytes } from './pixel-data.ts';
export { assertWithinLimit, DEFAULT_READ_LIMITS, type ReadLimits } from '../io/read-limits.ts';
export { swapBytes } from '../io/bytes.ts';
export {
  DEFLATED_LITTLE_ENDIAN,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
} from './transfer-syntaxes.ts';
export { trimEnd } from '../io/bytes.ts';
