import { damagedFile } from '../io/damaged-file.ts';
import type { DicomDataset } from './dicom-dataset.ts';
import type { DicomKeyword } from './dicom-dictionary.ts';
import { frameCount } from './frame-count.ts';

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
