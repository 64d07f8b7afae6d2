import dcmjs from 'dcmjs';
import { InternalError } from '../errors.ts';
import { EXPLICIT_LITTLE_ENDIAN } from '../readers/transfer-syntaxes.ts';

/** One attribute's value, as dcmjs writes it. AT is a number (0x0062000b), DS a string of at most 16 characters,
 * binary an exact ArrayBuffer, a sequence its items; an empty string is an attribute without a value. */
type DicomValue =
  string | number | ArrayBuffer | DicomAttributes | readonly string[] | readonly number[] | readonly DicomAttributes[];

/** A data set by keyword; attributes that are undefined are left out. */
export interface DicomAttributes {
  readonly [keyword: string]: DicomValue | undefined;
}

/** Ours: PS3.7 D.3.3.2. */
const IMPLEMENTATION_CLASS_UID = '2.25.124617046329414573190472218904136514403';

/** Bytes of a Part 10 file in Explicit VR Little Endian: preamble, file meta information and the data set,
 * which may be followed by elements of higher tags.
 * @throws InternalError `internal` if a keyword is not in the dictionary: dcmjs would drop it with a warning */
export function encodePart10(dataset: DicomAttributes, implementationVersionName: string): Uint8Array {
  assertKeywords(dataset);
  const { DicomDict, DicomMetaDictionary } = dcmjs.data;
  const file = new DicomDict(
    DicomMetaDictionary.denaturalizeDataset({
      FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
      MediaStorageSOPClassUID: dataset['SOPClassUID'],
      MediaStorageSOPInstanceUID: dataset['SOPInstanceUID'],
      TransferSyntaxUID: EXPLICIT_LITTLE_ENDIAN,
      ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
      ImplementationVersionName: implementationVersionName.slice(0, 16),
    }),
  );
  file.dict = DicomMetaDictionary.denaturalizeDataset(dataset);
  return new Uint8Array(file.write({ fragmentMultiframe: false }));
}

function assertKeywords(dataset: DicomAttributes): void {
  for (const [keyword, value] of Object.entries(dataset)) {
    if (dcmjs.data.DicomMetaDictionary.nameMap[keyword] === undefined) {
      throw new InternalError('internal', `${keyword} is no DICOM keyword.`, { remedy: 'Please report this.' });
    }
    for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (isItem(item)) assertKeywords(item);
    }
  }
}

function isItem(value: unknown): value is DicomAttributes {
  return typeof value === 'object' && value !== null && !(value instanceof ArrayBuffer);
}
