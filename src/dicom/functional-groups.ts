import { damagedFile } from '../io/read-limits.ts';
import type { DicomDataset } from './dicom-dataset.ts';
import type { DicomKeyword } from './dicom-dictionary.ts';
import { nativeFrameBytes } from './pixel-data.ts';

/** Where the attributes of one frame are: in its own functional group, in the shared one, else in the data set itself,
 * where those of a single-frame image are (PS3.3 C.7.6.16). */
export type FrameAttributes = (group: DicomKeyword) => DicomDataset;

/** The attributes of every frame of an image.
 * @returns undefined for an image of several frames that has nothing for each of them
 * @throws InputError `damaged-file` if frames and functional groups differ in number */
export function frameAttributes(dataset: DicomDataset, name: string): FrameAttributes[] | undefined {
  const count = frameCount(dataset);
  // GE writes an empty per-frame sequence into some single-frame images.
  const isSingle = count === 1 && dataset.has('ImagePositionPatient');
  const frames = isSingle ? [] : dataset.items('PerFrameFunctionalGroupsSequence');
  if (frames.length === 0) return count === 1 ? [() => dataset] : undefined;
  if (frames.length !== count) {
    throw damagedFile(name, `it says that it has ${count} frames, and describes ${frames.length}`);
  }
  const [shared] = dataset.items('SharedFunctionalGroupsSequence');
  const sharedGroups = new Map<DicomKeyword, DicomDataset>();
  const sharedGroup = (group: DicomKeyword): DicomDataset => {
    const known = sharedGroups.get(group);
    if (known !== undefined) return known;
    const found = shared?.items(group)[0] ?? dataset;
    sharedGroups.set(group, found);
    return found;
  };
  return frames.map((frame) => (group) => frame.items(group)[0] ?? sharedGroup(group));
}

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
