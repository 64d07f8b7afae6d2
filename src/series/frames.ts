import type { Notice } from '../volume/volume.ts';
import { damagedFile } from '../io/read-limits.ts';
import type { PixelDataLocation } from '../dicom/dicom-dataset.ts';
import { encapsulatedFrames, nativeFrameBytes } from '../dicom/pixel-data.ts';
import type { SliceHeader } from './slice-header.ts';
import { swapBytes } from '../io/bytes.ts';
import { EXPLICIT_BIG_ENDIAN } from '../dicom/transfer-syntaxes.ts';

/** Finds the frames of a file's pixel data.
 * @param file inflated, if it was deflated
 * @param header of any of its frames
 * @param onNotice called for what is read otherwise than the file has it
 * @returns a frame's bytes by its place from 0: a view of native pixels, or one compressed frame, its fragments joined
 * @throws InputError `damaged-file` */
export function openFrames(
  file: Uint8Array,
  transferSyntaxUID: string,
  header: Pick<SliceHeader, 'pixelData' | 'frameCount' | 'format'> | undefined,
  name: string,
  onNotice: (notice: Notice) => void = () => undefined,
): (frameIndex: number) => Uint8Array {
  if (header === undefined) throw new RangeError('There is no frame to open.');
  const { pixelData, frameCount, format } = header;
  const at = <T>(frames: readonly T[], n: number): T => {
    const frame = frames[n];
    if (frame === undefined) throw new RangeError(`There is no frame ${n}.`);
    return frame;
  };
  if (pixelData.byteLength === undefined) {
    const { frames, notices } = encapsulatedFrames(file, pixelData.dataOffset, frameCount, name);
    notices.forEach(onNotice);
    return (frameIndex) => at(frames, frameIndex);
  }
  const frameLength = nativeFrameBytes(format);
  const bytes = nativePixels(file, transferSyntaxUID, { pixelData, bitsAllocated: format.bitsAllocated }, name);
  return (frameIndex) => bytes.subarray(frameIndex * frameLength, (frameIndex + 1) * frameLength);
}

/** The pixel data of all frames that are not encapsulated; pixels of a byte or less are in their order, wider ones in the
 * file's byte order.
 * @throws InputError `damaged-file` */
export function nativePixels(
  file: Uint8Array,
  transferSyntaxUID: string,
  { pixelData, bitsAllocated }: { readonly pixelData: PixelDataLocation; readonly bitsAllocated: number },
  name: string,
): Uint8Array {
  const { dataOffset, byteLength, vr } = pixelData;
  if (byteLength === undefined) throw damagedFile(name, 'its pixel data have no length');
  if (dataOffset + byteLength > file.length) {
    throw damagedFile(name, `its last ${dataOffset + byteLength - file.length} bytes of pixel data are missing`);
  }
  const isSwapped = transferSyntaxUID === EXPLICIT_BIG_ENDIAN && bitsAllocated <= 8 && (vr ?? 'OW') === 'OW';
  const pixels = file.subarray(dataOffset, dataOffset + byteLength);
  return isSwapped ? bytesOfSwappedWords(pixels) : pixels;
}

/** Bytes in words of the other order (PS3.5 annex D). */
function bytesOfSwappedWords(pixels: Uint8Array): Uint8Array {
  const bytes = pixels.slice(0, pixels.length & ~1);
  swapBytes(new Uint16Array(bytes.buffer));
  return bytes;
}
