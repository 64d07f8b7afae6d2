import type { DicomDataset } from './dicom-dataset.ts';
import { nativeFrameBytes } from './native-frame.ts';

/** How many frames an image has. Absent means one (PS3.3 C.7.6.6); so does 0, which some writers give to an image of one
 * frame, unless its pixels are more than one.
 * @returns 0 where the file says so and has no or several frames; what it says otherwise, however odd */
export function frameCount(dataset: DicomDataset): number {
  const count = dataset.number('NumberOfFrames') ?? 1;
  if (count !== 0) return count;
  const { pixelData } = dataset;
  if (pixelData === undefined) return 0;
  // Compressed pixels do not tell; a second frame would be in the way of decoding the first.
  if (pixelData.byteLength === undefined) return 1;
  // A viewer's images are in its memory, not in the data set.
  if (pixelData.byteLength === 0) return 1;
  const frameBytes = nativeFrameBytes({
    rows: dataset.number('Rows') ?? 0,
    columns: dataset.number('Columns') ?? 0,
    bitsAllocated: dataset.number('BitsAllocated') ?? BITS[pixelData.keyword],
    samplesPerPixel: dataset.number('SamplesPerPixel') ?? 1,
    photometricInterpretation: dataset.string('PhotometricInterpretation'),
  });
  return frameBytes > 0 && pixelData.byteLength >= frameBytes && pixelData.byteLength < 2 * frameBytes ? 1 : 0;
}

const BITS = { PixelData: 16, FloatPixelData: 32, DoubleFloatPixelData: 64 } as const;
