import { InputError } from '../errors.ts';
import { readJpegFrame, type JpegFrame } from './code-stream-frame.ts';
import { damagedFile } from '../io/damaged-file.ts';
import { decodeJpegBaseline } from './jpeg-baseline.ts';
import { decodeExtendedJpeg } from './jpeg-extended.ts';
import { decodeLosslessJpeg } from './jpeg-lossless.ts';
import { parseJpeg } from './jpeg-segments.ts';
import { storedArray, type EncodedFrame, type StoredValues } from '../dicom/pixel-data.ts';
import { assertFitsHeader } from './wasm-codec.ts';

/** Decodes JPEG of every process that DICOM still has: 8-bit DCT with libjpeg-turbo; 12-bit DCT and lossless here, for no
 * package does both. What counts is the image's own process, not the transfer syntax that announces it.
 * @throws InputError `unsupported-transfer-syntax` for arithmetic codes, hierarchical and 12-bit progressive images */
export function decodeJpeg(encoded: EncodedFrame): StoredValues | Promise<StoredValues> {
  const { bytes, format, fileName } = encoded;
  const frame = readJpegFrame(bytes);
  assertFitsHeader('JPEG', frame, encoded);
  if (isHuffmanDct(frame) && frame.bits === 8) {
    assertComplete(bytes, fileName);
    return decodeJpegBaseline(encoded);
  }
  const decode = ownDecoder(frame);
  if (decode === undefined) throw unsupportedProcess(frame, fileName);
  try {
    const values = storedArray(format, format.rows * format.columns);
    values.set(decode(parseJpeg(bytes)));
    return values;
  } catch (error) {
    throw damagedFile(
      fileName,
      `its JPEG image cannot be decoded: ${error instanceof Error ? error.message : ''}`,
      error,
    );
  }
}

function ownDecoder({ process, bits }: JpegFrame): typeof decodeLosslessJpeg | undefined {
  if (process === 0xc3) return decodeLosslessJpeg;
  return process === 0xc1 && bits === 12 ? decodeExtendedJpeg : undefined;
}

/** Baseline, extended sequential, progressive. */
function isHuffmanDct({ process }: JpegFrame): boolean {
  return process === 0xc0 || process === 0xc1 || process === 0xc2;
}

/** libjpeg fills what is missing with grey, and says nothing. */
function assertComplete(bytes: Uint8Array, fileName: string): void {
  let end = bytes.length;
  while (end > 2 && bytes[end - 1] === 0) end--;
  if (bytes[end - 2] !== 0xff || bytes[end - 1] !== 0xd9) throw damagedFile(fileName, 'its JPEG image is cut off');
}

function unsupportedProcess({ process, bits }: JpegFrame, fileName: string): InputError {
  const name = `SOF${process - 0xc0} of ${bits} bits`;
  return new InputError('unsupported-transfer-syntax', `${fileName} holds JPEG ${name}, which cannot be read.`, {
    remedy: 'Convert the files: `dcmdjpeg in.dcm out.dcm` of dcmtk, or `gdcmconv --raw in.dcm out.dcm`.',
    details: { file: fileName, process, bits },
  });
}
