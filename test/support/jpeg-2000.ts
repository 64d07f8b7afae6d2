import createOpenJpeg from '@cornerstonejs/codec-openjpeg/wasmjs';
import type { PixelFormat, StoredValues } from '../../src/dicom/pixel-data.ts';

/** Encodes one frame as lossless JPEG 2000. */
export async function encodeJpeg2000(values: StoredValues, format: PixelFormat): Promise<Uint8Array> {
  const silent = (): undefined => undefined;
  const { J2KEncoder } = await createOpenJpeg({ print: silent, printErr: silent });
  const encoder = new J2KEncoder();
  const target = encoder.getDecodedBuffer({
    width: format.columns,
    height: format.rows,
    bitsPerSample: format.bitsStored,
    componentCount: 1,
    isSigned: format.isSigned,
  });
  target.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  // The default of five needs at least 32 pixels a side, and fails with a bare number.
  encoder.setDecompositions(1);
  encoder.setQuality(true, 0);
  encoder.encode();
  return encoder.getEncodedBuffer().slice();
}
