import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import dcmjs from 'dcmjs';
import type { ShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomPhase } from '../../sample-data/write-dicom.ts';
import { encodeJpeg2000 } from '../support/jpeg-2000.ts';

const JPEG_2000_LOSSLESS = '1.2.840.10008.1.2.4.90';

/** Writes a heart's first phase as a series in lossless JPEG 2000: the same voxels and UIDs as without compression. */
export async function writeCompressedPhase(folder: string, heart: ShortAxisHeart): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const [columns, rows] = heart.geometry.dimensions;
  const format = { rows, columns, bitsAllocated: 16, bitsStored: 12, isSigned: false } as const;
  for (const { name, bytes } of encodeDicomPhase(heart, 0)) {
    const { meta, dict } = dcmjs.data.DicomMessage.readFile(new Uint8Array(bytes).buffer);
    const [pixels] = (dict['7FE00010']?.Value ?? []) as ArrayBuffer[];
    if (pixels === undefined) throw new Error(`${name} has no pixels`);
    const frame = await encodeJpeg2000(new Uint16Array(pixels), format);
    const file = new dcmjs.data.DicomDict({ ...meta, '00020010': { vr: 'UI', Value: [JPEG_2000_LOSSLESS] } });
    file.dict = { ...dict, '7FE00010': { vr: 'OB', Value: [new Uint8Array(frame).buffer] } };
    writeFileSync(join(folder, name), new Uint8Array(file.write({ fragmentMultiframe: false })));
  }
}
