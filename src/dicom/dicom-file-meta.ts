import { InputError } from '../errors.ts';
import type { Notice } from '../volume/volume.ts';
import { DICOM_DICTIONARY } from './dicom-dictionary.ts';
import { parseElements, type DicomElements, type DicomEncoding, type ParseBudget } from './dicom-elements.ts';
import { encodingAt, startOfDicom } from './dicom-encoding.ts';
import { latin1, trimPadding } from './dicom-values.ts';
import type { ReadLimits } from '../io/read-limits.ts';
import {
  DEFLATED_LITTLE_ENDIAN,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
  transferSyntaxName,
} from './transfer-syntaxes.ts';

/** What a file says of its data set. */
export interface FileMeta {
  /** As the file says; undefined if it does not. */
  readonly named: string | undefined;
  readonly isDeflated: boolean;
  readonly elements: DicomElements;
  /** Where the data set begins. */
  readonly end: number;
  readonly budget: ParseBudget;
}

/** Reads the file meta information; there may be none.
 * @throws InputError `not-dicom`, `limit-exceeded`; Error with the reason if it is damaged */
export function parseFileMeta(bytes: Uint8Array, name: string, limits: ReadLimits): FileMeta {
  const start = startOfDicom(bytes);
  if (start === undefined) {
    throw new InputError('not-dicom', `${name} is not a DICOM file.`, {
      remedy: 'Pass DICOM files as scanners and archives export them.',
      details: { file: name },
    });
  }
  const budget: ParseBudget = { limits, name, elements: 0 };
  const { elements, end } = parseElements(bytes, start, META_ENCODING, budget, true);
  const uid = elements[DICOM_DICTIONARY.TransferSyntaxUID[0]];
  const text = uid && trimPadding(latin1(bytes.subarray(uid.dataOffset, uid.dataOffset + uid.length)));
  const named = text === '' ? undefined : text;
  // Some writers name the deflated syntax and deflate nothing.
  const isDeflated = named === DEFLATED_LITTLE_ENDIAN && !isPlain(bytes, end);
  return { named, isDeflated, elements, end, budget };
}

/** PS3.10 7.1 */
const META_ENCODING: DicomEncoding = { isImplicit: false, littleEndian: true };
const NOWHERE: DicomEncoding = { isImplicit: true, littleEndian: false };

/** Whether bytes that claim to be deflated are a data set as they are. */
function isPlain(bytes: Uint8Array, start: number): boolean {
  return encodingAt(bytes, start, bytes.length, NOWHERE) !== NOWHERE;
}

/** As the file says: every syntax but two has explicit little endian elements (PS3.5 annex A). */
export function claimedEncoding({ named }: Pick<FileMeta, 'named'>): DicomEncoding {
  return { isImplicit: named === IMPLICIT_LITTLE_ENDIAN, littleEndian: named !== EXPLICIT_BIG_ENDIAN };
}

/** The syntax that pixels are read by, and a warning where the file does not name it. Compressed pixels are as the file
 * says, whatever its elements are like.
 * @param encoding of the elements, as they are */
export function actualSyntax(
  meta: Pick<FileMeta, 'named' | 'isDeflated' | 'budget'>,
  encoding: DicomEncoding,
): { readonly transferSyntaxUID: string; readonly notices: readonly Notice[] } {
  const { named, isDeflated, budget } = meta;
  const claimed = claimedEncoding(meta);
  const isAsClaimed = claimed.isImplicit === encoding.isImplicit && claimed.littleEndian === encoding.littleEndian;
  if (named !== undefined && isAsClaimed && isDeflated === (named === DEFLATED_LITTLE_ENDIAN)) {
    return { transferSyntaxUID: named, notices: [] };
  }
  if (named === undefined) {
    const transferSyntaxUID = nativeSyntax(encoding);
    return { transferSyntaxUID, notices: [syntaxAssumed(budget.name, transferSyntaxUID)] };
  }
  const isKept = isDeflated || !NATIVE_SYNTAXES.has(named);
  const transferSyntaxUID = isKept ? named : nativeSyntax(encoding);
  return { transferSyntaxUID, notices: [syntaxWrong(budget.name, named, encoding)] };
}

function nativeSyntax({ isImplicit, littleEndian }: DicomEncoding): string {
  if (!littleEndian) return EXPLICIT_BIG_ENDIAN;
  return isImplicit ? IMPLICIT_LITTLE_ENDIAN : EXPLICIT_LITTLE_ENDIAN;
}

const NATIVE_SYNTAXES: ReadonlySet<string> = new Set([
  IMPLICIT_LITTLE_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  DEFLATED_LITTLE_ENDIAN,
  EXPLICIT_BIG_ENDIAN,
]);

function syntaxWrong(name: string, named: string, encoding: DicomEncoding): Notice {
  return {
    code: 'transfer-syntax-wrong',
    message: `${name} says that it is stored as ${transferSyntaxName(named)}; its attributes are in ${encodingName(encoding)}, and were read so.`,
  };
}

function syntaxAssumed(name: string, assumed: string): Notice {
  return {
    code: 'transfer-syntax-assumed',
    message: `${name} does not name its transfer syntax: it was read as ${transferSyntaxName(assumed)}.`,
  };
}

function encodingName({ isImplicit, littleEndian }: DicomEncoding): string {
  return `${isImplicit ? 'Implicit' : 'Explicit'} VR ${littleEndian ? 'Little' : 'Big'} Endian`;
}
