/** Bytes of one frame that is not compressed; no whole number where single bits end within a byte. YBR_FULL_422 keeps one
 * pair of colours for two pixels (PS3.3 C.7.6.3.1.2). */
export function nativeFrameBytes(image: {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: number;
  readonly samplesPerPixel?: number;
  readonly photometricInterpretation?: string | undefined;
}): number {
  const { rows, columns, bitsAllocated, samplesPerPixel = 1, photometricInterpretation } = image;
  const isSubsampled = samplesPerPixel === 3 && photometricInterpretation?.endsWith('_422') === true;
  return (rows * columns * (isSubsampled ? 2 : samplesPerPixel) * bitsAllocated) / 8;
}
