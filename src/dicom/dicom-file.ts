import { InternalError } from '../errors.ts';

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

export interface FileMeta {
  /** One whose data set is in Explicit VR Little Endian; what is compressed are pixel data that follow. */
  readonly transferSyntaxUID: string;
  readonly implementationVersionName: string;
}

/** Loads what {@link encodePart10} needs, at a time when nobody waits for it. */
export async function preloadDicomWriter(): Promise<void> {
  await import('dcmjs');
}

/** Of the attributes whose representation depends on the pixels'; ours have no sign. */
const US_OR_SS = { PixelPaddingValue: 'US' };

/** Bytes of a Part 10 file: preamble, file meta information and the data set, which may be followed by elements of
 * higher tags. dcmjs is loaded at the first call: a page needs it only when something is saved.
 * @throws InternalError `internal` if a keyword is not in the dictionary: dcmjs would drop it with a warning */
export async function encodePart10(dataset: DicomAttributes, meta: FileMeta): Promise<Uint8Array> {
  const { default: dcmjs } = await import('dcmjs');
  const { DicomDict, DicomMetaDictionary } = dcmjs.data;
  assertKeywords(dataset, DicomMetaDictionary.nameMap);
  const file = new DicomDict(
    DicomMetaDictionary.denaturalizeDataset({
      FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
      MediaStorageSOPClassUID: dataset['SOPClassUID'],
      MediaStorageSOPInstanceUID: dataset['SOPInstanceUID'],
      TransferSyntaxUID: meta.transferSyntaxUID,
      ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
      ImplementationVersionName: meta.implementationVersionName.slice(0, 16),
    }),
  );
  file.dict = DicomMetaDictionary.denaturalizeDataset({ ...dataset, _vrMap: US_OR_SS });
  return new Uint8Array(file.write({ fragmentMultiframe: false }));
}

function assertKeywords(dataset: DicomAttributes, known: Readonly<Record<string, unknown>>): void {
  for (const [keyword, value] of Object.entries(dataset)) {
    if (known[keyword] === undefined) {
      throw new InternalError('internal', `${keyword} is no DICOM keyword.`, { remedy: 'Please report this.' });
    }
    for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (isItem(item)) assertKeywords(item, known);
    }
  }
}

function isItem(value: unknown): value is DicomAttributes {
  return typeof value === 'object' && value !== null && !(value instanceof ArrayBuffer);
}
